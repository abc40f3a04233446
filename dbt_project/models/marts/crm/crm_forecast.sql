-- Grain: one row per currency and month in which open deals are expected to close.
select
    coalesce(deals.currency, '') as currency,
    cast(date_trunc('month', deals.expected_close_date) as date) as expected_close_month,
    count(*) as open_deals,
    sum(coalesce(deals.value, 0)) as open_value,
    sum(coalesce(deals.value, 0) * coalesce(deals.probability, stages.deal_probability, 100) / 100.0) as weighted_value
from {{ ref('stg_crm__deals') }} as deals
left join {{ ref('stg_crm__stages') }} as stages on deals.stage_id = stages.stage_id
where deals.status = 'open' and not deals.is_deleted and deals.expected_close_date is not null
group by coalesce(deals.currency, ''), cast(date_trunc('month', deals.expected_close_date) as date)
