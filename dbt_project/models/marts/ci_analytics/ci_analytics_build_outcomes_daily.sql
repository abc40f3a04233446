-- Grain: one row per pipeline and UTC day on which it had a build.
with builds as (
    select
        *,
        {{ utc_date('created_at') }} as build_date
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
    / cast(nullif(count(*) filter (where state in ('passed', 'failed')), 0) as double precision) as success_rate,
    {{ percentile('duration_seconds', 0.5) }} as p50_duration_seconds,
    {{ percentile('duration_seconds', 0.95) }} as p95_duration_seconds
from builds
group by pipeline_id, build_date
