"""A file's rows, typed and judged, in temporary tables: nothing touches the history yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from liqmap._base.errors import InputError
from liqmap.history.loading.account_hashes import account_sql, redact
from liqmap.history.loading.field_sql import (
    TIME_UNIT_NAMES,
    Check,
    FieldSql,
    field_sql,
    number_column,
    number_sql,
    text_column,
    time_column,
    time_sql,
    time_unit_sql,
    unit_column,
)
from liqmap.history.loading.file_rows import FileRows
from liqmap.history.loading.load_report import Reject
from liqmap.history.loading.mapping import Field
from liqmap.history.loading.types import StagedRows
from liqmap.history.tables import SQL_TYPE, TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Instrument
    from liqmap.history.loading.mapping import TargetTable
    from liqmap.history.loading.types import MappingMatch, SourceFile

__all__ = ["BLANK_CODE", "Staging"]

_VALUE_KINDS = ("price", "positive", "amount", "signed", "fraction")
BLANK_CODE = 0


class Staging:
    """Reads one source under one match into temporary tables.

    Args:
        connection: Inside the load's transaction.
        source: The file, or one member of an archive.
        match: Its columns and mapping.
        latest: The latest time that is believed, UTC microseconds.
        lenient: Keep rows that cannot be split into columns as rejects, rather than stop at the first.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: SourceFile,
        match: MappingMatch,
        *,
        latest: int,
        lenient: bool,
    ) -> None:
        self.connection = connection
        self.source = source
        self.match = match
        self.rows = FileRows(connection, source, match, lenient=lenient)
        self._latest = latest

    def stage(self, index: int, target: TargetTable, instrument: Instrument | None, name: str | None) -> StagedRows:
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
        readings = self._field_sql(table, target, instrument, name)
        staged = f"stage_{index}"
        checks = self._collect_checks(table, target, readings)
        when = next(iter(readings[table.time_field].time_columns), None) if table.time_field else None
        sql = f"CREATE OR REPLACE TEMP TABLE {staged} AS {self._staging_query(table, readings, checks, when)}"
        try:
            self.connection.execute(sql)
        except (duckdb.FatalException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error as error:
            raise self.rows.read_error(error) from None
        row = self.connection.execute(f"SELECT count(*) FROM {staged}").fetchone()
        return StagedRows(staged, table, target, checks, int(row[0]) if row else 0, when)

    def _field_sql(
        self, table: Table, target: TargetTable, instrument: Instrument | None, name: str | None
    ) -> dict[str, FieldSql]:
        fields = dict(target.fields)
        if name is not None:
            fields["instrument"] = Field(constant=name)
        readings = {}
        for column in table.columns:
            field = fields.get(column.name)
            if field is None:
                readings[column.name] = FieldSql(f"CAST(NULL AS {SQL_TYPE[column.kind]})", ())
                continue
            if field.column is not None and self.match.columns.index(field.column) in self.rows.iso_columns:
                field = field.model_copy(update={"time": "auto"})
            if column.kind == "account":
                readings[column.name] = account_sql(self.connection, column, field, self.match.columns)
                continue
            readings[column.name] = field_sql(
                column, field, self.match.columns, instrument, self._latest, self.source.where
            )
        return readings

    def _collect_checks(self, table: Table, target: TargetTable, readings: dict[str, FieldSql]) -> tuple[Check, ...]:
        of_fields = [f for r in readings.values() for f in r.checks]
        of_rows = []
        for field, holds, expected in table.checks:
            origin = target.fields.get(field)
            at = self.match.columns.index(origin.column) if origin is not None and origin.column else None
            of_rows.append(Check(f"NOT coalesce({holds}, true)", field, at, expected))
        return (
            *(f for f in of_fields if f.before_blank_check),
            *(f for f in of_fields if not f.before_blank_check),
            *of_rows,
        )

    def _staging_query(
        self, table: Table, readings: dict[str, FieldSql], checks: Sequence[Check], when: int | None
    ) -> str:
        def needed(of: str) -> list[int]:
            return sorted(frozenset().union(*(getattr(r, of) for r in readings.values())))

        times = needed("time_columns")
        # Each step reads the one before, so that no cell is parsed twice.
        texts = "".join(
            f", {text_column(i)}" for i in sorted({*needed("text_columns"), *needed("number_columns"), *times})
        )
        numbers = "".join(
            f", {number_sql(text_column(i))} AS {number_column(i)}" for i in sorted({*needed("number_columns"), *times})
        )
        parsed = f"SELECT row_number() OVER () - 1 AS row_index{texts}{numbers} FROM {self.rows.sql}"
        units = "".join(f", {time_unit_sql(text_column(i), number_column(i))} AS {unit_column(i)}" for i in times)
        instants = "".join(
            f", {time_sql(text_column(i), number_column(i), unit_column(i))} AS {time_column(i)}" for i in times
        )
        # Time first: a bar's length is measured from it.
        order = sorted(readings, key=lambda n: n != "ts")
        fields = ", ".join(f'{readings[n].value} AS "{n}"' for n in order)
        cases = "".join(f" WHEN {f.condition} THEN {k}" for k, f in enumerate(checks, 1) if f.before_blank_check)
        cases += f" WHEN {self._blank(table, readings)} THEN {BLANK_CODE}"
        cases += "".join(f" WHEN {f.condition} THEN {k}" for k, f in enumerate(checks, 1) if not f.before_blank_check)
        kept = ", ".join(f'"{n}"' for n in table.names)
        unit = "NULL" if when is None else unit_column(when)
        return (
            f"SELECT row_index, {kept}, CASE{cases} END AS failed_check, CAST({unit} AS INTEGER) AS time_unit FROM "
            f"(SELECT *, {fields} FROM (SELECT *{instants} FROM (SELECT *{units} FROM ({parsed}))))"
        )

    @staticmethod
    def _blank(table: Table, readings: dict[str, FieldSql]) -> str:
        if not table.allows_blank:
            return "false"
        texts = sorted(
            frozenset().union(*(readings[c.name].text_columns for c in table.columns if c.kind in _VALUE_KINDS))
        )
        return " AND ".join(f"{text_column(i)} IS NULL" for i in texts) or "false"

    def check_units(self, staged: StagedRows) -> None:
        """One unit of time per file.

        Raises:
            InputError: Two; names the first row of the rarer.
        """
        units = self.connection.execute(
            f"SELECT time_unit, count(*), min(row_index) FROM {staged.name} WHERE time_unit IS NOT NULL GROUP BY time_unit ORDER BY 2 DESC"
        ).fetchall()
        if len(units) > 1 and staged.time_column is not None:
            (most, _, _), (other, _, row) = units[0], units[1]
            value = self.rows.cell_texts([int(row)], staged.time_column)[int(row)]
            raise InputError(
                "load",
                self.source.where,
                f"{value!r}, {TIME_UNIT_NAMES[other]} among {TIME_UNIT_NAMES[most]}",
                "one unit of time in a file",
                "nothing stored",
                row=self.rows.line_number(int(row)),
                field=self.match.columns[staged.time_column],
            )

    def rejects(self, staged: StagedRows, limit: int) -> list[Reject]:
        """The rows at fault, first ones first, at most ``limit``."""
        rows = self.connection.execute(
            f"SELECT row_index, failed_check FROM {staged.name} WHERE failed_check > {BLANK_CODE} ORDER BY row_index LIMIT {limit}"
        ).fetchall()
        at_fault = [(int(row), staged.checks[int(code) - 1]) for row, code in rows]
        columns = {fault.column for _, fault in at_fault} - {None}
        cells = {
            c: self.rows.cell_texts([row for row, fault in at_fault if fault.column == c], c)
            for c in columns
            if c is not None
        }
        return [
            Reject(
                self.source.member,
                self.rows.line_number(row),
                self.rows.field_label(row, fault.field if fault.column is None else self.match.columns[fault.column]),
                None if fault.column is None else redact(fault, cells[fault.column].get(row)),
                fault.expected,
            )
            for row, fault in at_fault
        ]
