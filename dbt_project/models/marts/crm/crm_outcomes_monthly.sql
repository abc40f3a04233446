-- Grain: one row per pipeline, owner, currency and month in which a deal was won or lost.
with closed as (
    select
        *,
        coalesce(won_at, lost_at, closed_at) as decided_at,
        case
            when status = 'won' then {{ seconds_between('added_at', 'coalesce(won_at, lost_at, closed_at)') }} / 86400.0
        end as days_to_win
    from {{ ref('stg_crm__deals') }}
    where status in ('won', 'lost') and not is_deleted
)

select
    pipeline_id,
    owner_id,
    coalesce(currency, '') as currency,
    cast(date_trunc('month', decided_at at time zone 'UTC') as date) as decided_month,
    count(*) filter (where status = 'won') as won_deals,
    count(*) filter (where status = 'lost') as lost_deals,
    count(*) filter (where status = 'won') / cast(count(*) as double precision) as win_rate,
    coalesce(sum(value) filter (where status = 'won'), 0) as won_value,
    {{ percentile('days_to_win', 0.5) }} as p50_days_to_win
from closed
where decided_at is not null
group by pipeline_id, owner_id, coalesce(currency, ''), cast(date_trunc('month', decided_at at time zone 'UTC') as date)
