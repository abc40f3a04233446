"""What `dg scaffold defs` writes, in the project's folder and nowhere else."""

from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
import yaml
from dagster.components.component_scaffolding import scaffold_object

from platform_assets.platform_files import as_python
from platform_assets.platform_files.reader import parse_platform
from tests.components.project import DECLARATION, load, new_project

NAME = "platform_assets.PlatformComponent"
MANIFEST = """\
type: DeclarativeSource
streams:
  - type: DeclarativeStream
    name: orders
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {type: HttpRequester, url_base: "https://api.shop.example/v1", path: orders}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
  - type: DeclarativeStream
    name: odd
    retriever: {type: CustomRetriever, class_name: source_shop.components.Odd}
"""


@pytest.fixture
def defs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `defs` of a project in which the process works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    return new_project(tmp_path)


def scaffold(path: Path, params: str = "{}", *, kind: str = "yaml", append: bool = False) -> None:
    scaffold_object(path, NAME, params, kind, None, append)


def assets() -> set[str]:
    return {key.to_user_string() for key in load().asset_graph.materializable_asset_keys}


def test_without_a_file_a_declaration_to_fill_in(defs: Path) -> None:
    scaffold(defs / "apis" / "My-Shop")
    assert sorted(path.name for path in (defs / "apis" / "My-Shop").iterdir()) == ["defs.yaml", "my_shop.yaml"]
    assert yaml.safe_load((defs / "apis" / "My-Shop" / "defs.yaml").read_text()) == {
        "type": NAME,
        "attributes": {"declaration": "my_shop.yaml"},
    }
    assert assets() == {"my_shop/items"}, "it is valid as it stands"


@pytest.mark.parametrize(("name", "text"), [("shop.yaml", DECLARATION), ("of_mine.py", "")])
def test_a_declaration_of_ours_is_taken(defs: Path, name: str, text: str) -> None:
    shop = parse_platform(DECLARATION, "shop.yaml")
    Path(name).write_text(text or as_python(shop))
    scaffold(defs / "shop", f'{{"from": "{name}"}}')
    written = (defs / "shop" / "shop.yaml").read_text()
    assert written == DECLARATION if text else parse_platform(written, "shop.yaml") == shop
    assert assets() == {"shop/orders", "shop/order_lines", "shop/returns"}


def test_another_tools_configuration_is_imported(defs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("platform_assets.importing.dlt_config")
    Path("rest_api.yaml").write_text(DLT)
    scaffold(defs / "shop", '{"from": "rest_api.yaml"}')
    platform = parse_platform((defs / "shop" / "shop.yaml").read_text(), "shop.yaml")
    assert platform.name == "shop" and platform.base_url == "https://api.my-shop.com"
    assert "assumed: orders: incremental: no cursor is declared" in capsys.readouterr().out
    assert assets() == {"shop/orders"}


# As dlt's `rest_api` has it.
DLT = """\
client:
  base_url: https://api.my-shop.com/
  auth: {type: bearer, token: secret}
  paginator: {type: page_number, base_page: 1, total_path: null}
resources:
  - name: orders
    primary_key: id
    endpoint: {path: v1/orders, data_selector: data}
"""


def test_a_connectors_manifest_is_imported(defs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("manifest.yaml").write_text(MANIFEST)
    scaffold(defs / "shop", '{"from": "manifest.yaml"}')
    shop = parse_platform((defs / "shop" / "shop.yaml").read_text(), "shop.yaml")
    assert shop.base_url == "https://api.shop.example/v1" and [one.name for one in shop.resources] == ["orders"]
    assert "not carried: odd: the whole resource" in capsys.readouterr().out
    assert assets() == {"shop/orders"}


def test_in_python(defs: Path) -> None:
    scaffold(defs / "shop", kind="python")
    assert sorted(path.name for path in (defs / "shop").iterdir()) == ["component.py", "shop.yaml"]
    assert assets() == {"shop/items"}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("nowhere.yaml", None, "nowhere.yaml: there is no such file"),
        ("shop.yaml", DECLARATION.replace("limit:", "limt:"), "shop.yaml:8: PageNumber: `limt`: there is no such key"),
        ("shop.yaml", DECLARATION.replace("resource: orders", "resource: order"), "shop.yaml:14: shop.order_lines"),
        ("shop.py", "import platform_assets\nPLATFORM = 1\n", "has no `PLATFORM = Platform(...)`"),
        ("notes.txt", "nothing to see", "notes.txt"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    defs: Path, name: str, text: str | None, reason: str
) -> None:
    if text is not None:
        Path(name).write_text(text)
    with pytest.raises(click.ClickException) as refused:
        scaffold(defs / "shop", f'{{"from": "{name}"}}')
    assert reason in refused.value.message and not (defs / "shop").exists()
    assert assets() == set()


def test_a_declaration_that_is_there_is_kept(defs: Path) -> None:
    scaffold(defs / "shop")
    (defs / "shop" / "shop.yaml").write_text(DECLARATION)
    with pytest.raises(click.ClickException, match="is there already"):
        scaffold(defs / "shop")
    assert (defs / "shop" / "shop.yaml").read_text() == DECLARATION


def test_the_package_offers_the_component() -> None:
    import platform_assets

    assert "PlatformComponent" in dir(platform_assets) and issubclass(platform_assets.PlatformComponent, dg.Component)
    name: Any = "PlatformComponents"
    with pytest.raises(AttributeError, match="PlatformComponents"):
        getattr(platform_assets, name)
