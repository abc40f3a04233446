"""Decoders of a retriever as formats of responses."""

import codecs
from collections.abc import Mapping
from typing import Any

from platform_assets.declarations.response_format import (
    Csv,
    Gzip,
    Json,
    JsonLines,
    Lines,
    ResponseFormat,
    Xml,
    Zip,
    inner_format,
    is_list,
    response_format_problems,
)
from platform_assets.declarations.selectors import selector_of
from platform_assets.importing.manifest.texts import NotCarried, is_template

# Formats without numbers and bools.
_TEXTS_ONLY = (Csv, Lines, Xml)
_ESCAPES = {"\\t": "\t"}


def convert_decoder(decoder: Any) -> ResponseFormat | None:
    """The format of a decoder's bodies; None for JSON. Raises NotCarried."""
    found = _format(decoder)
    return None if found == Json() else found


def within(response_format: ResponseFormat | None, decoder: Any, selector: str) -> str:
    """The path to the records in a decoder's bodies, of the path that its extractor has. Raises NotCarried."""
    items = decoder.get("items_path") if isinstance(decoder, Mapping) else None
    if items and is_json_items(decoder):
        found = selector_of(str(items).split(".")) or ""
        return f"{found}.*.{selector}" if selector else found
    if response_format is None or not is_list(response_format) or not selector:
        return selector
    if not isinstance(inner_format(response_format), JsonLines):
        raise NotCarried(f"`field_path` {selector!r} leads to a text of a row")
    return f"*.{selector}"


def is_json_items(decoder: Mapping[str, Any]) -> bool:
    return decoder.get("type") == "JsonItemsDecoder"


def of_texts(columns: Mapping[str, str], response_format: ResponseFormat | None) -> dict[str, str]:
    """Columns for records of a format: `text` for numbers and bools that it does not have."""
    if response_format is None or not isinstance(inner_format(response_format), _TEXTS_ONLY):
        return dict(columns)
    return {name: "text" if kind in ("bigint", "double", "bool") else kind for name, kind in columns.items()}


def _format(decoder: Any) -> ResponseFormat:
    kind = decoder.get("type") if isinstance(decoder, Mapping) else None
    match kind:
        case None | "JsonDecoder" | "JsonItemsDecoder" | "JsonParser":
            _refuse_other_encodings(decoder)
            return Json()
        case "JsonlDecoder" | "JsonLineParser":
            _refuse_other_encodings(decoder)
            return JsonLines()
        case "IterableDecoder":
            return Lines()
        case "XmlDecoder":
            return Xml()
        case "CsvDecoder" | "CsvParser":
            return _csv(decoder)
        case "CompositeRawDecoder":
            return _format(decoder.get("parser"))
        case "GzipDecoder" | "GzipParser":
            inner = _format(decoder.get("decoder") or decoder.get("inner_parser"))
            # One within another is for servers that do not say that a body is gzipped (amazon_ads): it is so once.
            if isinstance(inner, Zip):
                raise NotCarried("an archive in a gzipped file is not in our vocabulary")
            return inner if isinstance(inner, Gzip) else Gzip(of=inner)
        case "ZipfileDecoder":
            inner = _format(decoder.get("decoder"))
            if isinstance(inner, Gzip | Zip):
                raise NotCarried("an archive of archives is not in our vocabulary")
            return Zip(of=inner)
    if kind == "CustomDecoder":
        raise NotCarried(f"the decoder `{decoder.get('class_name')}` is Python, which is never run")
    raise NotCarried(f"bodies for `{decoder.get('class_name', kind)}` are not in our vocabulary")


def _refuse_other_encodings(decoder: Any) -> None:
    encoding = decoder.get("encoding") if isinstance(decoder, Mapping) else None
    try:
        # By Python's names, as the CDK has them: `utf` is UTF-8 (amazon_ads).
        found = codecs.lookup(str(encoding or "utf-8")).name
    except LookupError:
        found = None
    if found not in ("utf-8", "ascii"):
        raise NotCarried(f"JSON in `{encoding}` is not in our vocabulary")


def _csv(decoder: Mapping[str, Any]) -> Csv:
    delimiter, encoding = decoder.get("delimiter") or ",", decoder.get("encoding") or "utf-8"
    nulls = decoder.get("set_values_to_none") or ()
    if any(not isinstance(one, str) or is_template(one) for one in (delimiter, encoding, *nulls)):
        raise NotCarried("the form of the CSV is computed")
    found = Csv(delimiter=_ESCAPES.get(delimiter, delimiter), encoding=encoding, null_values=tuple(nulls))
    for problem in response_format_problems(found):
        raise NotCarried(problem)
    return found
