"""One request finds out whether the API has anything newer, by the sandbox's own clock."""

from datetime import datetime, timedelta

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.extraction.probing import can_probe, has_newer
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from tests.tiers import only

PROBED = [
    (platform.name, resource.name)
    for platform in all_platforms()
    for resource in platform.resources
    if can_probe(resource)
]


def test_filtered_resources_without_a_parent_can_be_probed() -> None:
    assert ("ci_analytics", "builds") in PROBED and ("crm", "deals") in PROBED
    assert ("error_tracking", "events") not in PROBED and ("crm", "leads") not in PROBED
    assert len(PROBED) == 11


@pytest.mark.parametrize(
    ("name", "resource_name"), only([("ci_analytics", "builds"), ("crm", "deals")], PROBED, slow=PROBED)
)
def test_a_probe_detects_newer_records_and_not_the_newest_one_again(
    name: str, resource_name: str, shared_sandbox: SandboxServer
) -> None:
    platform = platform_named(name)
    resource = platform.resource(resource_name)
    incremental = resource.endpoint.incremental
    assert incremental is not None
    values = [record[incremental.cursor_path] for record in expected_rows(shared_sandbox.backend)[name][resource_name]]
    newest = max(datetime.fromisoformat(f"{value}+00:00" if value[-1] != "Z" else value) for value in values if value)
    settings = Settings(base_url=shared_sandbox.base_url(name), token=shared_sandbox.token(name))
    with ApiClient(platform, settings) as client:
        before = len(shared_sandbox.requests)
        assert has_newer(client, resource, newest - timedelta(seconds=1))
        assert len(shared_sandbox.requests) == before + 1
        assert not has_newer(client, resource, newest)


def test_a_record_dated_in_the_future_is_not_newer_indefinitely() -> None:
    platform = platform_named("crm")
    with SandboxServer() as server:
        deals = server.backend.tables["crm"]["deals"]
        newest = max(datetime.fromisoformat(f"{deal['update_time']}+00:00") for deal in deals)
        deals.append({**deals[0], "id": 999_999, "update_time": "2099-01-01 00:00:00"})
        settings = Settings(base_url=server.base_url("crm"), token=server.token("crm"))
        with ApiClient(platform, settings) as client:
            assert not has_newer(client, platform.resource("deals"), newest)
            assert has_newer(client, platform.resource("deals"), newest - timedelta(seconds=1))
