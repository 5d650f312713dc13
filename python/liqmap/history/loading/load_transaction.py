"""The steps of a load inside its transaction: stage, validate, deduplicate, compare with stored rows, insert."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError
from liqmap._base.provenance import digest
from liqmap.history.column_limits import TABLES
from liqmap.history.loading.account_hashes import hash_account
from liqmap.history.loading.account_snapshots import record_account_snapshots
from liqmap.history.loading.deduplicate import (
    aggregate,
    compare_with_stored,
    drop_duplicates,
    drop_unfinished,
    insert_rows,
)
from liqmap.history.loading.field_sql import FUTURE_TOLERANCE
from liqmap.history.loading.instrument_lookup import check_instruments, resolve_instrument
from liqmap.history.loading.load_report import LoadReport, Reject, TableReport
from liqmap.history.loading.staging import BLANK_CODE, Staging
from liqmap.history.loading.validate import check_blanks, check_dates, check_open_interest, infer_interval

if TYPE_CHECKING:
    import duckdb

    from liqmap._base.provenance import JSON
    from liqmap.history.loading.types import LoadOptions, MappingMatch, OpenedFile, SourceFile, StagedRows

__all__ = ["LoadTransaction"]


class LoadTransaction:
    """The load of one file inside a transaction; docs/data-model.md has a diagram of the steps.

    Args:
        connection: Connection inside the transaction.
        opened: The file.
        options: Arguments of the call.
        allow_rejects: Maximum number of rejected rows.
        replace: Whether the rows replace stored ones.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        opened: OpenedFile,
        options: LoadOptions,
        *,
        allow_rejects: int,
        replace: bool,
    ) -> None:
        self.connection = connection
        self.opened = opened
        self.options = options
        self.allow_rejects = allow_rejects
        self.replace = replace
        self.rejects: list[Reject] = []
        self.notes: list[str] = []
        self.tables: dict[str, TableReport] = {}
        self.now = time.time_ns() // 1000
        self.load_id = int(_scalar(connection, "SELECT coalesce(max(load_id), 0) + 1 FROM loads"))

    def _mapping_hash(self, match: MappingMatch) -> str:
        """Hash of the mapping and of all arguments that influence how the file is read."""
        parts: list[JSON] = [match.mapping.hash, self.options.instrument]
        if self.options.account is not None:
            parts.append(hash_account(self.connection, self.options.account))
        if self.options.at is not None:
            parts.append(self.options.at)
        return digest(parts)

    def find_identical_load(self, match: MappingMatch) -> int | None:
        """Return the id of an earlier load of the same bytes with the same mapping and arguments."""
        row = self.connection.execute(
            "SELECT load_id FROM loads WHERE sha256 = $1 AND layout_hash = $2 AND replaced_by IS NULL",
            [self.opened.sha256, self._mapping_hash(match)],
        ).fetchone()
        return None if row is None else int(row[0])

    def run(self, sources: list[SourceFile], matches: list[MappingMatch]) -> LoadReport:
        """Stage, validate, deduplicate and insert every member, then record the load and its rejects."""
        if self.replace:
            self._remove_earlier_rows(matches[0])
        for source, match in zip(sources, matches, strict=True):
            if source.lacks_final_newline and not match.mapping.may_end_open:
                found = "no newline after the last row: the file may be truncated"
                done = "nothing stored; if the file is complete, add a final newline"
                raise InputError("load", source.where, found, "a newline after the last row", done)
            self._load_member(source, match)
        report = LoadReport(
            self.opened.where,
            self.opened.sha256,
            matches[0].mapping.name,
            self.load_id,
            tables=tuple(self.tables.values()),
            rejects=tuple(self.rejects),
            notes=tuple(dict.fromkeys(self.notes)),
        )
        self._record_load(report, matches[0])
        return report

    def _remove_earlier_rows(self, match: MappingMatch) -> None:
        """Delete the rows that earlier versions of the same file stored."""
        source = self._absolute_path()
        earlier = self.connection.execute(
            "SELECT load_id FROM loads WHERE source = $1 AND layout_hash = $2 AND replaced_by IS NULL",
            [source, self._mapping_hash(match)],
        ).fetchall()
        for (load_id,) in earlier:
            for table in sorted({TABLES[t.table].destination for t in match.mapping.targets}):
                removed = _scalar(self.connection, f"SELECT count(*) FROM {table} WHERE load_id = {int(load_id)}")
                self.connection.execute(f"DELETE FROM {table} WHERE load_id = {int(load_id)}")
                self.tables.setdefault(table, TableReport(table)).replaced += int(removed)
            self.connection.execute("DELETE FROM sightings WHERE load_id = $1", [load_id])
            self.connection.execute("UPDATE loads SET replaced_by = $1 WHERE load_id = $2", [self.load_id, load_id])

    def _absolute_path(self) -> str:
        return str(Path(self.opened.where).resolve())

    def _load_member(self, source: SourceFile, match: MappingMatch) -> None:
        staging = Staging(
            self.connection, source, match, latest=self.now + FUTURE_TOLERANCE, lenient=self.allow_rejects > 0
        )
        stages = []
        for index, target in enumerate(match.mapping.targets):
            name, instrument = resolve_instrument(self.connection, target, match.mapping, self.options, source.where)
            stages.append(staging.stage(index, target, instrument, name))
        if not stages[0].rows and not staging.rows.malformed and source.venue_rows is None:
            raise InputError("load", source.where, "a header without rows", "rows", "nothing stored")
        left_out = self._drop_placeholder_rows(match, stages)
        skipped = 0 if source.venue_rows is None else source.venue_rows.left_out
        self.notes += () if source.venue_rows is None else source.venue_rows.notes
        validated = []
        for staged in stages:
            staging.check_units(staged)
            check_instruments(staging, staged, self.options)
            check_dates(staging, staged)
            checked, note = check_open_interest(staging, staged, stages)
            validated.append(checked)
            if note:
                self.notes.append(note)
        self._collect_rejects(staging, validated)
        for staged in validated:
            if staged.table.name == "positions":
                record_account_snapshots(
                    self.connection,
                    staged,
                    source.venue_rows,
                    instrument=self.options.instrument,
                    load_id=self.load_id,
                    latest=self.now + FUTURE_TOLERANCE,
                )
        for staged in validated:
            self._store_rows(staging, staged, left_out, skipped)

    def _drop_placeholder_rows(self, match: MappingMatch, stages: list[StagedRows]) -> int:
        first, last = match.mapping.skip_first, match.mapping.skip_last
        for staged in stages if first or last else ():
            self.connection.execute(
                f"DELETE FROM {staged.name} WHERE row_index < {first} OR row_index >= {staged.rows - last}"
            )
        return min(first + last, stages[0].rows)

    def _collect_rejects(self, staging: Staging, stages: list[StagedRows]) -> None:
        """Turn invalid rows into rejects, up to the allowed number; one more raises the error of the first."""
        found = [*staging.rows.malformed, *(r for s in stages for r in staging.rejects(s, self.allow_rejects + 1))]
        rows = len({r.row for r in found})
        earlier = len({(r.member, r.row) for r in self.rejects})
        if rows + earlier > self.allow_rejects:
            self._raise_first_reject(staging, stages, found)
        self.rejects += dict.fromkeys(found)

    def _raise_first_reject(self, staging: Staging, stages: list[StagedRows], found: list[Reject]) -> None:
        first = min(found, key=lambda r: r.row)
        invalid = " UNION ".join(f"SELECT row_index FROM {s.name} WHERE failed_check > {BLANK_CODE}" for s in stages)
        more = len(staging.rows.malformed) + int(_scalar(self.connection, f"SELECT count(*) FROM ({invalid})")) - 1
        tail = f"; {more:,} more invalid {'row' if more == 1 else 'rows'}" if more else ""
        value = "blank" if first.value is None else repr(first.value)
        raise InputError(
            "load", staging.source.where, value, first.reason, f"nothing stored{tail}", row=first.row, field=first.field
        )

    def _store_rows(self, staging: Staging, staged: StagedRows, left_out: int, skipped: int) -> None:
        infer_interval(staging, staged)
        blank = check_blanks(staging, staged)
        read, left_out = staged.rows + skipped, left_out + skipped
        part = TableReport(staged.table.destination, read=read, blank=blank, left_out=left_out)
        part.rejected = int(
            _scalar(self.connection, f"SELECT count(*) FROM {staged.name} WHERE failed_check > {BLANK_CODE}")
        )
        part.rejected += len(staging.rows.malformed)
        self.connection.execute(f"DELETE FROM {staged.name} WHERE failed_check IS NOT NULL")
        part.left_out += drop_unfinished(staging, staged, self.now)
        part.duplicates = drop_duplicates(staging, staged)
        staged = aggregate(staging, staged)
        self._measure_span(staged, part)
        part.known, part.replaced = compare_with_stored(staging, staged, self.load_id, replace=self.replace)
        part.stored = insert_rows(staging, staged, self.load_id)
        self.tables.setdefault(part.table, TableReport(part.table)).add(part)

    def _measure_span(self, staged: StagedRows, part: TableReport) -> None:
        """Fill in the instruments, first and last time, and number of missing bars of the report."""
        time_field = staged.table.time_field
        names = self.connection.execute(f"SELECT DISTINCT instrument FROM {staged.name} ORDER BY 1").fetchall()
        part.instruments = tuple(str(n[0]) for n in names)
        if time_field:
            span = f'min("{time_field}"), max("{time_field}")'
            row = self.connection.execute(f"SELECT {span} FROM {staged.name}").fetchone()
            part.first, part.last = (row[0], row[1]) if row else (None, None)
        if staged.table.name == "bars":
            part.missing = int(
                _scalar(
                    self.connection,
                    "SELECT coalesce(sum(expected - present), 0)::BIGINT FROM (SELECT count(*) AS present, "
                    f"(max(ts) - min(ts)) // (interval_s * 1000000) + 1 AS expected FROM {staged.name} "
                    "GROUP BY instrument, interval_s, price_source)",
                )
            )

    def _record_load(self, report: LoadReport, match: MappingMatch) -> None:
        rejected = len({(r.member, r.row) for r in report.rejects})
        self.connection.execute(
            "INSERT INTO loads VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
            [
                self.load_id,
                self._absolute_path(),
                report.sha256,
                report.layout,
                self._mapping_hash(match),
                report.stored,
                rejected,
                self.now,
            ],
        )
        if report.rejects:
            self.connection.executemany(
                "INSERT INTO rejects VALUES ($1, $2, $3, $4, $5, $6)",
                [[self.load_id, r.member, r.row, r.field, r.value, r.reason] for r in report.rejects],
            )


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # noqa: ANN401 - any SQL value
    row = connection.execute(sql).fetchone()
    return None if row is None else row[0]
