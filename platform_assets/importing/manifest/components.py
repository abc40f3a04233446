"""A manifest after everything in it was looked up: what `reading` hands to `converting`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_assets.importing.manifest.settings import ConfigSettings


@dataclass(frozen=True)
class Stream:
    """One stream's component in the current form of the language.

    Attributes:
        name: as written.
        component: a `DeclarativeStream`, plain data. No `$ref`, `$parameters`, `definitions` or `{{ parameters }}` is
            left in it; every component has its `type`. A `ParentStreamConfig`'s `stream` is the whole component of the
            parent. Components that are the same in several places are one object: they must not be changed, and
            `is` compares them.
    """

    name: str
    component: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """A manifest whose streams can be read one by one.

    Attributes:
        name: of the source as its documentation's address or metadata has it, in snake_case; None if nothing says it.
        title: of the source for people, if the manifest has one.
        streams: in the order of the file, names are unique.
        settings: what the user fills in.
        check: names of the streams that a connection check reads.
        concurrency: requests at a time; None if not said, or not said as a number.
        jobs: jobs of reports at a time, as the CDK takes them: one if it is not said.
        api_budget: the component `HTTPAPIBudget`.
        docs_url: address of the connector's documentation.
        file: name of the manifest's file.
    """

    name: str | None
    title: str | None
    streams: tuple[Stream, ...]
    settings: ConfigSettings
    check: tuple[str, ...]
    concurrency: int | None
    jobs: int
    api_budget: Mapping[str, Any] | None
    docs_url: str | None
    file: str
