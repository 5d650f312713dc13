"""A file into the history: one transaction, every row accounted for, the same file twice changes nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from liqmap.errors import InputError, StorageError
from liqmap.history import acknowledged
from liqmap.history.judge import check_blanks, check_dates, check_open_interest, infer_interval
from liqmap.history.known import check_named, resolve
from liqmap.history.layout import Asked, Layout, find_layout
from liqmap.history.opening import refuse_a_full_disk
from liqmap.history.report import LoadReport, Reject, TableReport
from liqmap.history.settle import drop_duplicates, meet_stored, reduce
from liqmap.history.source import open_file
from liqmap.history.stage import BLANK, Staged, Staging, name_columns
from liqmap.provenance import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    import duckdb

    from liqmap.history.source import Opened, Source
    from liqmap.history.store import Store

__all__ = ["load"]

_DAY = 86_400_000_000


def load(
    store: Store,
    path: Path,
    *,
    table: str | None = None,
    instrument: str | None = None,
    mapping: str | PathLike[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    allow_rejects: int = 0,
    replace: bool = False,
) -> LoadReport:
    """Load a CSV, Parquet, zip or gz file.

    Args:
        store: The history, opened to write.
        path: The file.
        table: The table, for files whose columns are named like its fields, or with ``columns``.
        instrument: ``venue:SYMBOL``, where the file does not say.
        mapping: A mapping file, or the name of a shipped one; found by the file's header if left out.
        columns: Field → column (text), constant (number) or ``{"column": …, "unit": …}``; needs ``table``.
        allow_rejects: How many bad rows to put aside rather than stop.
        replace: Let this file's rows take the place of stored ones with the same key, and of all rows an earlier
            version of this very file stored.

    Returns:
        What became of every row.

    Raises:
        InputError: The file, or a value in it, is not what it has to be; nothing was stored.
        NotFoundError: An instrument the history does not know.
        StorageError: The history cannot be written.
    """
    if allow_rejects < 0:
        raise InputError("load", "allow_rejects", repr(allow_rejects), "0 or more", "nothing stored")
    asked = Asked(table=table, instrument=instrument, mapping=mapping, columns=columns)
    with open_file(path) as opened, store.transaction() as connection:
        refuse_a_full_disk(store.path, sum(s.size for s in opened.sources))
        sources = [name_columns(connection, s) for s in opened.sources]
        layouts = [find_layout(s, asked) for s in sources]
        job = _Job(connection, opened, asked, allow_rejects=allow_rejects, replace=replace)
        if (earlier := job.already(layouts[0])) is not None:
            return LoadReport(opened.where, opened.sha256, layouts[0].mapping.name, earlier, already=True)
        report = job.run(sources, layouts)
    _prove(store, report)
    return report


def _prove(store: Store, report: LoadReport) -> None:
    """After the commit: the load is there, and is written down beside the history."""
    with store.reading() as connection:
        row = connection.execute("SELECT rows FROM loads WHERE load_id = $1", [report.load_id]).fetchone()
        if row is None or row[0] != report.stored:
            raise StorageError(
                "load", report.source, "the commit left no trace", "the load on record", "check the disk"
            )
        acknowledged.append(connection, store.path)


class _Job:
    """One file's load, inside its transaction."""

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
        return digest([layout.mapping.hash, self.asked.instrument])

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
            for name in {TableReport(t.table).table for t in layout.mapping.targets}:
                stored = _into(name)
                gone = _one(self.connection, f"SELECT count(*) FROM {stored} WHERE load_id = {int(load_id)}")
                self.connection.execute(f"DELETE FROM {stored} WHERE load_id = {int(load_id)}")
                self.tables.setdefault(stored, TableReport(stored)).replaced += int(gone)
            self.connection.execute("UPDATE loads SET replaced_by = $1 WHERE load_id = $2", [self.load_id, load_id])

    def _path(self) -> str:
        from pathlib import Path  # noqa: PLC0415 - only here

        return str(Path(self.opened.where).resolve())

    def _member(self, source: Source, layout: Layout) -> None:
        staging = Staging(self.connection, source, layout, latest=self.now + _DAY, lenient=self.allow_rejects > 0)
        stages = []
        for index, target in enumerate(layout.mapping.targets):
            name, instrument = resolve(self.connection, target, layout.mapping, self.asked, source.where)
            stages.append(staging.stage(index, target, instrument, name))
        if not stages[0].rows and not staging.torn:
            raise InputError("load", source.where, "a header and no rows", "rows", "nothing stored")
        left_out = self._leave_out_ends(layout, stages)
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
            self._settle(staging, staged, left_out)

    def _leave_out_ends(self, layout: Layout, stages: list[Staged]) -> int:
        first, last = layout.mapping.skip_first, layout.mapping.skip_last
        for staged in stages if first or last else ():
            self.connection.execute(f"DELETE FROM {staged.name} WHERE r < {first} OR r >= {staged.rows - last}")
        return min(first + last, stages[0].rows)

    def _leave_out_unfinished(self, staged: Staged) -> int:
        """Drop bars and windows that are not over yet: their values still change."""
        length = {"bars": "interval_s", "liquidations": "window_s"}.get(staged.table.name)
        if length is None:
            return 0
        unfinished = f"FROM {staged.name} WHERE ts + {length} * 1000000 > {self.now}"
        count = int(_one(self.connection, f"SELECT count(*) {unfinished}"))
        if count:
            self.connection.execute(f"DELETE {unfinished}")
        return count

    def _put_aside(self, staging: Staging, stages: list[Staged]) -> None:
        """Bad rows become rejects while the allowance lasts; else the first one is the error."""
        found = [*staging.torn, *(r for s in stages for r in staging.rejects(s, self.allow_rejects + 1))]
        rows = len({r.row for r in found})
        earlier = len({(r.member, r.row) for r in self.rejects})
        if rows + earlier > self.allow_rejects:
            self._refuse(staging, stages, found)
        self.rejects += found

    def _refuse(self, staging: Staging, stages: list[Staged], found: list[Reject]) -> None:
        first = min(found, key=lambda r: r.row)
        torn = len(staging.torn)
        bad = max(int(_one(self.connection, f"SELECT count(*) FROM {s.name} WHERE fault > {BLANK}")) for s in stages)
        more = torn + bad - 1
        tail = f"; {more:,} more rows at fault" if more else ""
        value = "blank" if first.value is None else repr(first.value)
        raise InputError(
            "load", staging.source.where, value, first.reason, f"nothing stored{tail}", row=first.row, field=first.field
        )

    def _settle(self, staging: Staging, staged: Staged, left_out: int) -> None:
        infer_interval(staging, staged)
        blank = check_blanks(staging, staged)
        part = TableReport(_into(staged.table.name), read=staged.rows, blank=blank, left_out=left_out)
        part.rejected = int(_one(self.connection, f"SELECT count(*) FROM {staged.name} WHERE fault > {BLANK}"))
        part.rejected += len(staging.torn)
        self.connection.execute(f"DELETE FROM {staged.name} WHERE fault IS NOT NULL")
        part.left_out += self._leave_out_unfinished(staged)
        part.duplicates = drop_duplicates(staging, staged)
        staged = reduce(staging, staged)
        self._span(staged, part)
        part.known, part.replaced = meet_stored(staging, staged, self.load_id, replace=self.replace)
        part.stored = self._insert(staged)
        self.tables.setdefault(part.table, TableReport(part.table)).add(part)

    def _span(self, staged: Staged, part: TableReport) -> None:
        when = next((c.name for c in staged.table.columns if c.kind == "time" and c.required), None)
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

    def _insert(self, staged: Staged) -> int:
        table = staged.table
        names = ", ".join(f'"{n}"' for n in table.names)
        when = [f'"{c.name}"' for c in table.columns if c.kind == "time" and c.required]
        derived = ("venue, symbol, ", "split_part(instrument, ':', 1), instrument[strpos(instrument, ':') + 1:], ")
        into, out = derived if table.name == "instruments" else ("", "")
        order = f"ORDER BY {', '.join([*when, 'r'])}"
        count = int(_one(self.connection, f"SELECT count(*) FROM {staged.name}"))
        self.connection.execute(
            f"INSERT INTO {table.name} ({into}{names}, load_id) "
            f"SELECT {out}{names}, {self.load_id} FROM {staged.name} {order}"
        )
        self.connection.execute(f"DROP TABLE {staged.name}")
        return count

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


def _into(table: str) -> str:
    from liqmap.history.tables import TABLES  # noqa: PLC0415

    return TABLES[table].into or table


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # noqa: ANN401 - whatever the query gives
    row = connection.execute(sql).fetchone()
    return None if row is None else row[0]
