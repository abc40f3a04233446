"""Schemas in files beside a manifest, as old connectors have them: in its own folder, and nowhere else.

A connector's `spec.yaml` is one, too.
"""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from platform_assets.importing.manifest.measured import MAX_STREAM_DEPTH, Shared
from platform_assets.importing.manifest.plain_data import NotData, load_json, load_yaml
from platform_assets.importing.manifest.references import UnknownReference
from platform_assets.importing.values import TooLarge

MAX_FILE = 1_000_000
MAX_FILES = 20_000_000

_REF = "$ref"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,199}")


class UnreadableSchema(Exception):
    """A schema's file is not there, or may not be read; the text says which and why."""


class SchemaFiles:
    """Reads schemas, each once.

    Args:
        folder: of the manifest; None reads no file.
        shared: makes what is returned.
        named: what the manifest itself has for a stream under `schemas`; None if nothing.
    """

    def __init__(self, folder: Path | None, shared: Shared, named: Callable[[str], Any] = lambda _: None) -> None:
        self._folder = folder.resolve() if folder is not None else None
        self._named = named
        self._loaded: dict[Path, Any] = {}
        self._found: dict[tuple[Path, str], Any] = {}
        self._open: list[tuple[Path, str]] = []
        self._read = 0
        self._shared = shared

    def of_stream(self, name: str) -> Mapping[str, Any] | None:
        """The schema that is called like a stream; None if there is none that can be read."""
        named = self._named(name)
        if isinstance(named, Mapping):
            return named
        if not _NAME.fullmatch(name):
            return None
        try:
            return self.in_file(f"schemas/{name}.json")
        except UnreadableSchema:
            return None

    def in_file(self, reference: str) -> Mapping[str, Any]:
        """The schema in a file, with everything that it refers to in its place. Raises UnreadableSchema.

        Args:
            reference: path from the manifest's folder on, also through the package that the manifest is in
                (`./source_shop/schemas/orders.json`); may end with `#/part`.
        """
        path, _, part = reference.partition("#")
        found = self._at(self._place(path), part.strip("/"), 0)
        if not isinstance(found, Mapping):
            raise UnreadableSchema(f"`{_short(reference)}` is no JSON schema")
        return found

    def referred(self, reference: str) -> Any:
        """What a manifest's `$ref` to a file means. Raises UnknownReference."""
        try:
            return self.in_file(reference)
        except UnreadableSchema as error:
            raise UnknownReference(f"`$ref: {_short(reference)}`: {error}") from None

    def _place(self, written: str, beside: Path | None = None) -> Path:
        """The file that a path means. Raises UnreadableSchema if it is outside of the folder, or not there."""
        if self._folder is None or "://" in written or "\0" in written or len(written) > 1000:
            raise UnreadableSchema(f"`{_short(written)}` is no file in the manifest's folder")
        parts = [part for part in written.replace("\\", "/").split("/") if part not in ("", ".")]
        if ".." in parts or written.startswith(("/", "~")) or not parts:
            raise UnreadableSchema(f"`{_short(written)}` is not below the manifest's folder, and is not read")
        starts = [beside, self._folder] if beside is not None else [self._folder]
        tried = [(start, parts[skip:]) for start in starts for skip in range(min(2, len(parts)))]
        for start, left in tried:
            path = start.joinpath(*left)
            try:
                real = path.resolve(strict=True)
            except (OSError, RuntimeError, ValueError):
                continue
            if not real.is_relative_to(self._folder):
                raise UnreadableSchema(f"`{_short(written)}` leads out of the manifest's folder, and is not read")
            return real
        # Without its name: equal reasons of many streams are one line of the report.
        raise UnreadableSchema("the file is not beside the manifest")

    def _at(self, path: Path, part: str, depth: int) -> Any:
        key = (path, part)
        if key in self._found:
            return self._found[key]
        if key in self._open or depth > MAX_STREAM_DEPTH:
            raise UnreadableSchema(f"{path.name}: refers to itself")
        self._open.append(key)
        try:
            value = self._whole(path)
            for name in part.split("/") if part else ():
                if not isinstance(value, dict) or name not in value:
                    raise UnreadableSchema(f"{path.name}: has no `#/{_short(part)}`")
                value = value[name]
            found = self._resolved(value, path, depth)
        except TooLarge as error:
            raise UnreadableSchema(f"{path.name}: {error}") from None
        finally:
            self._open.pop()
        self._found[key] = found
        return found

    def _resolved(self, value: Any, path: Path, depth: int) -> Any:
        if depth > MAX_STREAM_DEPTH:
            raise TooLarge("it is nested too deep")
        if isinstance(value, list):
            return self._shared.list([self._resolved(part, path, depth + 1) for part in value])
        if not isinstance(value, dict):
            return value
        reference = value.get(_REF)
        if not isinstance(reference, str):
            return self._shared.mapping(
                {key: self._resolved(part, path, depth + 1) for key, part in value.items() if key != _REF}
            )
        file, _, part = reference.partition("#")
        other = self._place(file, path.parent) if file else path
        return self._at(other, part.strip("/"), depth + 1)

    def _whole(self, path: Path) -> Any:
        if path not in self._loaded:
            text = self._text(path)
            try:
                self._loaded[path] = load_yaml(text) if path.suffix in (".yaml", ".yml") else load_json(text)
            except NotData as error:
                raise UnreadableSchema(f"{path.name}: {error}") from None
        return self._loaded[path]

    def _text(self, path: Path) -> str:
        try:
            # A pipe would be waited for; a link that took the file's place meanwhile is not followed.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise UnreadableSchema(f"{path.name}: is no file")
                content = file.read(MAX_FILE + 1)
        except OSError as error:
            raise UnreadableSchema(f"{path.name}: {error.strerror or error}") from None
        self._read += len(content)
        if len(content) > MAX_FILE or self._read > MAX_FILES:
            raise UnreadableSchema(f"{path.name}: is too large to be a schema")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UnreadableSchema(f"{path.name}: is not UTF-8 text") from None


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
