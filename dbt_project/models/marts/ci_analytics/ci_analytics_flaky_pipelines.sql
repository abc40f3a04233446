-- Grain: one row per pipeline that finished a build. A commit is flaky that both passed and failed.
with commits as (
    select
        pipeline_id,
        max(pipeline_slug) as pipeline_slug,
        commit_sha,
        count(*) filter (where state = 'passed') > 0 and count(*) filter (where state = 'failed') > 0 as is_flaky
    from {{ ref('stg_ci_analytics__builds') }}
    where state in ('passed', 'failed')
    group by pipeline_id, commit_sha
)

select
    pipeline_id,
    max(pipeline_slug) as pipeline_slug,
    count(*) as commits,
    count(*) filter (where is_flaky) as flaky_commits,
    count(*) filter (where is_flaky) / cast(count(*) as double precision) as flaky_rate
from commits
group by pipeline_id
