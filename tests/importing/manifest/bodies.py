"""Bodies that are not JSON, as the vendor's API writes them, and the decoders that read them."""

import csv
import gzip
import io
import json
from typing import Any

from tests.servers.http_server import Reply

Json = dict[str, Any]

ROWS: list[Json] = [{"id": number, "name": f"Row {number} ü", "price": {"net": number / 4}} for number in range(1, 12)]
# What of them is the same where everything is a text; the second has no name.
TEXTS: list[Json] = [
    {
        "id": str(one["id"]),
        "name": None if one["id"] == 2 else f'{one["name"]};"a",\n-',
        "net": str(one["price"]["net"]),
    }
    for one in ROWS
]
LINES: list[Json] = [{"record": one["name"]} for one in ROWS]
_XML_ROWS = [{"id": one["id"], "net": one["net"]} for one in TEXTS]


def written(kind: str) -> Reply:
    """The reply of the API at `/v1/written/<kind>`."""
    name, _, packing = kind.partition(".")
    content = {"jsonl": _lines, "nested": _nested, "lines": _names, "csv": _csv, "semicolons": _semicolons, "xml": _xml}
    found = json.dumps({"items": ROWS}).encode() if name == "json" else content[name]()
    return Reply(
        gzip.compress(found) if packing == "gz" else found, headers={"Content-Type": "application/octet-stream"}
    )


def _lines() -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in ROWS)


def _nested() -> bytes:
    return b"\n".join(json.dumps({"row": one}).encode() for one in ROWS)


def _names() -> bytes:
    return "".join(f"{one['name']}\r\n" for one in ROWS).encode()


def _csv(delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(TEXTS[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows({**one, "name": one["name"] or "NULL"} for one in TEXTS)
    return text.getvalue().encode(encoding)


def _semicolons() -> bytes:
    return _csv(";", "iso-8859-1")


def _xml() -> bytes:
    rows = "".join(f"<row><id>{one['id']}</id><net>{one['net']}</net></row>" for one in _XML_ROWS)
    return f'<?xml version="1.0" encoding="UTF-8"?><answer><rows count="11">{rows}</rows></answer>'.encode()


_CSV = {"type": "CsvDecoder", "set_values_to_none": ["NULL"]}
_GZIPPED = {"type": "GzipDecoder", "decoder": _CSV}

# Name -> the body's kind, the decoder, the path of the records, and the rows.
WRITTEN: dict[str, tuple[str, Json, list[str], list[Json]]] = {
    "JSON lines": ("jsonl", {"type": "JsonlDecoder"}, [], ROWS),
    "objects in JSON lines": ("nested", {"type": "JsonlDecoder"}, ["row"], ROWS),
    "CSV": ("csv", _CSV, [], TEXTS),
    "CSV with semicolons": ("semicolons", {**_CSV, "delimiter": ";", "encoding": "iso-8859-1"}, [], TEXTS),
    "gzipped CSV": ("csv.gz", _GZIPPED, [], TEXTS),
    "CSV that is not gzipped after all": ("csv", _GZIPPED, [], TEXTS),
    "gzipped JSON": ("json.gz", {"type": "GzipDecoder", "decoder": {"type": "JsonDecoder"}}, ["items"], ROWS),
    "gzipped JSON lines": ("jsonl.gz", {"type": "GzipDecoder", "decoder": {"type": "JsonlDecoder"}}, [], ROWS),
    "items of a JSON body": ("json", {"type": "JsonItemsDecoder", "items_path": "items"}, [], ROWS),
    "XML": ("xml", {"type": "XmlDecoder"}, ["answer", "rows", "row"], _XML_ROWS),
}
