"""The component makes the definitions of a declaration, in a file or in `defs.yaml`, beside other code."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from platform_assets.platforms import broken_platforms, platform_named
from tests.components.project import DECLARATION, OTHER_CODE, load, new_project

FILE = "type: platform_assets.PlatformComponent\nattributes:\n  declaration: shop.yaml\n"
BESIDE = "  platform:\n"
INLINE = "type: platform_assets.PlatformComponent\n\nattributes:\n  platform:\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the folder `defs` of a project, in which the process works."""
    folder = new_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))

    def write(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def reasons(error: BaseException) -> str:
    found = []
    while error is not None:
        found.append(str(error))
        error = error.__cause__  # pyright: ignore[reportAssignmentType] -- the last has none
    return "\n".join(found)


def names(repository: dg.RepositoryDefinition) -> dict[str, set[str]]:
    return {
        "assets": {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()},
        "jobs": {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")},
        "schedules": {one.name for one in repository.schedule_defs},
        "sensors": {one.name for one in repository.sensor_defs},
        "resources": set(repository.get_top_level_resources()),
    }


@pytest.mark.parametrize("inline", [False, True])
def test_definitions_beside_other_code(write: Write, inline: bool) -> None:
    write("mine.py", OTHER_CODE)
    write("shop/defs.yaml", INLINE + indented(DECLARATION) if inline else FILE)
    if not inline:
        write("shop/shop.yaml", DECLARATION)
    repository = load()
    assert names(repository) == {
        "assets": {"order_count", "shop/orders", "shop/order_lines", "shop/returns", "shop/_sync_log"},
        "jobs": {"sync_shop", "verify_shop"},
        "schedules": {"shop_snapshots", "shop_cursored", "shop_full", "shop_verified"},
        "sensors": {"shop_freshness", "shop_partitions"},
        # `dlt` is of the other code.
        "resources": {"dlt", "platform_dlt"},
    }
    graph = repository.asset_graph
    assert graph.get(dg.AssetKey("order_count")).parent_keys == {dg.AssetKey(["shop", "orders"])}
    lines = graph.get(dg.AssetKey(["shop", "order_lines"]))
    assert lines.partitions_def == dg.DynamicPartitionsDefinition(name="shop_order")
    assert lines.parent_keys == {dg.AssetKey(["shop", "orders"])} and lines.pools == {"shop"}
    assert {key.name for key in lines.check_keys} >= {"key_unique", "no_partitions_left_failed"}
    returns = graph.get(dg.AssetKey(["shop", "returns"])).partitions_def
    assert returns is not None and len(returns.get_partition_keys()) == 4
    # What other code builds of the tables is its own matter.
    job = repository.get_job("sync_shop")
    assert job.asset_layer.selected_asset_keys == {
        dg.AssetKey(["shop", name]) for name in ("orders", "order_lines", "returns")
    }
    assert job.executor_def == dg.in_process_executor


def test_schedules_and_freshness_are_a_choice(write: Write) -> None:
    write("shop/defs.yaml", FILE + "  schedules: false\n  freshness_sensors: false\n")
    write("shop/shop.yaml", DECLARATION)
    repository = load()
    found = names(repository)
    assert found["schedules"] == set() and found["sensors"] == {"shop_partitions"}
    checks = repository.asset_graph.get(dg.AssetKey(["shop", "orders"])).check_keys
    assert "freshness_sensor_ticks" not in {key.name for key in checks}, "there is nothing that could tick"


def test_several_components(write: Write) -> None:
    books = DECLARATION.replace("shop", "books")
    write("shop/defs.yaml", FILE + "---\n" + INLINE + indented(books))
    write("shop/shop.yaml", DECLARATION)
    write("music/component.py", COMPONENT)
    write("music/music.yaml", DECLARATION.replace("shop", "music"))
    assert names(load())["jobs"] == {f"{do}_{name}" for do in ("sync", "verify") for name in ("shop", "books", "music")}


COMPONENT = """\
import dagster as dg
from platform_assets import PlatformComponent

@dg.component_instance
def load(context: dg.ComponentLoadContext) -> PlatformComponent:
    return PlatformComponent(declaration="music.yaml")
"""


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"shop/shop.yaml": DECLARATION.replace("limit:", "limt:")}, "defs/shop/shop.yaml:8: PageNumber: `limt`"),
        ({"shop/defs.yaml": FILE.replace("shop.yaml", "shp.yaml")}, "src/proj/defs/shop/shp.yaml:1: YAML: there is no"),
        ({"shop/defs.yaml": FILE + BESIDE + indented(DECLARATION)}, "defs/shop: PlatformComponent needs either"),
        ({"shop/defs.yaml": "type: platform_assets.PlatformComponent"}, "defs/shop: PlatformComponent needs either"),
        (
            {"shop/defs.yaml": INLINE + indented(DECLARATION.replace("limit:", "limt:"))},
            "src/proj/defs/shop/defs.yaml:12: PageNumber: `limt`: there is no such key; did you mean `limit`?",
        ),
        (
            {"shop/defs.yaml": INLINE + indented(DECLARATION.replace("resource: orders", "resource: order"))},
            "src/proj/defs/shop/defs.yaml:18: shop.order_lines: `params`: parent 'order'",
        ),
        (
            {"shop/defs.yaml": FILE + "---\n" + INLINE + indented(DECLARATION.replace("limit:", "limt:"))},
            "src/proj/defs/shop/defs.yaml:16: PageNumber: `limt`",
        ),
        (
            {"shop/defs.yaml": INLINE.replace("  platform:\n", "  platform: {name: shop, titel: Shop}\n")},
            "src/proj/defs/shop/defs.yaml:4: Platform 'shop': `titel`: there is no such key; did you mean `title`?",
        ),
        (
            {"two/defs.yaml": FILE, "two/shop.yaml": DECLARATION.replace("name: shop\n", "name: two\n")},
            "defs/two/shop.yaml:14: two.order_lines: `partition`: shop has partitions called 'shop_order' too",
        ),
        ({"two/defs.yaml": FILE, "two/shop.yaml": DECLARATION}, "`name`: two platforms have this name"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(write: Write, files: dict[str, str], reason: str) -> None:
    for name, text in {"shop/defs.yaml": FILE, "shop/shop.yaml": DECLARATION, **files}.items():
        write(name, text)
    with pytest.raises(ComponentTreeException) as refused:
        load()
    assert reason in reasons(refused.value)


def test_the_command_finds_the_declaration(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("shop/defs.yaml", FILE)
    write("shop/component.py", COMPONENT)
    folder = write("shop/shop.yaml", DECLARATION).parent
    monkeypatch.setenv("PLATFORMS__FOLDER", str(folder.relative_to(Path.cwd())))
    assert platform_named("shop").title == "Shop" and broken_platforms() == ()


def test_templates_of_a_declaration_are_not_dagsters(write: Write) -> None:
    text = DECLARATION.replace("description: Orders.", 'description: "In {{ currency }}."')
    write("shop/defs.yaml", INLINE + indented(text))
    spec = load().asset_graph.get(dg.AssetKey(["shop", "orders"]))
    assert str(spec.description).startswith("In {{ currency }}.")
