"""A declaration that stands in `defs.yaml`, read as if it stood in a file of its own: errors have its lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster.components.resolved.errors import ResolutionException

from platform_assets.declarations import DeclarationError, MisspeltError, Platform
from platform_assets.declarations.errors import short_path
from platform_assets.platform_files.reader import parse_platform


def platform_in_yaml(context: dg.ResolutionContext, value: Any) -> Platform | None:
    """The platform of an attribute.

    From the file and not from `value`: Dagster's reader keeps no lines of values, and takes `{{ }}` for templates of
    its own.

    Args:
        context: knows the file, and where the attribute's key stands in it.
        value: the attribute as Dagster has read it.

    Raises ResolutionException, with file and line, for a declaration that cannot be used.
    """
    if value is None:
        return None
    position = None if context.source_position_tree is None else context.source_position_tree.lookup(context.path)
    text = None
    if position is not None and Path(position.filename).is_file():
        text = _value_at(Path(position.filename).read_text(encoding="utf-8"), position.start, context.path)
    if position is None or text is None:
        raise ResolutionException("`platform` is read from a defs.yaml; in Python it is a Platform")
    try:
        return parse_platform(text, position.filename)
    except MisspeltError as error:
        raise ResolutionException(f"{error.place}: {error.problem}") from None
    except DeclarationError as error:
        place = short_path(position.filename)
        raise ResolutionException(f"{place}:{error.line}: {error}" if error.line else f"{place}: {error}") from None


def _value_at(text: str, place: tuple[int, int], path: Sequence[str | int]) -> str | None:
    """The value in a file of YAML documents that is reached by the keys `path`, of which the last stands at `place`.

    On the lines on which it stands in the file, with nothing before and after it.

    Args:
        place: line and column, from 1; tells which of the documents is meant.
    """
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        key, value = None, document
        for step in path:
            entries = value.value if isinstance(value, yaml.MappingNode) else []
            key, value = next((entry for entry in entries if entry[0].value == step), (None, None))
        if key is None or value is None or (key.start_mark.line + 1, key.start_mark.column + 1) != place:
            continue
        start, end = value.start_mark, value.end_mark
        return "\n" * start.line + " " * start.column + text[start.index : end.index]
    return None
