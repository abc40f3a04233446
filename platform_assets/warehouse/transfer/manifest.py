"""What an exported platform is: a folder with a Parquet file per table, and `manifest.json`, which is written last.

The manifest says what the files must hold, so that one that is damaged, cut off or missing is noticed before anything
is written. All files are readable by their owner only: they hold the rows.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.warehouse.errors import WarehouseError

NAME = "manifest.json"
# Raised when a file of this release could not be read by an earlier one.
FORMAT = 1
_BLOCK = 1 << 20


class TransferError(WarehouseError):
    """An export that cannot be written, or not be imported here."""


@dataclass(frozen=True)
class TableFile:
    """One table.

    Attributes:
        table: its name, as in the warehouse that it is from.
        columns: column -> dlt data type, in the order of the file.
        rows: how many the file has.
        row_bytes: average width of a row in memory.
        size: of the file, in bytes.
        sha256: of the file, as hex.
    """

    table: str
    columns: Mapping[str, str]
    rows: int
    row_bytes: int
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.table}.parquet"

    @property
    def is_of_rows(self) -> bool:
        """Whether it is the table of a resource, not one of our own or of dlt's."""
        return not self.table.startswith(("_sync_", "_dlt_"))


@dataclass(frozen=True)
class Manifest:
    """One platform as of one moment.

    Attributes:
        version: of our own tables; see warehouse/migrations.py.
        exported_at: ISO 8601, UTC.
        release: version of the package that wrote it.
        schema: dlt's schema of the tables, as dlt stores it.
        tables: the tables of rows, and our own.
    """

    platform: str
    version: int
    exported_at: str
    release: str
    schema: Mapping[str, Any]
    tables: tuple[TableFile, ...]

    @property
    def rows(self) -> int:
        """Rows of the resources, soft-deleted ones included, without those of our own tables and dlt's."""
        return sum(table.rows for table in self.tables if table.is_of_rows)

    @property
    def size(self) -> int:
        """Bytes of all tables' files."""
        return sum(table.size for table in self.tables)

    def write(self, folder: Path) -> None:
        """Write it beside the tables' files."""
        document = {"format": FORMAT, **asdict(self)}
        text = json.dumps({**document, "sha256": _digest(document)}, indent=1)
        with new_file(folder / NAME) as file:
            file.write(text.encode())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest in a folder. Raises TransferError if it cannot be read or is not what was written."""
        path = folder / NAME
        try:
            document = json.loads(path.read_bytes())
            found = document.pop("format")
            digest = document.pop("sha256")
            if found > FORMAT:
                raise TransferError(
                    f"{path} was written by a newer release (format {found}, this release reads {FORMAT})"
                )
            if digest != _digest({"format": found, **document}):
                raise TransferError(f"{path} is damaged: its checksum is another one")
            document["tables"] = tuple(TableFile(**table) for table in document["tables"])
            manifest = cls(**document)
            datetime.fromisoformat(manifest.exported_at)
        except OSError as error:
            raise TransferError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TransferError(f"{path} is damaged: it is not the manifest of an export") from None
        return manifest

    def check_files(self, folder: Path) -> None:
        """Raise TransferError for the first file that is not exactly the one that was written."""
        for table in self.tables:
            path = folder / table.file_name
            try:
                size, digest = file_digest(path)
                if (size, digest) != (table.size, table.sha256):
                    raise TransferError(f"{path} is damaged: it has {size} bytes, {table.size} were written")
                rows = pq.read_metadata(path).num_rows
            except OSError as error:
                raise TransferError(f"{path} cannot be read: {error.strerror or error}") from None
            except pa.ArrowException:
                raise TransferError(f"{path} is damaged: it is not a Parquet file") from None
            if rows != table.rows:
                raise TransferError(f"{path} is damaged: it has {rows} rows, {table.rows} were written")


def new_file(path: Path) -> BinaryIO:
    """A file to write that only its owner may read. Raises OSError if there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def file_digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file, a block at a time."""
    digest, size = sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _digest(document: Mapping[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
