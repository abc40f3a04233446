select
    id as test_id,
    project_id,
    user_id,
    name,
    created as created_at,
    updated as updated_at,
    last_test_run_id,
    test_run_ids,
    script,
    {{ json_length('test_run_ids') }} as test_run_count,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('load_testing', 'tests') }}
