"""One file's load, from its rows to the history's: everything that happens inside its transaction."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError
from liqmap._base.provenance import digest
from liqmap.history.loading.account_hashes import hashed
from liqmap.history.loading.account_snapshots import record
from liqmap.history.loading.deduplicate import drop_duplicates, drop_unfinished, insert, meet_stored, reduce
from liqmap.history.loading.instrument_lookup import check_named, resolve
from liqmap.history.loading.load_report import LoadReport, Reject, TableReport
from liqmap.history.loading.staging import BLANK, Staged, Staging
from liqmap.history.loading.validate import check_blanks, check_dates, check_open_interest, infer_interval
from liqmap.history.tables import TABLES

if TYPE_CHECKING:
    import duckdb

    from liqmap._base.provenance import JSON
    from liqmap.history.loading.mapping_match import Asked, Layout
    from liqmap.history.loading.source import Opened, Source

__all__ = ["Job"]

_DAY = 86_400_000_000


class Job:
    """One file's load, inside its transaction.

    Args:
        connection: The transaction's.
        opened: The file.
        asked: What the caller said about it.
        allow_rejects: How many bad rows to put aside.
        replace: Whether its rows take the place of stored ones.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, opened: Opened, asked: Asked, *, allow_rejects: int, replace: bool
    ) -> None:
        self.connection = connection
        self.opened = opened
        self.asked = asked
        self.allow_rejects = allow_rejects
        self.replace = replace
        self.rejects: list[Reject] = []
        self.notes: list[str] = []
        self.tables: dict[str, TableReport] = {}
        self.now = time.time_ns() // 1000
        self.load_id = int(_one(connection, "SELECT coalesce(max(load_id), 0) + 1 FROM loads"))

    def _layout_hash(self, layout: Layout) -> str:
        said: list[JSON] = [layout.mapping.hash, self.asked.instrument]
        if self.asked.account is not None:
            said.append(hashed(self.connection, self.asked.account))
        if self.asked.at is not None:
            said.append(self.asked.at)
        return digest(said)

    def already(self, layout: Layout) -> int | None:
        """The load that had these bytes before, read in the same way."""
        row = self.connection.execute(
            "SELECT load_id FROM loads WHERE sha256 = $1 AND layout_hash = $2 AND replaced_by IS NULL",
            [self.opened.sha256, self._layout_hash(layout)],
        ).fetchone()
        return None if row is None else int(row[0])

    def run(self, sources: list[Source], layouts: list[Layout]) -> LoadReport:
        """Stage, judge, settle and insert every member; then the load's own row and its rejects."""
        if self.replace:
            self._take_back(layouts[0])
        for source, layout in zip(sources, layouts, strict=True):
            if source.ends_open and not layout.mapping.may_end_open:
                found = "the last line does not end: it may be cut"
                done = "nothing stored; if the file is whole, end it with a line end"
                raise InputError("load", source.where, found, "a line end after the last row", done)
            self._member(source, layout)
        report = LoadReport(
            self.opened.where,
            self.opened.sha256,
            layouts[0].mapping.name,
            self.load_id,
            tables=tuple(self.tables.values()),
            rejects=tuple(self.rejects),
            notes=tuple(dict.fromkeys(self.notes)),
        )
        self._record(report, layouts[0])
        return report

    def _take_back(self, layout: Layout) -> None:
        """Remove the rows an earlier version of this very file stored."""
        source = self._path()
        earlier = self.connection.execute(
            "SELECT load_id FROM loads WHERE source = $1 AND layout_hash = $2 AND replaced_by IS NULL",
            [source, self._layout_hash(layout)],
        ).fetchall()
        for (load_id,) in earlier:
            for stored in sorted({TABLES[t.table].stored_in for t in layout.mapping.targets}):
                gone = _one(self.connection, f"SELECT count(*) FROM {stored} WHERE load_id = {int(load_id)}")
                self.connection.execute(f"DELETE FROM {stored} WHERE load_id = {int(load_id)}")
                self.tables.setdefault(stored, TableReport(stored)).replaced += int(gone)
            self.connection.execute("DELETE FROM sightings WHERE load_id = $1", [load_id])
            self.connection.execute("UPDATE loads SET replaced_by = $1 WHERE load_id = $2", [self.load_id, load_id])

    def _path(self) -> str:
        return str(Path(self.opened.where).resolve())

    def _member(self, source: Source, layout: Layout) -> None:
        staging = Staging(self.connection, source, layout, latest=self.now + _DAY, lenient=self.allow_rejects > 0)
        stages = []
        for index, target in enumerate(layout.mapping.targets):
            name, instrument = resolve(self.connection, target, layout.mapping, self.asked, source.where)
            stages.append(staging.stage(index, target, instrument, name))
        if not stages[0].rows and not staging.rows.torn and source.payload is None:
            raise InputError("load", source.where, "a header and no rows", "rows", "nothing stored")
        left_out = self._leave_out_ends(layout, stages)
        unread = 0 if source.payload is None else source.payload.left_out
        self.notes += () if source.payload is None else source.payload.notes
        judged = []
        for staged in stages:
            staging.check_units(staged)
            check_named(staging, staged, self.asked)
            check_dates(staging, staged)
            better, note = check_open_interest(staging, staged, stages)
            judged.append(better)
            if note:
                self.notes.append(note)
        self._put_aside(staging, judged)
        for staged in judged:
            if staged.table.name == "positions":
                only = self.asked.instrument
                record(
                    self.connection,
                    staged,
                    source.payload,
                    instrument=only,
                    load_id=self.load_id,
                    latest=self.now + _DAY,
                )
        for staged in judged:
            self._settle(staging, staged, left_out, unread)

    def _leave_out_ends(self, layout: Layout, stages: list[Staged]) -> int:
        first, last = layout.mapping.skip_first, layout.mapping.skip_last
        for staged in stages if first or last else ():
            self.connection.execute(f"DELETE FROM {staged.name} WHERE r < {first} OR r >= {staged.rows - last}")
        return min(first + last, stages[0].rows)

    def _put_aside(self, staging: Staging, stages: list[Staged]) -> None:
        """Bad rows become rejects while the allowance lasts; else the first one is the error."""
        found = [*staging.rows.torn, *(r for s in stages for r in staging.rejects(s, self.allow_rejects + 1))]
        rows = len({r.row for r in found})
        earlier = len({(r.member, r.row) for r in self.rejects})
        if rows + earlier > self.allow_rejects:
            self._refuse(staging, stages, found)
        self.rejects += dict.fromkeys(found)

    def _refuse(self, staging: Staging, stages: list[Staged], found: list[Reject]) -> None:
        first = min(found, key=lambda r: r.row)
        bad = " UNION ".join(f"SELECT r FROM {s.name} WHERE fault > {BLANK}" for s in stages)
        more = len(staging.rows.torn) + int(_one(self.connection, f"SELECT count(*) FROM ({bad})")) - 1
        tail = f"; {more:,} more {'row' if more == 1 else 'rows'} at fault" if more else ""
        value = "blank" if first.value is None else repr(first.value)
        raise InputError(
            "load", staging.source.where, value, first.reason, f"nothing stored{tail}", row=first.row, field=first.field
        )

    def _settle(self, staging: Staging, staged: Staged, left_out: int, unread: int) -> None:
        infer_interval(staging, staged)
        blank = check_blanks(staging, staged)
        part = TableReport(staged.table.stored_in, read=staged.rows + unread, blank=blank, left_out=left_out + unread)
        part.rejected = int(_one(self.connection, f"SELECT count(*) FROM {staged.name} WHERE fault > {BLANK}"))
        part.rejected += len(staging.rows.torn)
        self.connection.execute(f"DELETE FROM {staged.name} WHERE fault IS NOT NULL")
        part.left_out += drop_unfinished(staging, staged, self.now)
        part.duplicates = drop_duplicates(staging, staged)
        staged = reduce(staging, staged)
        self._span(staged, part)
        part.known, part.replaced = meet_stored(staging, staged, self.load_id, replace=self.replace)
        part.stored = insert(staging, staged, self.load_id)
        self.tables.setdefault(part.table, TableReport(part.table)).add(part)

    def _span(self, staged: Staged, part: TableReport) -> None:
        when = staged.table.when
        names = self.connection.execute(f"SELECT DISTINCT instrument FROM {staged.name} ORDER BY 1").fetchall()
        part.instruments = tuple(str(n[0]) for n in names)
        if when:
            row = self.connection.execute(f'SELECT min("{when}"), max("{when}") FROM {staged.name}').fetchone()
            part.first, part.last = (row[0], row[1]) if row else (None, None)
        if staged.table.name == "bars":
            part.missing = int(
                _one(
                    self.connection,
                    "SELECT coalesce(sum(wanted - there), 0)::BIGINT FROM (SELECT count(*) AS there, "
                    f"(max(ts) - min(ts)) // (interval_s * 1000000) + 1 AS wanted FROM {staged.name} "
                    "GROUP BY instrument, interval_s, price_source)",
                )
            )

    def _record(self, report: LoadReport, layout: Layout) -> None:
        rejected = len({(r.member, r.row) for r in report.rejects})
        self.connection.execute(
            "INSERT INTO loads VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
            [
                self.load_id,
                self._path(),
                report.sha256,
                report.layout,
                self._layout_hash(layout),
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


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # noqa: ANN401 - whatever the query gives
    row = connection.execute(sql).fetchone()
    return None if row is None else row[0]
