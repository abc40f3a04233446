"""A platform with a second contract is read with that contract on every code path, once the settings select it.

The stub serves only the paths of the live contract, so that a request by the reference contract is a 404.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from platform_assets import platforms
from platform_assets.cli.check import check_platforms
from platform_assets.cli.verify import VerifyRequest, run_verify
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Contract,
    DynamicPartitions,
    Endpoint,
    ErrorHandler,
    Freshness,
    Incremental,
    Platform,
    Resolve,
    Resource,
    SettingsError,
    SinglePage,
    validate,
)
from platform_assets.extraction.connection import connect
from platform_assets.monitoring.freshness_sensor import freshness_sensor
from platform_assets.monitoring.partition_sensor import partition_sensor
from platform_assets.orchestration.assets import log_spec, platform_assets
from platform_assets.orchestration.dlt_resource import RESOURCES
from platform_assets.orchestration.jobs import sync_job
from platform_assets.orchestration.verification import verified_checks, verify_job_name, verify_jobs
from tests.servers.http_server import Reply
from tests.servers.stub_api import StubApi, listed

WORDS = [{"id": "1", "slug": "one"}, {"id": "2", "slug": "two"}]
CHANGES = [{"id": "7", "updated_at": "2026-01-02T00:00:00Z"}]
INCREMENTAL = Incremental(cursor_path="updated_at", start_param="since", initial_value="2026-01-01T00:00:00Z")
(SHOP,) = validate(
    [
        Platform(
            name="shop",
            title="Shop",
            description="Words, their parts, and changes.",
            client=Client(auth=BearerAuth(), probe="/words", paginator=SinglePage()),
            resources=(
                Resource(
                    name="words",
                    description="Words.",
                    endpoint=Endpoint(path="/words"),
                    columns={"id": "text", "slug": "text"},
                ),
                Resource(
                    name="changes",
                    description="Changes.",
                    endpoint=Endpoint(path="/changes", incremental=INCREMENTAL),
                    columns={"id": "text", "updated_at": "timestamp"},
                    freshness=Freshness(allowed_lag=timedelta(hours=2)),
                ),
                Resource(
                    name="parts",
                    description="Parts of words.",
                    endpoint=Endpoint(path="/words/{word}/parts", params={"word": Resolve("words", "slug")}),
                    columns={"id": "text"},
                    partition=DynamicPartitions(name="shop_word"),
                ),
            ),
            contracts={
                "live": Contract(
                    client=Client(
                        auth=BearerAuth(),
                        probe="/live/words",
                        paginator=SinglePage(),
                        data_selector="items",
                        error_handler=ErrorHandler(max_retries=0),
                    ),
                    endpoints={
                        "words": Endpoint(path="/live/words"),
                        "changes": Endpoint(path="/live/changes", incremental=INCREMENTAL),
                        "parts": Endpoint(path="/live/words/{word}/parts", params={"word": Resolve("words", "id")}),
                    },
                )
            },
        )
    ]
)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubApi]:
    """The live contract's server; SHOP is configured for it as the only platform."""
    monkeypatch.setattr(platforms, "_load_all", lambda: ((SHOP,), ()))
    with StubApi() as stub:
        stub.routes["/live/words"] = listed(WORDS, "items")
        stub.routes["/live/changes"] = lambda query: Reply(
            {"items": [change for change in CHANGES if change["updated_at"] >= query["since"]]}
        )
        for word in WORDS:
            stub.routes[f"/live/words/{word['id']}/parts"] = listed([{"id": f"part of {word['id']}"}], "items")
        monkeypatch.setenv("SOURCES__SHOP__BASE_URL", stub.url)
        monkeypatch.setenv("SOURCES__SHOP__API_TOKEN", "t0ken")
        monkeypatch.setenv("SOURCES__SHOP__CONTRACT", "live")
        yield stub
        assert stub.requests and all(request.path.startswith("/live/") for request in stub.requests)


@pytest.fixture
def repository() -> dg.RepositoryDefinition:
    return dg.Definitions(
        assets=[*platform_assets(SHOP), log_spec(SHOP)],
        asset_checks=[verified_checks(SHOP)],
        jobs=[sync_job(SHOP), *verify_jobs([SHOP])],
        sensors=[partition_sensor(SHOP), freshness_sensor(SHOP)],
        executor=dg.in_process_executor,
        resources=RESOURCES,
    ).get_repository_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def load(instance: dg.DagsterInstance, *names: str, partition: str | None = None) -> None:
    done = dg.materialize(
        platform_assets(SHOP),
        selection=[dg.AssetKey(["shop", name]) for name in names],
        partition_key=partition,
        instance=instance,
        resources=RESOURCES,
    )
    assert done.success


def test_connect_joins_the_settings_with_the_contract_they_choose(
    api: StubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(SHOP)
    assert connection.settings.token == "t0ken" and connection.platform.client.data_selector == "items"
    assert [resource.endpoint.path for resource in connection.platform.resources] == [
        "/live/words",
        "/live/changes",
        "/live/words/{word}/parts",
    ]
    with connection.open_client() as client:
        assert client.get(connection.platform.client.probe).body == {"items": WORDS}
    monkeypatch.delenv("SOURCES__SHOP__CONTRACT")
    assert connect(SHOP).platform is SHOP
    monkeypatch.delenv("SOURCES__SHOP__API_TOKEN")
    with pytest.raises(SettingsError, match="SOURCES__SHOP__API_TOKEN"):
        connect(SHOP)


def test_a_sync_and_its_partitions(api: StubApi, instance: dg.DagsterInstance) -> None:
    load(instance, "words", "changes")
    assert set(instance.get_dynamic_partitions("shop_word")) == {"1", "2"}
    load(instance, "parts", partition="2")
    assert api.requests_to("/live/words/2/parts")


def test_the_partition_sensor(api: StubApi, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
    load(instance, "words")
    for key in instance.get_dynamic_partitions("shop_word"):
        instance.delete_dynamic_partition("shop_word", key)
    context = dg.build_sensor_context(instance=instance, repository_def=repository)
    found = partition_sensor(SHOP)(context)
    assert isinstance(found, dg.SensorResult)
    (request,) = found.dynamic_partitions_requests or []
    assert isinstance(request, dg.AddDynamicPartitionsRequest) and request.partition_keys == ["1", "2"]


def test_the_freshness_sensor(
    api: StubApi,
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(instance, "words", "changes")
    before, now = len(api.requests_to("/live/changes")), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    found = freshness_sensor(SHOP)(dg.build_sensor_context(instance=instance, repository_def=repository))
    assert isinstance(found, dg.SensorResult)
    (request,) = found.run_requests or []
    assert list(request.asset_selection or ()) == [dg.AssetKey(["shop", "parts"])], "nothing newer than the load"
    assert len(api.requests_to("/live/changes")) == before + 1


@pytest.mark.parametrize("filters_by_cursor", ["live", "reference"])
def test_the_freshness_sensor_probes_what_the_chosen_contract_can_filter(
    filters_by_cursor: str,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other contract has no parameter for it: by that one, only a load can tell what is new."""
    unfiltered = Endpoint(path="/changes", incremental=Incremental(cursor_path="updated_at"))
    filtered = Endpoint(path="/changes", incremental=INCREMENTAL)
    is_probed = filters_by_cursor == "live"
    reference, live = (unfiltered, filtered) if is_probed else (filtered, unfiltered)
    client = Client(auth=BearerAuth(), probe="/changes", paginator=SinglePage())
    changes = replace(SHOP.resource("changes"), endpoint=reference)
    contracts = {"live": Contract(client=client, endpoints={"changes": live})}
    shop = replace(SHOP, client=client, resources=(changes,), contracts=contracts)
    loaded = dg.AssetMaterialization(
        dg.AssetKey(["shop", "changes"]), metadata={"rows_loaded": 1, "cursor": 1_767_312_000.0}
    )
    instance.report_runless_asset_event(loaded)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    with StubApi({"/changes": listed(CHANGES)}) as stub:
        monkeypatch.setenv("SOURCES__SHOP__BASE_URL", stub.url)
        monkeypatch.setenv("SOURCES__SHOP__API_TOKEN", "t0ken")
        monkeypatch.setenv("SOURCES__SHOP__CONTRACT", "live")
        found = freshness_sensor(shop)(dg.build_sensor_context(instance=instance))
        assert isinstance(found, dg.SensorResult)
        assert bool(stub.requests_to("/changes")) == is_probed
        assert bool(found.run_requests) != is_probed


def test_the_weekly_verification(
    api: StubApi, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    load(instance, "words", "changes")
    done = repository.get_job(verify_job_name(SHOP)).execute_in_process(instance=instance)
    passed = {found.check_name: found.passed for found in done.get_asset_check_evaluations()}
    assert passed["verified_words"] and passed["verified_changes"]


def test_check(api: StubApi, capsys: pytest.CaptureFixture[str]) -> None:
    check_platforms(["shop"], sandbox=False)
    assert f"shop: ok, {api.url} accepts the credential" in capsys.readouterr().out


def test_verify(api: StubApi, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]) -> None:
    load(instance, "words", "changes")
    assert run_verify(VerifyRequest(assets=("shop/words", "shop/changes")))
    assert "2 of 2 assets as served by the API" in capsys.readouterr().out
