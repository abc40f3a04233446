-- Grain: one row per stage and currency with an open deal. Currencies are never added up.
select
    deals.pipeline_id,
    deals.stage_id,
    coalesce(deals.currency, '') as currency,
    max(pipelines.name) as pipeline_name,
    max(stages.name) as stage_name,
    max(stages.order_nr) as stage_order,
    count(*) as open_deals,
    sum(coalesce(deals.value, 0)) as open_value,
    sum(coalesce(deals.value, 0) * coalesce(deals.probability, stages.deal_probability, 100) / 100.0) as weighted_value
from {{ ref('stg_crm__deals') }} as deals
left join {{ ref('stg_crm__stages') }} as stages on deals.stage_id = stages.stage_id
left join {{ ref('stg_crm__pipelines') }} as pipelines on deals.pipeline_id = pipelines.pipeline_id
where deals.status = 'open' and not deals.is_deleted
group by deals.pipeline_id, deals.stage_id, coalesce(deals.currency, '')
