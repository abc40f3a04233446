"""One way to read a setting by dlt's scheme: environment variables first, then `.dlt/*.toml`."""

from typing import Any

import dlt


def configured(key: str) -> Any:
    """Value of a dotted key such as `sources.crm.base_url` (`SOURCES__CRM__BASE_URL`), None where it is not set.

    Looks through dlt's secrets, which include its plain settings.
    """
    return dlt.secrets.get(key)  # pyright: ignore[reportArgumentType] -- dlt's own default for the type is None
