select
    product_id,
    position as price_position,
    {{ json_text('element', 'currency') }} as currency,
    cast({{ json_text('element', 'price') }} as double precision) as price,
    cast({{ json_text('element', 'cost') }} as double precision) as cost,
    is_deleted,
    last_seen_at
from {{ json_elements(ref('stg_crm__products'), 'prices') }} as prices
