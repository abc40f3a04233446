select
    build_id,
    position as job_position,
    {{ json_text('element', 'id') }} as job_id,
    {{ json_text('element', 'type') }} as job_type,
    {{ json_text('element', 'name') }} as job_name,
    {{ json_text('element', 'state') }} as state,
    cast({{ json_text('element', 'exit_status') }} as bigint) as exit_status,
    cast({{ json_text('element', 'retried') }} as boolean) as is_retried,
    is_deleted,
    last_seen_at
from {{ json_elements(ref('stg_ci_analytics__builds'), 'jobs') }} as jobs
