"""Staging: converts and checks the rows of a file in temporary tables, before the history is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from liqmap._base.errors import InputError
from liqmap.history.column_limits import SQL_TYPE, TABLES, Table
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
from liqmap.history.loading.mapping import FieldMapping
from liqmap.history.loading.types import StagedRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Instrument
    from liqmap.history.loading.mapping import TargetTable
    from liqmap.history.loading.types import MappingMatch, SourceFile

__all__ = ["BLANK_CODE", "Staging"]

_VALUE_KINDS = ("price", "positive", "amount", "signed", "fraction")
BLANK_CODE = 0
"""Value of ``failed_check`` for a row without any value for its table."""


class Staging:
    """Reads one source into temporary tables, one for each target of its mapping.

    Args:
        connection: Connection inside the load's transaction.
        source: The file, or one member of an archive.
        match: Its columns and mapping.
        latest: Latest plausible time, UTC microseconds.
        lenient: Whether rows that cannot be split into columns become rejects instead of an error.
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
        """Convert the rows of one target to its fields and run the checks of single rows.

        Args:
            index: Index of the target.
            target: The target.
            instrument: Instrument of all rows, if there is only one.
            name: Its name; ``None`` if the file has an instrument column.

        Raises:
            InputError: A row cannot be split into columns, or a unit cannot be converted.
        """
        table = TABLES[target.table]
        fields = self._field_sql(table, target, instrument, name)
        staged = f"stage_{index}"
        checks = self._collect_checks(table, target, fields)
        time_index = next(iter(fields[table.time_field].time_columns), None) if table.time_field else None
        sql = f"CREATE OR REPLACE TEMP TABLE {staged} AS {self._staging_query(table, fields, checks, time_index)}"
        try:
            self.connection.execute(sql)
        except (duckdb.FatalException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error as error:
            raise self.rows.read_error(error) from None
        row = self.connection.execute(f"SELECT count(*) FROM {staged}").fetchone()
        return StagedRows(staged, table, target, checks, int(row[0]) if row else 0, time_index)

    def _field_sql(
        self, table: Table, target: TargetTable, instrument: Instrument | None, name: str | None
    ) -> dict[str, FieldSql]:
        mappings = dict(target.fields)
        if name is not None:
            mappings["instrument"] = FieldMapping(constant=name)
        fields = {}
        for column in table.columns:
            field = mappings.get(column.name)
            if field is None:
                fields[column.name] = FieldSql(f"CAST(NULL AS {SQL_TYPE[column.kind]})", ())
                continue
            if field.column is not None and self.match.columns.index(field.column) in self.rows.iso_columns:
                field = field.model_copy(update={"time": "auto"})
            if column.kind == "account":
                fields[column.name] = account_sql(self.connection, column, field, self.match.columns)
                continue
            fields[column.name] = field_sql(
                column, field, self.match.columns, instrument, self._latest, self.source.where
            )
        return fields

    def _collect_checks(self, table: Table, target: TargetTable, fields: dict[str, FieldSql]) -> tuple[Check, ...]:
        """All checks in the order in which they run; the number of a check is its position, from 1."""
        field_checks = [check for field in fields.values() for check in field.checks]
        row_checks = []
        for name, condition, expected in table.checks:
            source = target.fields.get(name)
            index = self.match.columns.index(source.column) if source is not None and source.column else None
            row_checks.append(Check(f"NOT coalesce({condition}, true)", name, index, expected))
        return (
            *(check for check in field_checks if check.before_blank_check),
            *(check for check in field_checks if not check.before_blank_check),
            *row_checks,
        )

    def _staging_query(
        self, table: Table, fields: dict[str, FieldSql], checks: Sequence[Check], time_index: int | None
    ) -> str:
        """The query that fills a staging table: text → number → time unit → time → fields → failed check."""

        def needed(kind: str) -> list[int]:
            return sorted(frozenset().union(*(getattr(field, kind) for field in fields.values())))

        times = needed("time_columns")
        # Nested queries, each using the columns of the inner one, so that no cell is parsed twice.
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
        # `ts` first, because the length of a bar is computed from it.
        order = sorted(fields, key=lambda name: name != "ts")
        values = ", ".join(f'{fields[name].value} AS "{name}"' for name in order)
        numbered = list(enumerate(checks, 1))
        cases = "".join(f" WHEN {c.condition} THEN {number}" for number, c in numbered if c.before_blank_check)
        cases += f" WHEN {self._blank_condition(table, fields)} THEN {BLANK_CODE}"
        cases += "".join(f" WHEN {c.condition} THEN {number}" for number, c in numbered if not c.before_blank_check)
        names = ", ".join(f'"{n}"' for n in table.names)
        unit = "NULL" if time_index is None else unit_column(time_index)
        return (
            f"SELECT row_index, {names}, CASE{cases} END AS failed_check, CAST({unit} AS INTEGER) AS time_unit FROM "
            f"(SELECT *, {values} FROM (SELECT *{instants} FROM (SELECT *{units} FROM ({parsed}))))"
        )

    @staticmethod
    def _blank_condition(table: Table, fields: dict[str, FieldSql]) -> str:
        if not table.allows_blank:
            return "false"
        texts = sorted(
            frozenset().union(*(fields[c.name].text_columns for c in table.columns if c.kind in _VALUE_KINDS))
        )
        return " AND ".join(f"{text_column(i)} IS NULL" for i in texts) or "false"

    def check_units(self, staged: StagedRows) -> None:
        """Verify that all times of the file have the same unit.

        Raises:
            InputError: Two units occur; the message names the first row of the rarer one.
        """
        units = self.connection.execute(
            f"SELECT time_unit, count(*), min(row_index) FROM {staged.name} WHERE time_unit IS NOT NULL "
            "GROUP BY time_unit ORDER BY 2 DESC"
        ).fetchall()
        if len(units) > 1 and staged.time_column is not None:
            (most, _, _), (other, _, row) = units[0], units[1]
            value = self.rows.cell_texts([int(row)], staged.time_column)[int(row)]
            raise InputError(
                "load",
                self.source.where,
                f"{value!r}, {TIME_UNIT_NAMES[other]} among {TIME_UNIT_NAMES[most]}",
                "one time unit per file",
                "nothing stored",
                row=self.rows.line_number(int(row)),
                field=self.match.columns[staged.time_column],
            )

    def rejects(self, staged: StagedRows, limit: int) -> list[Reject]:
        """Return the first ``limit`` invalid rows."""
        rows = self.connection.execute(
            f"SELECT row_index, failed_check FROM {staged.name} WHERE failed_check > {BLANK_CODE} "
            f"ORDER BY row_index LIMIT {limit}"
        ).fetchall()
        invalid = [(int(row), staged.checks[int(number) - 1]) for row, number in rows]
        columns = {check.column for _, check in invalid} - {None}
        cells = {
            c: self.rows.cell_texts([row for row, check in invalid if check.column == c], c)
            for c in columns
            if c is not None
        }
        return [
            Reject(
                self.source.member,
                self.rows.line_number(row),
                self.rows.field_label(row, check.field if check.column is None else self.match.columns[check.column]),
                None if check.column is None else redact(check, cells[check.column].get(row)),
                check.expected,
            )
            for row, check in invalid
        ]
