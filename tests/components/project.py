"""A project like one that `create-dagster project proj` makes, and a declaration for it."""

import sys
from pathlib import Path

import dagster as dg
from dagster.components.core.component_tree import ComponentTree

DECLARATION = """\
name: shop
title: Shop
description: Orders and their lines.
base_url: https://shop.example.com
client:
  auth: bearer
  probe: /v1/orders
  paginator: {type: page_number, limit: 2}
resources:
  - name: orders
    description: Orders.
    endpoint: {path: /v1/orders, incremental: {cursor_path: updated_at, start_param: since}}
    columns: {id: bigint, updated_at: timestamp, total: double}
  - name: order_lines
    description: Lines of an order.
    endpoint:
      path: /v1/orders/{order_id}/lines
      params: {order_id: {type: resolve, resource: orders, field: id}}
    partition: {type: dynamic_partitions, name: shop_order}
    columns: {id: bigint, sku: text}
  - name: returns
    description: What came back of an order.
    endpoint:
      path: /v1/orders/{order_id}/returns
      params: {order_id: {type: resolve, resource: orders, field: id}}
    partition: {type: buckets, count: 4}
    columns: {id: bigint, reason: text}
"""
# Somebody else's asset below one of ours, and a resource of the usual name.
OTHER_CODE = """\
import dagster as dg

@dg.asset(deps=[dg.AssetKey(["shop", "orders"])])
def order_count() -> int:
    return 1

@dg.definitions
def resources():
    return dg.Definitions(assets=[order_count], resources={"dlt": "another dlt"})
"""
# What create-dagster 1.13 writes.
_FILES = {
    "pyproject.toml": """\
[project]
name = "proj"
requires-python = ">=3.10,<3.15"
version = "0.1.0"
dependencies = [
    "dagster",
]

[dependency-groups]
dev = [
    "dagster-dg-cli",
    "dagster-webserver",
]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
force-include = { "pyproject.toml" = "pyproject.toml" }

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "proj"
registry_modules = [
    "proj.components.*",
]
""",
    "src/proj/__init__.py": "",
    "src/proj/definitions.py": """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
""",
    "src/proj/defs/__init__.py": "",
    "src/proj/components/__init__.py": "",
    "tests/__init__.py": "",
}


def new_project(folder: Path) -> Path:
    """Write the project; its folder `defs`."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "src" / "proj" / "defs"


def tree() -> ComponentTree:
    """The components of the project that the process works in and can import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "proj"]:
        del sys.modules[name]
    return ComponentTree.for_project(Path.cwd())


def load() -> dg.RepositoryDefinition:
    """The definitions of that project."""
    return tree().build_defs().get_repository_def()
