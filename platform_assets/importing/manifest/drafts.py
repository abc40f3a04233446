"""Streams that are read one by one, and what all of them share: address, credential, clock, columns for children."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from platform_assets.declarations import Auth, BearerAuth, Endpoint, NoAuth, Resource, Template
from platform_assets.importing.findings import Findings
from platform_assets.importing.parents import say_orphans

WHOLE = "the whole resource"


@dataclass(frozen=True)
class Draft:
    """One stream, before what all streams share is known.

    Attributes:
        base_url: None if a setting must say.
        auth: None if the stream's credential cannot be carried.
        options: other credentials that may be used instead of it, by name.
        untyped: fields whose type nobody declared.
    """

    resource: Resource
    base_url: str | Template | None
    auth: Auth | None
    options: tuple[tuple[str, Auth], ...]
    parents: frozenset[str]
    untyped: tuple[str, ...]
    is_epoch: bool | None


def without_orphans(drafts: Sequence[Draft], findings: Findings) -> list[Draft]:
    """Without children whose parent is not there."""
    orphans = say_orphans({one.resource.name: one.parents for one in drafts}, findings)
    return [one for one in drafts if one.resource.name not in orphans]


def one_base_url(drafts: Sequence[Draft], findings: Findings) -> tuple[str | Template | None, list[Draft]]:
    """The address of most streams, and the streams without those whose own address nobody can say."""
    base_url = Counter(one.base_url for one in drafts).most_common(1)[0][0]
    if base_url is None:
        return None, list(drafts)
    for one in drafts:
        if one.base_url is None:
            findings.not_carried(one.resource.name, WHOLE, "its address is computed from a credential, others' is not")
    return base_url, without_orphans([one for one in drafts if one.base_url is not None], findings)


def most_common_auth(drafts: Sequence[Draft]) -> Auth:
    """The credential of most streams that have one."""
    said = [one.auth for one in drafts if one.auth is not None and not isinstance(one.auth, NoAuth)]
    if not said:
        return BearerAuth() if any(one.auth is None for one in drafts) else NoAuth()
    return max(said, key=said.count)


def with_own_auth(draft: Draft, auth: Auth) -> Draft:
    """With the stream's credential on its endpoint, if it is not that of most; one that is not known is theirs."""
    if draft.auth in (None, auth):
        return draft
    return replace(draft, resource=replace(draft.resource, endpoint=replace(draft.resource.endpoint, auth=draft.auth)))


def chosen_endpoints(resources: Sequence[Resource], drafts: Sequence[Draft], option: str) -> dict[str, Endpoint]:
    """Endpoints with a credential of their own, where a choice of the user changes it too."""
    chosen = {one.resource.name: dict(one.options).get(option) for one in drafts}
    return {
        one.name: replace(one.endpoint, auth=own)
        for one in resources
        if one.endpoint.auth is not None and (own := chosen[one.name]) is not None
    }


def one_clock(drafts: Sequence[Draft]) -> tuple[list[Draft], bool]:
    """The drafts, those with the rarer form of times saying so, and whether most have seconds since 1970."""
    said = [one.is_epoch for one in drafts if one.is_epoch is not None]
    is_epoch = bool(said) and said.count(True) > said.count(False)
    return [one if one.is_epoch in (None, is_epoch) else _with_clock(one) for one in drafts], is_epoch


def _with_clock(draft: Draft) -> Draft:
    endpoint = replace(draft.resource.endpoint, epoch_times=draft.is_epoch)
    return replace(draft, resource=replace(draft.resource, endpoint=endpoint))


def with_columns(drafts: Sequence[Draft]) -> list[Draft]:
    """With the fields that children take path values from among the parents' columns."""
    needed: dict[str, dict[str, str]] = {}
    for one in drafts:
        for resolve in one.resource.endpoint.parents.values():
            field, *inside = resolve.field.split(".")
            needed.setdefault(resolve.resource, {})[field] = "json" if inside else "text"
    return [
        replace(
            one, resource=replace(one.resource, columns={**needed.get(one.resource.name, {}), **one.resource.columns})
        )
        for one in drafts
    ]


def placed(draft: Draft, base_url: str | Template | None) -> Resource:
    """The resource with its address, if that is another one than the platform's."""
    if draft.base_url == base_url:
        return draft.resource
    return replace(draft.resource, endpoint=replace(draft.resource.endpoint, base_url=draft.base_url))
