"""XML documents as objects: `@name` for an attribute, `#text` for the text beside attributes or elements.

    <orders total="2"><order id="7">paid</order><order id="8"/></orders>
    {"orders": {"@total": "2", "order": [{"@id": "7", "#text": "paid"}, {"@id": "8"}]}}

The shape is that of the package xmltodict, which declarative connectors use: names keep their prefixes, white space
around texts is left out, comments are no values. Elements of one name become a list from the second one on.
"""

from typing import Any
from xml.parsers import expat

# As deep as JSON is read (lossless_json.py).
_DEEPEST = 254


def from_xml(content: bytes) -> dict[str, Any]:
    """The document as one object.

    Raises ValueError for what is no XML, is nested too deep, or declares entities: a few of them make gigabytes of
    text, or read files.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.EntityDeclHandler = _refuse_entity
    parser.UnparsedEntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_entity
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"not XML: {error}") from None
    return builder.document


def _refuse_entity(*_: object) -> int:
    raise ValueError("XML that declares entities, which is refused")


class _Builder:
    """Builds the object while the parser goes through the document.

    Attributes:
        document: what was built.
    """

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}
        # The elements that are open: what each holds so far, and the pieces of its text.
        self._open: list[tuple[dict[str, Any], list[str]]] = [(self.document, [])]

    def start(self, name: str, attributes: list[str]) -> None:
        if len(self._open) > _DEEPEST:
            raise ValueError("XML that is nested too deep")
        pairs = zip(attributes[0::2], attributes[1::2], strict=True)
        self._open.append(({f"@{attribute}": value for attribute, value in pairs}, []))

    def characters(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, name: str) -> None:
        held, pieces = self._open.pop()
        text = "".join(pieces).strip()
        if held and text:
            held["#text"] = text
        _put(self._open[-1][0], name, held or text or None)


def _put(holder: dict[str, Any], name: str, value: Any) -> None:
    if name not in holder:
        holder[name] = value
    elif isinstance(holder[name], list):
        holder[name].append(value)
    else:
        holder[name] = [holder[name], value]
