"""Values that the steps of a load exchange."""

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
    from liqmap.history.loading.field_sql import Check
    from liqmap.history.loading.mapping import Mapping, TargetTable
    from liqmap.history.tables import Table
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
    """One table of rows on disk, ready to be read.

    Attributes:
        where: The file as the caller named it, with ``!member`` inside an archive.
        name: The bare file name.
        member: The member's name inside an archive.
        path: The plain file to read.
        kind: ``csv``, ``parquet`` or ``json``.
        first_row: The cells of the first row; a Parquet file's column names; a payload's table's.
        ends_open: No line end after the last row.
        size: Bytes.
        payload: Of a JSON file: its rows.
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
        """Whether the first row looks like values rather than names."""
        return self.kind == "csv" and sum(map(_is_number, self.first_row)) * 2 >= len(self.first_row)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file and the tables in it: one, or an archive's members."""

    where: str
    sha256: str
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class VenueRows:
    """The rows of a JSON file.

    Attributes:
        shape: What the documents are called.
        table: Where the rows go.
        rows: Cells as text, in the order of the table's columns.
        numbers: Per row: which of the file's records it is, counted from 1.
        places: Per row: where it stands in the file.
        seen: Account, source and time of every document, whether it holds positions or not.
        left_out: Records that are no rows.
        notes: Why.
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
    """What the caller said about the file; the account and the time are for a venue's answer that lacks them."""

    table: str | None = None
    instrument: str | None = None
    mapping: str | PathLike[str] | None = None
    columns: Dict[str, Any] | None = None
    account: str | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class MappingMatch:
    """A file's columns as they stand, and the mapping that reads them.

    Attributes:
        columns: The file's columns in order, named by its header or by the mapping.
        header: Whether the first row is a header.
    """

    mapping: Mapping
    columns: tuple[str, ...]
    header: bool


@dataclass(frozen=True, slots=True)
class StagedRows:
    """One target's rows in a temporary table.

    Attributes:
        name: The temporary table: the row's number ``r``, the table's fields, ``fault`` (NULL: none, 0: blank, else the
            number of a fault) and ``unit``, the number of its time's unit.
        table: What its rows are.
        target: The mapping's part that made them.
        checks: What fault 1, 2, … mean.
        rows: How many there were.
        when: The file's column with the time, if one has it.
        reduced: Its rows are no longer the file's.
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
