"""Reading settings by dlt's scheme: environment variables first, then `.dlt/*.toml`."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from platform_assets.configuration.kinds import URL
from platform_assets.configuration.known import Setting
from platform_assets.configuration.lookup import look_up
from platform_assets.declarations import SettingsError

T = TypeVar("T")


def configured(key: str) -> Any:
    """Value of a dotted key such as `sources.crm.base_url` (`SOURCES__CRM__BASE_URL`); None if it is not set.

    The first of: the variable, `.dlt/secrets.toml` (and what else dlt takes secrets from), `.dlt/config.toml`.
    Raises SettingsError where a file of settings cannot be read.
    """
    try:
        return look_up(key)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"{getattr(error, 'filename', None) or 'a file in .dlt'} cannot be read: {reason}"
        ) from None
    except Exception as error:
        raise _refused_by_dlt(error) from None


def _refused_by_dlt(error: Exception) -> Exception:
    """What dlt has raised, as a SettingsError if it is about settings."""
    from dlt.common.configuration.exceptions import ConfigProviderException, ConfigurationException

    if isinstance(error, ConfigProviderException):
        return SettingsError(_unreadable(getattr(error, "full_paths", ())))
    if isinstance(error, ConfigurationException | ValueError):
        # dlt reads its own settings with the first of ours.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        return SettingsError(f"[runtime], or a variable RUNTIME__…, cannot be used: {reason[:200]}")
    return error


def read(section: str, setting: Setting[T]) -> T | None:
    """Value of a section's setting; None if it is not set or empty.

    Raises SettingsError, naming the setting, for a value of a wrong kind.
    """
    value = configured(f"{section}.{setting.key}")
    if value is None or value == "":
        return None
    try:
        return setting.kind.parse(value)
    except (ValueError, OverflowError):
        shown = "" if setting.secret or setting.kind is URL else f", not {str(value)[:60]!r}"
        place = section.removeprefix("sources.")
        raise SettingsError(f"{place}: {variable(section, setting.key)} must be {setting.kind.words}{shown}") from None


def variable(section: str, key: str) -> str:
    """The environment variable of a setting, e.g. `SOURCES__CRM__BASE_URL`."""
    return f"{section}.{key}".replace(".", "__").upper()


def _unreadable(paths: Iterable[str]) -> str:
    """Which file cannot be read, and where. Its text is not quoted: it may hold secrets."""
    for path in map(Path, paths):
        try:
            tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except tomllib.TOMLDecodeError as error:
            position = re.search(r"at (line \d+, column \d+|end of document)", str(error))
            return f"{path} is not valid TOML{f' ({position[0]})' if position else ''}"
        except (OSError, UnicodeDecodeError):
            return f"{path} cannot be read"
    return "a file in .dlt cannot be read"
