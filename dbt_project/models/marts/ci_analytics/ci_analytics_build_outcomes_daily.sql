-- Grain: one row per pipeline and UTC day on which it had a build.
with builds as (
    select
        *,
        cast(created_at at time zone 'UTC' as date) as build_date
    from {{ ref('stg_ci_analytics__builds') }}
)

select
    pipeline_id,
    build_date,
    max(pipeline_slug) as pipeline_slug,
    count(*) as builds,
    count(*) filter (where state = 'passed') as passed,
    count(*) filter (where state = 'failed') as failed,
    count(*) filter (where finished_at is null) as unfinished,
    count(*) filter (where state = 'passed')
    / cast(nullif(count(*) filter (where state in ('passed', 'failed')), 0) as double) as success_rate,
    median(duration_seconds) as p50_duration_seconds,
    quantile_cont(duration_seconds, 0.95) as p95_duration_seconds
from builds
group by pipeline_id, build_date
