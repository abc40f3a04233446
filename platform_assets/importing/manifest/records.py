"""Where a stream's records are, and which of them are kept."""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import Template
from platform_assets.declarations.selectors import selector_of
from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.texts import STATE, NotCarried, Texts, is_template


def convert_selector(selector: Any) -> str:
    """The path of an extractor. Raises NotCarried."""
    extractor = selector.get("extractor") if isinstance(selector, Mapping) else None
    extractor = extractor if isinstance(extractor, Mapping) else {}
    if extractor.get("type") != "DpathExtractor":
        name = extractor.get("class_name") or extractor.get("type")
        why = "is Python, which is never run" if extractor.get("class_name") else "is not in our vocabulary"
        raise NotCarried(f"the extractor `{name}` {why}")
    if extractor.get("record_expander"):
        raise NotCarried("`record_expander` is not in our vocabulary")
    path = extractor.get("field_path")
    path = [path] if isinstance(path, str) else path
    if not isinstance(path, list) or not all(isinstance(part, str | int) for part in path):
        raise NotCarried("`field_path` is no path")
    parts = [str(part) for part in path if str(part) != ""]
    found = selector_of(parts)
    if found is None or any(is_template(part) or part == "**" for part in parts):
        raise NotCarried(f"`field_path` {parts!r} is no path of plain names")
    return found


def convert_filter(selector: Any, texts: Texts, findings: Findings, name: str) -> Template | None:
    """The condition of a record filter; None without one. What cannot be carried lets more rows through."""
    given = selector.get("record_filter") if isinstance(selector, Mapping) else None
    if not isinstance(given, Mapping):
        return None
    if given.get("class_name"):
        findings.not_carried(name, "record_filter", f"`{given['class_name']}` is Python, which is never run")
        return None
    condition = given.get("condition")
    if not isinstance(condition, str) or not condition.strip():
        return None
    if STATE in condition:
        findings.assumed(name, "record_filter", "compares with the state of the last sync: every record is taken")
        return None
    text = condition if is_template(condition) else "{{ " + condition + " }}"
    try:
        return texts.template(texts.rewritten(text), CONTEXT | FUNCTIONS | CLOCKS, "record_filter")
    except NotCarried as error:
        findings.not_carried(name, "record_filter", str(error))
        return None


def filters_shaped(selector: Any, cursor: Mapping[str, Any]) -> bool:
    """Whether the filter comes after the transformations; by default where records are filtered by the cursor too."""
    given = selector.get("transform_before_filtering") if isinstance(selector, Mapping) else None
    return cursor.get("is_client_side_incremental") is True if given is None else given is True
