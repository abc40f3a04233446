"""Names as tables and settings have them."""

import re

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def snake_case(text: str) -> str:
    """`mailThreads` -> `mail_threads`; begins with a letter, empty only for a text without letters and digits."""
    name = _OTHER.sub("_", _BOUNDARY.sub("_", text).lower()).strip("_")
    return f"n{name}" if name[:1].isdigit() else name


def singular(text: str) -> str:
    """`organizations` -> `organization`, `companies` -> `company`; good enough to compare names."""
    if text.endswith("ies") and len(text) > 4:
        return text[:-3] + "y"
    if text.endswith(("sses", "xes", "ches", "shes")):
        return text[:-2]
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text
