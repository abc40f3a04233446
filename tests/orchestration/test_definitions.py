"""The definitions load without credentials or network, and hold the assets and jobs that others rely on."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from platform_assets.orchestration.assets import platform_assets
from platform_assets.platforms import all_platforms, platform_named
from tests.cli.command import ROOT

RESOURCES = {(p.name, r.name) for p in all_platforms() for r in p.resources}


def test_every_resource_is_an_asset_in_its_platforms_group(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    keys = {tuple(key.path) for key in graph.materializable_asset_keys if key.path[0] not in ("staging", "marts")}
    assert keys == RESOURCES
    assert all(graph.get(dg.AssetKey([*key])).group_name == key[0] for key in keys)


def test_lineage_runs_from_parent_to_child_to_model_without_phantoms(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    # The state table is written by every load, as its lineage shows.
    logs = {dg.AssetKey([platform.name, "_sync_log"]) for platform in all_platforms()}
    assert graph.external_asset_keys == logs
    assert all(graph.get(key).description for key in logs)
    assert graph.get(dg.AssetKey(["marts", "platform_health"])).parent_keys == logs
    child = graph.get(dg.AssetKey(["ci_analytics", "organizations_pipelines"]))
    assert child.parent_keys == {dg.AssetKey(["ci_analytics", "organizations"])}
    assert graph.get(dg.AssetKey(["crm", "mail"])).parent_keys == {dg.AssetKey(["crm", "mail_threads"])}
    staging = dg.AssetKey(["staging", "stg_ci_analytics__builds"])
    assert graph.get(staging).parent_keys == {dg.AssetKey(["ci_analytics", "builds"])}
    assert graph.get(dg.AssetKey(["marts", "ci_analytics_build_outcomes_daily"])).parent_keys == {staging}


def test_partitions(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    names = {
        definition.name: sorted(
            key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).partitions_def == definition
        )
        for key in graph.get_all_asset_keys()
        if isinstance(definition := graph.get(key).partitions_def, dg.DynamicPartitionsDefinition)
    }
    assert names == {
        "ci_analytics_organization": [
            "ci_analytics/analytics_organizations_suites",
            "ci_analytics/organizations_pipelines",
        ],
        "error_tracking_organization": ["error_tracking/releases"],
        "error_tracking_project": ["error_tracking/events", "error_tracking/issues", "error_tracking/project_detail"],
        "load_testing_organization": ["load_testing/projects"],
    }
    buckets = graph.get(dg.AssetKey(["crm", "deal_products"])).partitions_def
    assert buckets is not None and len(buckets.get_partition_keys()) == 16


def test_jobs(repository: dg.RepositoryDefinition) -> None:
    names = {"sync_all", *(f"sync_{platform.name}" for platform in all_platforms())}
    assert names <= set(repository.job_names)
    for name in names:
        job = repository.get_job(name)
        assert job.partitions_def is None
    everything = repository.get_job("sync_all").asset_layer.selected_asset_keys
    assert len(everything) == len(repository.asset_graph.materializable_asset_keys)


def test_every_asset_has_a_description_owner_table_and_schema(repository: dg.RepositoryDefinition) -> None:
    for platform, resource in RESOURCES:
        node = repository.asset_graph.get(dg.AssetKey([platform, resource]))
        assert node.description and node.owners and node.metadata["dagster/table_name"] == f"{platform}.{resource}"
        assert node.metadata["dagster/column_schema"].columns
        assert all(column.description for column in node.metadata["dagster/column_schema"].columns)
        names = [column.name for column in node.metadata["dagster/column_schema"].columns]
        assert not names[0].startswith("_") and names[-1].startswith("_"), "what the warehouse adds is not last"
        assert node.kinds == {"dlt", "duckdb"}
        assert node.metadata["vendor_docs"].url.startswith("https://")
        assert (ROOT / node.metadata["docs"].path).is_file()
        page, anchor = node.metadata["table_docs"].path.split("#")
        assert f"\n## {anchor}\n" in (ROOT / page).read_text() and anchor == resource


@pytest.mark.parametrize("site", ["https://docs.example.com/data", "https://docs.example.com/data/"])
def test_assets_link_to_the_pages_of_a_site_that_serves_the_documentation(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCS__URL", site)
    (deals,) = (
        s for assets in platform_assets(platform_named("crm")) for s in assets.specs if s.key.path[1] == "deals"
    )
    assert deals.metadata["table_docs"].url == "https://docs.example.com/data/tables/crm.html#deals"
    assert deals.metadata["docs"].url == "https://docs.example.com/data/platforms/crm.html"


def test_every_metadata_of_a_resource_can_be_shown(repository: dg.RepositoryDefinition) -> None:
    for key in RESOURCES:
        metadata = repository.asset_graph.get(dg.AssetKey([*key])).metadata
        dg.ObserveResult(metadata=metadata)
        assert not [name for name in metadata if name.startswith("dagster_dlt/")]


def test_assets_show_the_contract_in_use_and_the_warehouse_without_reaching_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCES__LOAD_TESTING__CONTRACT", "grafana_k6")
    monkeypatch.setenv("WAREHOUSE__DESTINATION", "postgres")
    specs = {
        spec.key.path[1]: spec for assets in platform_assets(platform_named("load_testing")) for spec in assets.specs
    }
    tests, organizations = specs["tests"], specs["organizations"]
    assert tests.metadata["contract"] == "grafana_k6" and tests.metadata["path"] == "/cloud/v6/load_tests"
    assert "Loaded from `GET /cloud/v6/load_tests`" in str(tests.description)
    assert tests.metadata["vendor_docs"].url.endswith("/load-tests/")
    assert "is not loaded: version 6 has no organizations" in str(organizations.description)
    assert tests.kinds == {"dlt", "postgres"}
    # Lineage and partitions are those of the reference under every contract.
    assert [dep.asset_key.path for dep in specs["projects"].deps] == [["load_testing", "organizations"]]


def test_settings_that_cannot_be_used_do_not_stop_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__LOAD_TESTING__CONTRACT", "grafana")
    monkeypatch.setenv("WAREHOUSE__DESTINATION", "oracle")
    (spec,) = [
        one
        for assets in platform_assets(platform_named("load_testing"))
        for one in assets.specs
        if one.key.path[1] == "tests"
    ]
    assert spec.metadata["contract"] == "reference" and spec.kinds == {"dlt", "duckdb"}


def test_definitions_load_without_settings_network_or_dlt_folders(tmp_path: Path) -> None:
    """A process without sockets and with an empty home loads them, and leaves no dlt folder behind."""
    code = """
import socket
def refuse(*args, **kwargs): raise AssertionError("network at import")
socket.socket.connect = refuse
from platform_assets.definitions import defs
print(len(defs().get_repository_def().asset_graph.materializable_asset_keys))
"""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > len(RESOURCES)
    assert not list(tmp_path.rglob("pipelines"))
