"""Settings are found without dlt exactly where dlt finds them, and dlt is asked wherever it could know more."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command import ROOT, command
from tests.tiers import one_in, only

KEYS = (
    "sources.crm.base_url",
    "sources.crm.api_token",
    "sources.crm.page_size",
    "sources.crm.start_date",
    "sources.crm.exclude_fields",
    "sources.crm",
    "sources",
    "warehouse.destination",
    "destination.duckdb.credentials",
)
# Prints the value of each key and whether dlt was imported for it; `dlt` as first argument imports it before.
FOUND = f"""
import json, sys
if sys.argv[1] == "dlt":
    import dlt
from platform_assets.configuration.lookup import look_up, settings_files
try:
    found = [repr(look_up(key)) for key in {KEYS!r}]
    found.append(repr([(path, content) for path, content in settings_files() if content]))
except Exception as error:
    found = [type(error).__name__]
print(json.dumps([found, "dlt" in sys.modules]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the settings are; the home directory is above it."""
    found = tmp_path / "project"
    found.mkdir()
    return found


def look_up(how: str, folder: Path, env: Mapping[str, str]) -> tuple[list[str], bool]:
    home = {"HOME": str(folder.parent), "PYTHONPATH": str(ROOT)}
    done = command(how, code=FOUND, env={**home, **env}, cwd=folder)
    assert done.returncode == 0, done.stderr
    found, imports_dlt = json.loads(done.stdout)
    return found, imports_dlt


CRM = '[sources.crm]\nbase_url = "https://file"\npage_size = 7\nexclude_fields = ["a.b", "c.d"]\n'
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "variables": ({}, {"SOURCES__CRM__BASE_URL": "https://variable", "SOURCES__CRM__PAGE_SIZE": "5"}),
    "files": ({"config.toml": CRM, "secrets.toml": '[sources.crm]\napi_token = "hush"\n'}, {}),
    "secrets before config": ({"config.toml": CRM, "secrets.toml": CRM.replace("file", "secret")}, {}),
    "variables before files": ({"config.toml": CRM}, {"SOURCES__CRM__BASE_URL": "https://variable"}),
    "an empty variable": ({"config.toml": CRM}, {"SOURCES__CRM__BASE_URL": ""}),
    "a date": ({"config.toml": "[sources.crm]\nstart_date = 2026-01-01\n"}, {}),
    "a value where a section should be": ({"config.toml": 'sources = "x"\n'}, {}),
    "dotted keys": ({"config.toml": 'sources.crm.base_url = "https://dotted"\n'}, {}),
    "the project's own": ({"config.toml": (ROOT / ".dlt" / "config.toml").read_text()}, {}),
}


@pytest.mark.parametrize("case", only(["variables before files"], CASES, slow=CASES))
def test_the_same_is_found_as_by_dlt(case: str, folder: Path) -> None:
    write(folder, CASES[case][0])
    alone, imports_dlt = look_up("alone", folder, CASES[case][1])
    assert not imports_dlt
    assert alone == look_up("dlt", folder, CASES[case][1])[0]


ASKED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "another folder": ({}, {"DLT_PROJECT_DIR": "/tmp"}),
    "a setting of dlt's": ({}, {"RUNTIME__LOG_LEVEL": "LOUD"}),
    "a setting of dlt's in a file": ({"config.toml": '[runtime]\nlog_level = "LOUD"\n'}, {}),
    "a vault": ({"config.toml": "[providers]\nenable_google_secrets = false\n"}, {}),
    "a broken file": ({"config.toml": "[sources\n"}, {}),
    "a workspace": ({".workspace": ""}, {}),
    "a global folder": ({"../../.dlt/config.toml": CRM}, {}),
}


@pytest.mark.parametrize("case", one_in(len(ASKED), ASKED, slow=1))
def test_dlt_is_asked_where_it_may_know_more(case: str, folder: Path) -> None:
    write(folder, ASKED[case][0])
    alone, imports_dlt = look_up("alone", folder, ASKED[case][1])
    assert imports_dlt
    assert alone == look_up("dlt", folder, ASKED[case][1])[0]


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / ".dlt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
