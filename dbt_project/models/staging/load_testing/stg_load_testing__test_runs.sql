select
    test_id,
    position as run_position,
    {{ json_scalar('element') }} as test_run_id,
    is_deleted,
    last_seen_at
from {{ json_elements(ref('stg_load_testing__tests'), 'test_run_ids') }} as runs
