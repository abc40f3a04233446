select
    id as build_id,
    number as build_number,
    state,
    source,
    branch,
    "commit" as commit_sha,
    message,
    blocked as is_blocked,
    json_extract_string(pipeline, '$.id') as pipeline_id,
    json_extract_string(pipeline, '$.slug') as pipeline_slug,
    json_extract_string(creator, '$.name') as creator_name,
    json_array_length(jobs) as job_count,
    created_at,
    scheduled_at,
    started_at,
    finished_at,
    date_diff('second', started_at, finished_at) as duration_seconds,
    -- A build leaves the list by retention, so absence says nothing about deletion.
    false as is_deleted,
    _loaded_at as last_seen_at
from {{ source('ci_analytics', 'builds') }}
