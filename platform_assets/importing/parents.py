"""Parents that nobody declared, guessed from paths: `/v2/organizations/{org_slug}/pipelines`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from platform_assets.declarations import Resolve
from platform_assets.importing.findings import Findings
from platform_assets.importing.names import singular, snake_case

# Last words of placeholders that name a field of the parent.
_FIELD_WORDS = (
    "id",
    "slug",
    "key",
    "uuid",
    "guid",
    "name",
    "code",
    "number",
    "sha",
    "login",
    "username",
    "email",
    "ref",
)
# The field of a placeholder that names the object itself: `{project}`.
_ITSELF = "slug"


@dataclass(frozen=True)
class Listing:
    """A resource that could be a parent.

    Attributes:
        name: the resource's.
        path: with its placeholders.
    """

    name: str
    path: str

    @property
    def segments(self) -> list[str]:
        return [segment for segment in self.path.split("/") if segment]


@dataclass(frozen=True)
class _Guess:
    parent: str
    field: str
    why: str


def guess_parents(
    child: Listing, placeholders: Sequence[str], listings: Sequence[Listing], known: Mapping[str, Resolve]
) -> tuple[dict[str, Resolve], list[tuple[str, str]]]:
    """Placeholder -> where its value comes from, and (placeholder, why) of each guess.

    All values of a path come from one parent, the one of the last placeholder that has one, or from its own parents.

    Args:
        placeholders: those that nothing fills.
        listings: all resources.
        known: placeholders of other resources, for one that no list precedes.
    """
    guesses: dict[str, _Guess] = {}
    for name in placeholders:
        found = _guess(child, name, listings)
        if found is not None:
            guesses[name] = found
    parents = list(dict.fromkeys(guess.parent for guess in guesses.values()))
    # The nearest list is the parent; what stands before it is a field of its records.
    parent = parents[-1] if parents else None
    # A parent that has parents of its own has their values too.
    is_child = any(one.name == parent and "{" in one.path for one in listings)
    resolved: dict[str, Resolve] = {}
    reasons: list[tuple[str, str]] = []
    for name in placeholders:
        guess = guesses.get(name)
        if guess is not None and (guess.parent == parent or is_child):
            resolved[name] = Resolve(resource=guess.parent, field=guess.field)
            reasons.append((name, guess.why))
        elif parent is not None:
            resolved[name] = Resolve(resource=parent, field=_field_inside(name, parent))
            reasons.append((name, f"the parent `{parent}` has it as `{resolved[name].field}`"))
        elif name in known:
            resolved[name] = known[name]
            reasons.append(
                (name, f"as in the paths of other resources: `{known[name].field}` of `{known[name].resource}`")
            )
    return resolved, reasons


def _guess(child: Listing, placeholder: str, listings: Sequence[Listing]) -> _Guess | None:
    """The list that stands before a placeholder in the path, and its field."""
    segments = child.segments
    at = next((index for index, segment in enumerate(segments) if segment == "{" + placeholder + "}"), None)
    if not at:
        return None
    before = segments[:at]
    if before[-1].startswith("{"):
        return None
    # Plain lists first: a child is a parent only where nothing else is.
    others = [one for one in listings if one.segments[: len(segments)] != segments]
    others.sort(key=lambda one: one.path.count("{"))
    word = snake_case(before[-1])
    exact = [one for one in others if one.segments == before]
    named = [one for one in others if singular(one.name) == singular(word)]
    alike = [one for one in others if one.segments and singular(snake_case(one.segments[-1])) == singular(word)]
    candidates = exact or named or alike
    if not candidates:
        return None
    parent = candidates[0]
    how = f"its path is `{parent.path}`" if exact else f"it is called like `{before[-1]}`"
    return _Guess(parent.name, _field(placeholder, parent.name), f"the parent is `{parent.name}`, since {how}")


def _field(placeholder: str, parent: str) -> str:
    words = snake_case(placeholder).split("_")
    if words[-1] in _FIELD_WORDS:
        return words[-1]
    noun = "_".join(words)
    # `{project}` of projects is one itself; `{organization}` of projects is a field of one.
    return (
        _ITSELF
        if singular(noun) == singular(parent.rpartition("_")[2]) or singular(noun) == singular(parent)
        else f"{noun}.{_ITSELF}"
    )


def _field_inside(placeholder: str, parent: str) -> str:
    """The field of a parent's record for a value that no list precedes: `slug`, `owner.slug`, `owner_id`."""
    words = snake_case(placeholder).split("_")
    if words[-1] not in _FIELD_WORDS:
        return _field(placeholder, parent)
    return words[-1] if singular("_".join(words[:-1])) == singular(parent) else "_".join(words)


def say_guesses(
    resource: str, resolved: Mapping[str, Resolve], reasons: Sequence[tuple[str, str]], findings: Findings
) -> None:
    """A finding for every guess."""
    for name, why in reasons:
        field = resolved[name].field
        findings.assumed(
            resource, f"path {{{name}}}", f"its parent is declared nowhere; {why}, and the value its `{field}`"
        )


def say_orphans(parents: Mapping[str, Collection[str]], findings: Findings) -> set[str]:
    """The resources that cannot be read, since a parent is not there, or is left out for that; a finding for each.

    Args:
        parents: of each resource that is there.
    """
    kept = dict(parents)
    while orphan := next((name for name, own in kept.items() if not kept.keys() >= set(own)), None):
        missing = min(set(kept.pop(orphan)) - {*kept, orphan})
        findings.not_carried(orphan, "the whole resource", f"its parent `{missing}` is not there")
    return parents.keys() - kept.keys()
