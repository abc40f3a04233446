"""Fields whose names begin with an underscore, as templates here ask for them: `response['_links']`.

The CDK's templates may say `response._links`. Here an attribute of such a name is refused wherever it stands, since
Python's internals are called so; an item is data, or nothing.
"""

from platform_assets.importing.manifest.expressions import joined, pieces_of


def as_items(text: str) -> str:
    """The template with `x['_y']` in place of `x._y` in its expressions; unchanged if it is none."""
    if "._" not in text:
        return text
    pieces = pieces_of(text)
    if pieces is None:
        return text
    found: list[str] = []
    for place, piece in enumerate(pieces):
        following = pieces[place + 1 : place + 2]
        if piece.text == "." and piece.kind == "operator" and _is_private(following[0].text if following else ""):
            continue
        is_attribute = place > 0 and pieces[place - 1].text == "." and pieces[place - 1].kind == "operator"
        found.append(f"[{piece.text!r}]" if is_attribute and _is_private(piece.text) else joined([piece]))
    return "".join(found)


def _is_private(name: str) -> bool:
    return name.startswith("_") and name.isidentifier()
