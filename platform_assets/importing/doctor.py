"""What is carried as it stands, and is probably not what was meant."""

import re
from collections import defaultdict

from platform_assets.declarations import Platform, Resource, SingleObject
from platform_assets.importing.findings import Findings
from platform_assets.importing.names import singular, snake_case

_CREATION = re.compile(r"(?:^|_)(?:created?|creation|inserted|added|add|opened|submitted|registered)(?:_|$)")


def examine(platform: Platform, findings: Findings) -> None:
    """Add what is suspicious about a platform as imported."""
    for resource in platform.resources:
        _cursor(resource, findings)
        _singular(platform, resource, findings)
    _same_list(platform, findings)


def is_creation_time(field: str) -> bool:
    """Whether a field says when a record was made: `created_at`, `dateCreated`, `add_time`."""
    return _CREATION.search(snake_case(field)) is not None


def _cursor(resource: Resource, findings: Findings) -> None:
    incremental = resource.endpoint.incremental
    if incremental is None:
        findings.assumed(resource.name, "incremental", "no cursor is declared: it is read in full each time")
        return
    if not is_creation_time(incremental.cursor_path):
        return
    if incremental.server_side:
        why = (
            "is when a record was made, so a read that begins there sees no record that changed later; `lag` or"
            " `reopen` read some of them again, the weekly full read all"
        )
    else:
        why = "is when a record was made: the table's freshness does not see an edit"
    findings.suspected(resource.name, "incremental", f"the cursor `{incremental.cursor_path}` {why}")


def _singular(platform: Platform, resource: Resource, findings: Findings) -> None:
    """A list that is called like one thing may be one thing."""
    last = [segment for segment in resource.endpoint.path.split("/") if segment][-1:]
    words = [snake_case(word).rpartition("_")[2] for word in (resource.name, *last) if not word.startswith("{")]
    if isinstance(platform.paginator_of(resource), SingleObject) or any(singular(word) != word for word in words):
        return
    findings.suspected(
        resource.name,
        "paginator",
        "is called like one thing, and read as a list; if the API answers with one object, it is `SingleObject()`",
    )


def _same_list(platform: Platform, findings: Findings) -> None:
    lists: dict[object, list[str]] = defaultdict(list)
    for resource in platform.resources:
        endpoint = resource.endpoint
        asked = (endpoint.path, platform.data_selector_of(resource), repr(sorted(endpoint.params.items())))
        body = repr((endpoint.json, endpoint.data, endpoint.headers))
        lists[(*asked, body, repr(endpoint.envelope))].append(resource.name)
    for names in lists.values():
        for name in names[1:]:
            findings.suspected(
                name,
                "endpoint.path",
                f"is the same request as that of {names[0]}: both tables would have the same rows; a parameter or"
                " filter that tells them apart is missing",
            )
