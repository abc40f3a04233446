"""One way to read a setting by dlt's scheme: environment variables first, then `.dlt/*.toml`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dlt


def configured(key: str) -> Any:
    """Value of a dotted key such as `sources.crm.base_url` (`SOURCES__CRM__BASE_URL`), None where it is not set.

    Looks through dlt's secrets, which include its plain settings.
    """
    return dlt.secrets.get(key)  # pyright: ignore[reportArgumentType] -- dlt's own default for the type is None


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and of the programs it starts meanwhile; afterwards they are as before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
