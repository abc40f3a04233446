-- Grain: one row per platform and UTC day on which a resource or parent was last attempted.
{% set platforms = ['ci_analytics', 'crm', 'device_management', 'error_tracking', 'load_testing'] %}
with attempts as (
    {% for platform in platforms %}
        select
            '{{ platform }}' as platform,
            resource,
            status,
            rows_read,
            rows_loaded,
            attempted_at,
            succeeded_at
        from {{ source(platform, '_sync_state') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    platform,
    {{ utc_date('attempted_at') }} as attempt_date,
    count(distinct resource) as resources,
    count(*) as attempts,
    count(*) filter (where status = 'failed') as failed,
    count(*) filter (where status = 'skipped') as skipped,
    sum(rows_read) as rows_read,
    sum(rows_loaded) as rows_loaded,
    min(succeeded_at) as oldest_success_at
from attempts
group by platform, {{ utc_date('attempted_at') }}
