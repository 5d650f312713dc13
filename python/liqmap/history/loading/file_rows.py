"""The rows of a file as DuckDB reads them: every cell as text, every row with its line number."""

from __future__ import annotations

import glob
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from liqmap._base.errors import InputError
from liqmap.history.loading.account_hashes import REDACTED
from liqmap.history.loading.field_sql import quote_literal, text_column
from liqmap.history.loading.load_report import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap.history.loading.types import MappingMatch, SourceFile, VenueRows

__all__ = ["FileRows", "with_column_names"]

_CSV_ERROR_LINE = re.compile(r"CSV Error on Line: (\d+)")


def with_column_names(connection: duckdb.DuckDBPyConnection, source: SourceFile) -> SourceFile:
    """Add the column names of a Parquet file; return other sources unchanged.

    Raises:
        InputError: The Parquet file is damaged.
    """
    if source.kind != "parquet":
        return source
    return replace(source, first_row=tuple(name for name, _ in _parquet_columns(connection, source)))


def _parquet_columns(connection: duckdb.DuckDBPyConnection, source: SourceFile) -> list[tuple[str, str]]:
    try:
        path = glob.escape(str(source.path))
        rows = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [path]).fetchall()
    except duckdb.Error as error:
        raise _damaged_parquet(source, error) from None
    return [(str(r[0]), str(r[1])) for r in rows]


def _damaged_parquet(source: SourceFile, error: duckdb.Error) -> InputError:
    found = f"damaged Parquet ({source.size:,} bytes): {str(error).splitlines()[0]}"
    return InputError("load", source.where, found, "a whole Parquet file", "nothing stored")


class FileRows:
    """The rows of one source with its mapping.

    Args:
        connection: Connection inside the load's transaction.
        source: The file, or one member of an archive.
        match: Its columns and mapping.
        lenient: Whether rows that cannot be split into columns become rejects instead of an error.

    Attributes:
        sql: Table expression with the columns ``text_0``, ``text_1``, … in the order of the file.
        iso_columns: Indices of Parquet columns of a timestamp type, which are converted to ISO 8601 text.
        malformed: Rows that could not be split into columns.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: SourceFile, match: MappingMatch, *, lenient: bool
    ) -> None:
        self._connection = connection
        self._source = source
        self._match = match
        self.iso_columns: frozenset[int] = frozenset()
        self.malformed: tuple[Reject, ...] = ()
        if source.kind == "parquet":
            self.sql = self._parquet()
            return
        if source.venue_rows is not None:
            self.sql = self._venue_rows_table(source.venue_rows)
            return
        self.malformed = self._find_malformed() if lenient else ()
        self.sql = self._csv("ignore_errors=true" if lenient else "ignore_errors=false")

    def _csv(self, option: str) -> str:
        names = ", ".join(f"'{text_column(i)}': 'VARCHAR'" for i in range(len(self._match.columns)))
        path = quote_literal(glob.escape(str(self._source.path)))
        header = str(self._match.header).lower()
        return (
            f"read_csv({path}, auto_detect=false, header={header}, delim=',', quote='\"', escape='\"', "
            f"columns={{{names}}}, {option})"
        )

    def _parquet(self) -> str:
        cells, iso = [], []
        for i, (name, kind) in enumerate(_parquet_columns(self._connection, self._source)):
            quoted = '"' + name.replace('"', '""') + '"'
            if kind.startswith("TIMESTAMP"):
                iso.append(i)
                quoted = f"strftime(make_timestamp(epoch_us({quoted})), '%Y-%m-%dT%H:%M:%S.%f')"
            cells.append(f"CAST({quoted} AS VARCHAR) AS {text_column(i)}")
        self.iso_columns = frozenset(iso)
        return f"(SELECT {', '.join(cells)} FROM read_parquet({quote_literal(glob.escape(str(self._source.path)))}))"

    def _venue_rows_table(self, venue_rows: VenueRows) -> str:
        """Store the rows of venue JSON in a temporary table, column by column, because row by row takes minutes."""
        columns = [list(column) for column in zip(*venue_rows.rows, strict=True)] or [[] for _ in self._match.columns]
        cells = ", ".join(f"unnest(${i + 1}::VARCHAR[]) AS {text_column(i)}" for i in range(len(columns)))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE venue_rows AS SELECT {cells}", columns)
        return "venue_rows"

    def _find_malformed(self) -> tuple[Reject, ...]:
        """Find rows with too few or too many cells or an unterminated quote."""
        counted = ", ".join(f"count({text_column(i)})" for i in range(len(self._match.columns)))
        self._connection.execute(f"SELECT {counted} FROM {self._csv('store_rejects=true')}").fetchall()
        errors = self._connection.execute(
            "SELECT line, any_value(csv_line), any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line"
        ).fetchall()
        self._connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        secret = any("account" in target.fields for target in self._match.mapping.targets)
        return tuple(
            Reject(self._source.member, int(n), "row", REDACTED if secret else str(text), str(why).splitlines()[0])
            for n, text, why in errors
        )

    def line_number(self, row: int) -> int:
        """Convert a row index to a line number: 1-based, counting the header and malformed rows."""
        if self._source.venue_rows is not None:
            return self._source.venue_rows.record_numbers[row]
        line = row + 1 + (self._source.kind == "csv" and self._match.header)
        for reject in self.malformed:
            line += reject.row <= line
        return line

    def field_label(self, row: int, field: str) -> str:
        """Return the name of a field, preceded by the path of the record in venue JSON."""
        return field if self._source.venue_rows is None else f"{self._source.venue_rows.record_paths[row]} {field}"

    def cell_texts(self, rows: Sequence[int], column: int) -> dict[int, str | None]:
        """Return the cells of a column as text, by row index."""
        text = text_column(column)
        found = self._connection.execute(
            f"SELECT row_index, {text} FROM (SELECT row_number() OVER () - 1 AS row_index, {text} FROM {self.sql}) "
            "WHERE list_contains($1, row_index)",
            [list(rows)],
        ).fetchall()
        return {int(row): None if cell is None else str(cell) for row, cell in found}

    def read_error(self, error: duckdb.Error) -> InputError:
        """Convert an error of DuckDB for an unreadable file."""
        if self._source.kind == "parquet":
            return _damaged_parquet(self._source, error)
        text = str(error).strip()
        match = _CSV_ERROR_LINE.search(text)
        lines = text.splitlines()
        found = next((s for s in lines if s.startswith(("Expected Number", "Value with", "Maximum line"))), lines[0])
        found = found.replace("Expected Number of Columns", "columns expected").replace("Found", "found")
        row = int(match[1]) if match else None
        expected = f"{len(self._match.columns)} cells in every row"
        return InputError("load", self._source.where, found, expected, "nothing stored", row=row)
