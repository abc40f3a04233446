"""Where settings are found: in the places that dlt looks in, in dlt's order, without importing dlt for it.

Importing dlt takes longer than all else that `status`, or the report of a misspelt name, has to do. So variables and
`.dlt/*.toml` are read here, as long as they are all that dlt would look at. dlt itself is asked once it is imported,
and where it may know more: secret mounts, vaults, Airflow, plugins, folders that are named by variables, its own
settings, or files that cannot be read (see `_only_variables_and_files`). tests/configuration/test_lookup.py holds that
both give the same.
"""

import os
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# In the order in which values count.
_FILES = ("secrets.toml", "config.toml")
_FOLDER = Path(".dlt")
_SECRET_MOUNTS = Path("/run/secrets")
# Beginnings of variables that change where dlt looks, or that are settings of its own.
_DLTS_VARIABLES = ("DLT_", "RUNTIME__", "PROVIDERS__")
# What dlt takes settings from if it is installed.
_OTHER_SOURCES = ("airflow", "streamlit")
# Keys of [runtime] that cannot be wrong, with their values; the project's own .dlt/config.toml has them.
_HARMLESS_RUNTIME = {
    "dlthub_telemetry": (True, False),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
}


def look_up(key: str) -> Any:
    """Value of a dotted key such as `sources.crm.base_url`, None if it is not set. Raises what dlt raises."""
    files = _only_variables_and_files()
    if files is None:
        return _ask_dlt(key)
    value: Any = os.environ.get(key.replace(".", "__").upper())
    if value is not None:
        return value
    found = (_value(document, key.split(".")) for _, document in files)
    return next((value for value in found if value is not None), None)


def look_up_early(key: str) -> Any:
    """As `look_up`, but in variables and `.dlt/*.toml` only; None if a file cannot be read.

    For what is needed before there is anybody to report that to: dlt raises for a wrong setting of its own only once.
    """
    value: Any = os.environ.get(key.replace(".", "__").upper())
    for name in _FILES:
        try:
            document = tomllib.loads((_FOLDER / name).read_bytes().decode())
        except (OSError, ValueError):
            continue
        value = _value(document, key.split(".")) if value is None else value
    return value


def settings_files() -> list[tuple[str, dict[str, Any]]]:
    """(path or paths, parsed content) of each kind of settings file. Raises what dlt raises."""
    files = _only_variables_and_files()
    return _dlts_files() if files is None else files


def _only_variables_and_files() -> list[tuple[str, dict[str, Any]]] | None:
    """The settings files, if dlt would look at nothing but them and the environment; None if dlt is to be asked."""
    if "dlt" in sys.modules or _knows_other_places() or any(name.startswith(_DLTS_VARIABLES) for name in os.environ):
        return None
    try:
        # Relative, as dlt has it: messages show the path.
        texts = {path: path.read_bytes() for name in _FILES if (path := _FOLDER / name).is_file()}
        files = [(str(path), tomllib.loads(text.decode())) for path, text in texts.items()]
    except (OSError, ValueError):
        return None  # dlt reports it.
    return files if all(_is_harmless(document) for _, document in files) else None


@cache
def _knows_other_places() -> bool:
    """Whether something on this machine makes dlt look elsewhere too, whatever the settings say."""
    return (
        _SECRET_MOUNTS.exists()
        or (_FOLDER / ".workspace").exists()
        or any((folder / name).exists() for folder in _global_folders() for name in _FILES)
        or any(find_spec(name) for name in _OTHER_SOURCES)
        or any(point.value != "dlt.__plugins__" for point in entry_points(group="dlt"))
    )


def _global_folders() -> Iterator[Path]:
    """All folders that dlt may take for its global one."""
    yield Path("/var/dlt")
    yield Path("~/.dlt").expanduser()
    yield Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "dlt"


def _is_harmless(document: dict[str, Any]) -> bool:
    """Whether a file has no setting of dlt's own that adds places to look in, or that dlt would refuse."""
    runtime = document.get("runtime", {})
    return (
        "providers" not in document
        and isinstance(runtime, dict)
        and all(value in _HARMLESS_RUNTIME.get(key, ()) for key, value in runtime.items())
    )


def _value(document: Any, words: list[str]) -> Any:
    for word in words:
        if not isinstance(document, dict) or word not in document:
            return None
        document = document[word]
    return document


def _ask_dlt(key: str) -> Any:
    import dlt

    # dlt's secrets do not include its plain settings.
    found = dlt.secrets.get(key)  # pyright: ignore[reportArgumentType] -- dlt's own default for the type is None
    return found if found is not None else dlt.config.get(key)  # pyright: ignore[reportArgumentType] -- as above


def _dlts_files() -> list[tuple[str, dict[str, Any]]]:
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers.toml import SettingsTomlProvider
    from dlt.common.configuration.specs import PluggableRunContext

    return [
        (", ".join(str(Path(location)) for location in provider.present_locations), tomllib.loads(provider.to_toml()))
        for provider in Container()[PluggableRunContext].providers.providers
        if isinstance(provider, SettingsTomlProvider)
    ]
