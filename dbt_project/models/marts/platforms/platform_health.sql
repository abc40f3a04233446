-- Grain: one row per platform and UTC day on which a sync of it began.
{% set platforms = ['ci_analytics', 'crm', 'device_management', 'error_tracking', 'load_testing'] %}
{% set logs = [] %}
{% for platform in platforms %}
    {% do logs.append((platform, source(platform, '_sync_log'))) %}
{% endfor %}
with syncs as (
    {% for platform, log in existing(logs) %}
        select
            '{{ platform }}' as platform,
            {{ utc_date('started_at') }} as sync_date,
            lag(started_at) over (partition by resource, status order by started_at) as previous_started_at,
            *
        from {{ log }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    platform,
    sync_date,
    count(distinct started_at) as syncs,
    count(distinct resource) as resources,
    count(*) filter (where status = 'failed') as failures,
    cast(sum(reads) as bigint) as parents_read,
    cast(sum(failed_reads) as bigint) as failed_reads,
    cast(sum(skipped_reads) as bigint) as skipped_reads,
    cast(sum(requests) as bigint) as requests,
    cast(sum(retries) as bigint) as retries,
    sum(seconds_waited) as seconds_waited,
    cast(sum(rows_read) as bigint) as rows_read,
    cast(sum(rows_loaded) as bigint) as rows_loaded,
    cast(sum(rows_removed) as bigint) as rows_removed,
    max(
        case
            when status = 'ok' then {{ seconds_between('previous_started_at', 'started_at') }}
        end
    ) as longest_gap_seconds,
    max(ended_at) as last_sync_ended_at
from syncs
group by platform, sync_date
