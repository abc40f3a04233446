-- Grain: one row per break: the first failed build of a pipeline's branch after a passed one (or at its beginning).
with outcomes as (
    select
        build_id,
        pipeline_id,
        pipeline_slug,
        branch,
        state,
        finished_at,
        lag(state) over (partition by pipeline_id, branch order by finished_at, build_id) as previous_state
    from {{ ref('stg_ci_analytics__builds') }}
    where state in ('passed', 'failed') and finished_at is not null
),

breaks as (
    select * from outcomes
    where state = 'failed' and (previous_state is null or previous_state = 'passed')
)

select
    breaks.build_id as broken_by_build_id,
    breaks.pipeline_id,
    breaks.pipeline_slug,
    breaks.branch,
    breaks.finished_at as broken_at,
    min(fixes.finished_at) as recovered_at,
    {{ seconds_between('breaks.finished_at', 'min(fixes.finished_at)') }} as seconds_to_recover
from breaks
left join outcomes as fixes
    on
        breaks.pipeline_id = fixes.pipeline_id
        and breaks.branch = fixes.branch
        and breaks.finished_at < fixes.finished_at
        and fixes.state = 'passed'
group by breaks.build_id, breaks.pipeline_id, breaks.pipeline_slug, breaks.branch, breaks.finished_at
