"""A file's rows, typed and judged, in temporary tables: nothing touches the history yet."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from liqmap.errors import InputError
from liqmap.history.cells import UNIT_NAMES, Fault, Reading, literal, number_of, read_field, time_of, unit_of
from liqmap.history.mapping import Field
from liqmap.history.report import Reject
from liqmap.history.tables import SQL_TYPE, TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap.history.layout import Layout
    from liqmap.history.mapping import Target
    from liqmap.history.source import Source
    from liqmap.instruments import Instrument

__all__ = ["Staged", "Staging", "name_columns"]

_LINE = re.compile(r"CSV Error on Line: (\d+)")
_VALUES = ("price", "positive", "amount", "signed", "fraction")
BLANK = 0


@dataclass(frozen=True, slots=True)
class Staged:
    """One target's rows in a temporary table.

    Attributes:
        name: The temporary table: the row's number ``r``, the table's fields, ``fault`` (NULL: none, 0: blank, else the
            number of a fault) and ``unit``, the number of its time's unit.
        table: What its rows are.
        target: The mapping's part that made them.
        faults: What fault 1, 2, … mean.
        rows: How many there were.
        reduced: Its rows are no longer the file's.
    """

    name: str
    table: Table
    target: Target
    faults: tuple[Fault, ...]
    rows: int
    reduced: bool = False


def name_columns(connection: duckdb.DuckDBPyConnection, source: Source) -> Source:
    """The source with its Parquet column names; a CSV as it is.

    Raises:
        InputError: Damaged Parquet.
    """
    if source.kind == "csv":
        return source
    return replace(source, first_row=tuple(name for name, _ in _parquet_columns(connection, source)))


def _parquet_columns(connection: duckdb.DuckDBPyConnection, source: Source) -> list[tuple[str, str]]:
    try:
        path = glob.escape(str(source.path))
        rows = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [path]).fetchall()
    except duckdb.Error as error:
        raise _damaged_parquet(source, error) from None
    return [(str(r[0]), str(r[1])) for r in rows]


def _damaged_parquet(source: Source, error: duckdb.Error) -> InputError:
    found = f"damaged Parquet ({source.size:,} bytes): {str(error).splitlines()[0]}"
    return InputError("load", source.where, found, "a whole Parquet file", "nothing stored")


class Staging:
    """Reads one source under one layout into temporary tables.

    Args:
        connection: Inside the load's transaction.
        source: The file, or one member of an archive.
        layout: Its columns and mapping.
        latest: The latest time that is believed, UTC microseconds.
        lenient: Keep rows that cannot be split into columns as rejects, rather than stop at the first.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: Source, layout: Layout, *, latest: int, lenient: bool
    ) -> None:
        self.connection = connection
        self.source = source
        self.layout = layout
        self._latest = latest
        self._iso_columns: frozenset[int] = frozenset()
        self._rows = self._parquet_rows() if source.kind == "parquet" else self._csv_rows(lenient=False)
        self.torn: tuple[Reject, ...] = ()
        if lenient and source.kind == "csv":
            self.torn = self._torn_rows()
            self._rows = self._csv_rows(lenient=True)

    def _csv_rows(self, *, lenient: bool) -> str:
        names = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.layout.columns)))
        path = literal(glob.escape(str(self.source.path)))
        return (
            f"read_csv({path}, auto_detect=false, header={str(self.layout.header).lower()}, delim=',', quote='\"', "
            f"escape='\"', columns={{{names}}}, ignore_errors={str(lenient).lower()})"
        )

    def _parquet_rows(self) -> str:
        cells, iso = [], []
        for i, (name, kind) in enumerate(_parquet_columns(self.connection, self.source)):
            quoted = '"' + name.replace('"', '""') + '"'
            if kind.startswith("TIMESTAMP"):
                iso.append(i)
                quoted = f"strftime(make_timestamp(epoch_us({quoted})), '%Y-%m-%dT%H:%M:%S.%f')"
            cells.append(f"CAST({quoted} AS VARCHAR) AS c{i}")
        self._iso_columns = frozenset(iso)
        path = literal(glob.escape(str(self.source.path)))
        return f"(SELECT {', '.join(cells)} FROM read_parquet({path}))"

    def _torn_rows(self) -> tuple[Reject, ...]:
        """Rows that are no rows: too few or too many cells, a quote that never ends."""
        counted = ", ".join(f"count(c{i})" for i in range(len(self.layout.columns)))
        rows = self._csv_rows(lenient=False).removesuffix(", ignore_errors=false)") + ", store_rejects=true)"
        self.connection.execute(f"SELECT {counted} FROM {rows}").fetchall()
        errors = self.connection.execute(
            "SELECT line, any_value(csv_line), any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line"
        ).fetchall()
        self.connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        return tuple(
            Reject(self.source.member, int(n), "row", str(text), str(why).splitlines()[0]) for n, text, why in errors
        )

    def line(self, row: int) -> int:
        """The file's row of a staged row: counted from 1, with the header and with the rows that were torn."""
        line = row + 1 + (self.source.kind == "csv" and self.layout.header)
        for torn in self.torn:
            line += torn.row <= line
        return line

    def stage(self, index: int, target: Target, instrument: Instrument | None, name: str | None) -> Staged:
        """Type and judge the rows for one target.

        Args:
            index: Number of the target.
            target: The target.
            instrument: The rows' instrument where it is one and known.
            name: Its name; ``None`` where the file has a column for it.

        Raises:
            InputError: A row that cannot be split, or a unit that cannot be turned.
        """
        table = TABLES[target.table]
        readings = self._readings(table, target, instrument, name)
        staged = f"stage_{index}"
        faults = self._faults(table, target, readings)
        sql = f"CREATE OR REPLACE TEMP TABLE {staged} AS {self._select(table, readings, faults)}"
        try:
            self.connection.execute(sql)
        except duckdb.FatalException:
            raise
        except duckdb.Error as error:
            raise self._unreadable(error) from None
        row = self.connection.execute(f"SELECT count(*) FROM {staged}").fetchone()
        return Staged(staged, table, target, faults, int(row[0]) if row else 0)

    def _readings(
        self, table: Table, target: Target, instrument: Instrument | None, name: str | None
    ) -> dict[str, Reading]:
        fields = dict(target.fields)
        if name is not None:
            fields["instrument"] = Field(constant=name)
        readings = {}
        for column in table.columns:
            field = fields.get(column.name)
            if field is None:
                readings[column.name] = Reading(f"CAST(NULL AS {SQL_TYPE[column.kind]})", ())
                continue
            if field.column is not None and self.layout.columns.index(field.column) in self._iso_columns:
                field = field.model_copy(update={"time": "auto"})
            readings[column.name] = read_field(
                column, field, self.layout.columns, instrument, self._latest, self.source.where
            )
        return readings

    def _faults(self, table: Table, target: Target, readings: dict[str, Reading]) -> tuple[Fault, ...]:
        of_fields = [f for r in readings.values() for f in r.faults]
        of_rows = []
        for field, holds, expected in table.checks:
            origin = target.fields.get(field)
            at = self.layout.columns.index(origin.column) if origin is not None and origin.column else None
            of_rows.append(Fault(f"NOT coalesce({holds}, true)", field, at, expected))
        return (*(f for f in of_fields if f.of_key), *(f for f in of_fields if not f.of_key), *of_rows)

    def _select(self, table: Table, readings: dict[str, Reading], faults: Sequence[Fault]) -> str:
        def needed(of: str) -> list[int]:
            return sorted(frozenset().union(*(getattr(r, of) for r in readings.values())))

        times = needed("times")
        # Each step reads the one before, so that no cell is parsed twice.
        cells = "".join(f", c{i}" for i in sorted({*needed("cells"), *needed("numbers"), *times}))
        numbers = "".join(f", {number_of(f'c{i}')} AS n{i}" for i in sorted({*needed("numbers"), *times}))
        parsed = f"SELECT row_number() OVER () - 1 AS r{cells}{numbers} FROM {self._rows}"
        units = "".join(f", {unit_of(f'c{i}', f'n{i}')} AS u{i}" for i in times)
        instants = "".join(f", {time_of(f'c{i}', f'n{i}', f'u{i}')} AS t{i}" for i in times)
        # Time first: a bar's length is measured from it.
        order = sorted(readings, key=lambda n: n != "ts")
        fields = ", ".join(f'{readings[n].value} AS "{n}"' for n in order)
        cases = "".join(f" WHEN {f.condition} THEN {k}" for k, f in enumerate(faults, 1) if f.of_key)
        cases += f" WHEN {self._blank(table, readings)} THEN {BLANK}"
        cases += "".join(f" WHEN {f.condition} THEN {k}" for k, f in enumerate(faults, 1) if not f.of_key)
        kept = ", ".join(f'"{n}"' for n in table.names)
        when = next((c.name for c in table.columns if c.kind == "time" and c.required), "")
        unit = next((f"u{i}" for i in readings[when].times), "NULL") if when else "NULL"
        return (
            f"SELECT r, {kept}, CASE{cases} END AS fault, CAST({unit} AS INTEGER) AS unit FROM "
            f"(SELECT *, {fields} FROM (SELECT *{instants} FROM (SELECT *{units} FROM ({parsed}))))"
        )

    @staticmethod
    def _blank(table: Table, readings: dict[str, Reading]) -> str:
        cells = sorted(frozenset().union(*(readings[c.name].cells for c in table.columns if c.kind in _VALUES)))
        return " AND ".join(f"c{i} IS NULL" for i in cells) or "false"

    def _unreadable(self, error: duckdb.Error) -> InputError:
        text = str(error).strip()
        if self.source.kind == "parquet":
            return _damaged_parquet(self.source, error)
        match = _LINE.search(text)
        lines = text.splitlines()
        found = next((s for s in lines if s.startswith(("Expected Number", "Value with", "Maximum line"))), lines[0])
        found = found.replace("Expected Number of Columns", "columns expected").replace("Found", "found")
        expected = f"{len(self.layout.columns)} cells in every row"
        return InputError(
            "load", self.source.where, found, expected, "nothing stored", row=int(match[1]) if match else None
        )

    def check_units(self, staged: Staged) -> None:
        """One unit of time per file.

        Raises:
            InputError: Two; names the first row of the rarer.
        """
        units = self.connection.execute(
            f"SELECT unit, count(*), min(r) FROM {staged.name} WHERE unit IS NOT NULL GROUP BY unit ORDER BY 2 DESC"
        ).fetchall()
        if len(units) > 1:
            (most, _, _), (other, _, row) = units[0], units[1]
            field = next(
                (f for f in staged.target.fields.values() if f.column and f.column in self.layout.columns), None
            )
            time_field = next((n for n in ("ts", "valid_from") if n in staged.target.fields), "ts")
            field = staged.target.fields.get(time_field, field)
            column = field.column if field is not None else time_field
            value = self.values([int(row)], self.layout.columns.index(column))[int(row)] if column else None
            raise InputError(
                "load",
                self.source.where,
                f"{value!r}, {UNIT_NAMES[other]} among {UNIT_NAMES[most]}",
                "one unit of time in a file",
                "nothing stored",
                row=self.line(int(row)),
                field=column,
            )

    def values(self, rows: Sequence[int], column: int) -> dict[int, str | None]:
        """Cells of a column as the file has them, by row."""
        found = self.connection.execute(
            f"SELECT r, c{column} FROM (SELECT row_number() OVER () - 1 AS r, c{column} FROM {self._rows}) "
            "WHERE list_contains($1, r)",
            [list(rows)],
        ).fetchall()
        return {int(row): None if cell is None else str(cell) for row, cell in found}

    def rejects(self, staged: Staged, limit: int) -> list[Reject]:
        """The rows at fault, first ones first, at most ``limit``."""
        rows = self.connection.execute(
            f"SELECT r, fault FROM {staged.name} WHERE fault > {BLANK} ORDER BY r LIMIT {limit}"
        ).fetchall()
        at_fault = [(int(row), staged.faults[int(code) - 1]) for row, code in rows]
        columns = {fault.column for _, fault in at_fault} - {None}
        cells = {
            c: self.values([row for row, fault in at_fault if fault.column == c], c) for c in columns if c is not None
        }
        return [
            Reject(
                self.source.member,
                self.line(row),
                fault.field if fault.column is None else self.layout.columns[fault.column],
                None if fault.column is None else cells[fault.column].get(row),
                fault.expected,
            )
            for row, fault in at_fault
        ]
