-- Grain: one row per project that is still there. A test is stale that did not change for 90 days.
select
    projects.project_id,
    projects.name as project_name,
    projects.organization_id,
    count(tests.test_id) as tests,
    cast(coalesce(sum(tests.test_run_count), 0) as bigint) as runs,
    count(tests.test_id) filter (where tests.test_run_count = 0) as tests_never_run,
    count(tests.test_id) filter (where tests.updated_at < {{ as_of() }} - interval '90 days') as stale_tests,
    max(tests.updated_at) as last_test_change_at
from {{ ref('stg_load_testing__projects') }} as projects
left join {{ ref('stg_load_testing__tests') }} as tests
    on projects.project_id = tests.project_id and not tests.is_deleted
where not projects.is_deleted
group by projects.project_id, projects.name, projects.organization_id
