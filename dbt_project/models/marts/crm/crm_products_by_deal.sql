-- Grain: one row per deal and currency with a product line.
select
    deal_id,
    coalesce(currency, '') as currency,
    count(*) as lines,
    count(distinct product_id) as products,
    sum(quantity) as quantity,
    sum(line_total) as total
from {{ ref('stg_crm__deal_products') }}
where not is_deleted
group by deal_id, coalesce(currency, '')
