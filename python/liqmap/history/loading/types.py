"""Types shared by the steps of a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict
    from contextlib import AbstractContextManager
    from os import PathLike
    from pathlib import Path

    import duckdb

    from liqmap._base.timestamps import Instant
    from liqmap.history.column_limits import Table
    from liqmap.history.loading.field_sql import Check
    from liqmap.history.loading.mapping import FileMapping, TargetTable
    from liqmap.venues.payload import Cell

__all__ = ["HistoryWriter", "LoadOptions", "MappingMatch", "OpenedFile", "SourceFile", "StagedRows", "VenueRows"]


class HistoryWriter(Protocol):
    """A history opened for writing, as far as a load uses it."""

    @property
    def path(self) -> Path | str:
        """The DuckDB file, or ``:memory:``."""

    def transaction(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A transaction that is committed at the end of the block and rolled back after an error."""

    def reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection for reading."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file with rows: the loaded file itself, or an unpacked member of an archive.

    Attributes:
        where: Path as given by the caller, with ``!member`` inside an archive.
        name: File name without folder.
        member: Name of the member inside an archive.
        path: Path of the unpacked file.
        kind: ``csv``, ``parquet`` or ``json``.
        first_row: Cells of the first row of a CSV file; column names of a Parquet file; fields of the table for JSON.
        lacks_final_newline: Whether there is no newline after the last row.
        size: Bytes.
        venue_rows: Rows of a JSON file.
    """

    where: str
    name: str
    member: str | None
    path: Path
    kind: Literal["csv", "parquet", "json"]
    first_row: tuple[str, ...]
    lacks_final_newline: bool
    size: int
    venue_rows: VenueRows | None = None

    @property
    def first_row_is_data(self) -> bool:
        """Whether the first row contains values and not column names, judged by the share of numbers."""
        return self.kind == "csv" and sum(map(_is_number, self.first_row)) * 2 >= len(self.first_row)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file to load: one source, or the members of an archive."""

    where: str
    sha256: str
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class VenueRows:
    """The rows of a file with venue JSON.

    Attributes:
        schema: Name of the document schema.
        table: Table of the rows.
        rows: Cells as text, in the order of the table's columns.
        record_numbers: Per row: number of its record in the file, from 1.
        record_paths: Per row: path of its record in the file.
        snapshots: Account, source and time of every document, including documents without positions.
        left_out: Number of skipped records.
        notes: Reasons for skipped records.
    """

    schema: str
    table: str
    rows: tuple[tuple[Cell, ...], ...]
    record_numbers: tuple[int, ...]
    record_paths: tuple[str, ...]
    snapshots: tuple[tuple[str, str, str], ...]
    left_out: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Arguments of a load; account and time are for venue JSON that lacks them (see :func:`.load.load_file`)."""

    table: str | None = None
    instrument: str | None = None
    mapping: str | PathLike[str] | None = None
    columns: Dict[str, Any] | None = None
    account: str | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class MappingMatch:
    """The mapping of a file, and the file's columns.

    Attributes:
        mapping: The mapping.
        columns: Columns of the file in order, named by its header or by the mapping.
        header: Whether the first row is a header.
    """

    mapping: FileMapping
    columns: tuple[str, ...]
    header: bool


@dataclass(frozen=True, slots=True)
class StagedRows:
    """Rows of one target in a temporary table.

    Attributes:
        name: Name of the temporary table. Its columns are ``row_index`` (from 0), the fields of the table,
            ``failed_check`` (NULL: valid, 0: blank, otherwise the number of the first failed check, from 1) and
            ``time_unit``, the code of the unit of its time.
        table: Table of the rows.
        target: Target of the mapping that produced the rows.
        checks: The checks in order; number ``n`` is ``checks[n − 1]``.
        rows: Number of rows when staged.
        time_column: Index of the file's column with the time, if there is one.
        aggregated: Whether the rows were aggregated, so that they no longer correspond to rows of the file.
    """

    name: str
    table: Table
    target: TargetTable
    checks: tuple[Check, ...]
    rows: int
    time_column: int | None = None
    aggregated: bool = False


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell in ("true", "false", "True", "False")
    return True
