"""The shell completes commands, and the names of platforms and assets."""

import pytest

from tests.cli.command import MAIN, command

# The shell asks the program by its name, which names the variables too.
CODE = f"import sys; sys.argv[0] = 'platform-assets'; {MAIN}"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sync -s crm/deal", {"crm/deals", "crm/deal_fields", "crm/deal_products"}),
        pytest.param("verify --select load_testing/o", {"load_testing/organizations"}, marks=pytest.mark.slow),
        ("status -p c", {"ci_analytics", "crm"}),
        pytest.param("sync -p nothing", set(), marks=pytest.mark.slow),
        ("st", {"status", "state"}),
        ("scaffold-dbt c", {"ci_analytics", "crm"}),
        pytest.param("state import folder -p c", {"ci_analytics", "crm"}, marks=pytest.mark.slow),
    ],
)
def test_names_are_completed(line: str, offered: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PLATFORM_ASSETS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"platform-assets {line}")
    monkeypatch.setenv("COMP_CWORD", str(len(line.split())))
    done = command(code=CODE)
    assert set(done.stdout.split()) == offered and done.stderr == ""
