"""How the records of a contract differ from the reference's: fields that only one of the two has.

A resource or contract that is not named has the same fields in both.
"""

Fields = dict[str, dict[str, tuple[str, ...]]]

# Fields that only the vendor serves; they are in the oracle's rows too.
EXTRA_FIELDS: Fields = {
    "buildkite": {
        # `clone_mirror_url` is null or missing.
        "organizations_pipelines": (
            "description",
            "cluster_id",
            "allow_rebuilds",
            "tags",
            "configuration",
            "clone_mirror_url",
        ),
        "builds": ("author", "tag", "blocked_state"),
    },
    "k6_legacy": {
        "organizations": ("logo", "is_grafana_org", "grafana_stack_id", "data_retention_days", "vuh"),
    },
    "grafana_k6": {
        "projects": ("grafana_folder_uid", "labels"),
        # `baseline_test_run_id` until 2026-09-01 of the backend's clock.
        "tests": ("baseline_test_run_id", "k6_version"),
    },
    "sentry": {"project_detail": ("isInternal",)},
    "ninjaone": {
        "automation_scripts": ("createdBy", "lastUpdatedBy"),
        "roles": ("nodeRoleParentId", "icon"),
    },
    "pipedrive": {
        "deals": (
            "archive_time",
            "source_lead_id",
            "channel",
            "channel_id",
            "acv",
            "arr",
            "mrr",
            "local_won_date",
            "local_lost_date",
            "local_close_date",
        ),
    },
}

# Fields that only the reference serves; the oracle's rows lack them.
MISSING_FIELDS: Fields = {
    "grafana_k6": {
        "projects": ("description", "organization_id"),
        # The script and the runs of a test have paths of their own, a request per test.
        "tests": ("user_id", "script", "test_run_ids", "last_test_run_id"),
    },
    "sentry": {"projects": ("organization",)},
    "pipedrive": {
        # v2 has custom fields under `custom_fields` only.
        "deals": ("befdcfc4f54b8410b8d9105ba6d44658fd5965b9",),
        # Missing where the type was never changed.
        "activity_types": ("update_time",),
    },
}
# Resources of the reference that the vendor has not: the stack replaces organizations.
MISSING_RESOURCES: dict[str, tuple[str, ...]] = {"grafana_k6": ("organizations",)}
