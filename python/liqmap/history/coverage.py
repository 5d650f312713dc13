"""What the history covers: spans, gaps and stale runs, so that a hole is never taken for calm."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from liqmap.clock import Instant, iso

if TYPE_CHECKING:
    import duckdb

    from liqmap.provenance import JSON

__all__ = ["STALE_AFTER", "Coverage", "Gap", "Span", "StaleRun", "coverage"]

STALE_AFTER = 6
"""Equal open interest this many readings in a row is taken for a feed that stands still."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that should be there and are not.

    Attributes:
        start: When the first missing row would start, UTC microseconds.
        end: When the next row that is there starts.
        missing: How many rows.
    """

    start: Instant
    end: Instant
    missing: int


@dataclass(frozen=True, slots=True)
class StaleRun:
    """Open interest that did not move.

    Attributes:
        start: First reading of the value, UTC microseconds.
        end: Last reading of it.
        rows: How many readings.
    """

    start: Instant
    end: Instant
    rows: int


@dataclass(frozen=True, slots=True)
class Span:
    """One series of one table.

    Attributes:
        instrument: ``venue:SYMBOL``.
        table: The table.
        series: What sets the series apart within the table: ``300 s last``, ``1800 s long aggregate``.
        first: First row's time, UTC microseconds.
        last: Last row's time.
        rows: How many rows.
        interval_s: Seconds from row to row: the bar's or window's own, else the commonest; ``None`` for single events.
        gaps: Missing stretches.
        stale: Open interest that stands still.
    """

    instrument: str
    table: str
    series: str
    first: Instant
    last: Instant
    rows: int
    interval_s: float | None
    gaps: tuple[Gap, ...]
    stale: tuple[StaleRun, ...]

    @property
    def missing(self) -> int:
        """Missing rows, all gaps together."""
        return sum(gap.missing for gap in self.gaps)

    @property
    def lines(self) -> tuple[str, ...]:
        """The span to read: one line, and one for each gap and stale run."""
        series = f" ({self.series})" if self.series else ""
        head = f"{self.table}{series}: {self.rows:,} rows {iso(self.first)} … {iso(self.last)}"
        gaps = [f"gap {iso(g.start)} … {iso(g.end)}: {g.missing:,} missing" for g in self.gaps]
        stale = [f"stale {iso(s.start)} … {iso(s.end)}: {s.rows:,} readings alike" for s in self.stale]
        return (head, *(f"  {line}" for line in (*_shortened(gaps, "gaps"), *_shortened(stale, "stale runs"))))

    def to_dict(self) -> dict[str, JSON]:
        """The span as plain data, times as ISO 8601."""
        gaps: list[JSON] = [{"start": iso(g.start), "end": iso(g.end), "missing": g.missing} for g in self.gaps]
        stale: list[JSON] = [{"start": iso(s.start), "end": iso(s.end), "rows": s.rows} for s in self.stale]
        plain = asdict(self) | {"first": iso(self.first), "last": iso(self.last)}
        return plain | {"missing": self.missing, "gaps": gaps, "stale": stale}


def _shortened(lines: list[str], of: str) -> list[str]:
    """The first few of many lines, and how many more there are."""
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"… and {more:,} more {of}"] if more > 1 else lines


@dataclass(frozen=True, slots=True)
class Coverage:
    """All spans asked for, by instrument, table and series."""

    spans: tuple[Span, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The coverage to read."""
        told: list[str] = []
        for instrument in dict.fromkeys(s.instrument for s in self.spans):
            told.append(instrument)
            told += [f"  {line}" for s in self.spans if s.instrument == instrument for line in s.lines]
        return tuple(told)

    def to_dict(self) -> dict[str, JSON]:
        """``{"spans": [...]}``, times as ISO 8601."""
        return {"spans": [span.to_dict() for span in self.spans]}


# table: (SQL of what sets a series apart, SQL of its interval in seconds or NULL)
_SERIES = {
    "bars": ("interval_s || ' s ' || price_source", "interval_s"),
    "open_interest": ("''", "NULL"),
    "funding": ("''", "NULL"),
    "liquidations": (
        "CASE WHEN window_s > 0 THEN window_s || ' s ' ELSE '' END || side || ' ' || feed",
        "nullif(window_s, 0)",
    ),
    "depth": ("''", "NULL"),
    "positions": ("source", "NULL"),
}
_EVENTS = ("liquidations", "positions")  # without an interval of their own these come when they come


def coverage(
    connection: duckdb.DuckDBPyConnection, instrument: str | None = None, stale_after: int = STALE_AFTER
) -> Coverage:
    """What the history holds of an instrument, or of all.

    A gap is a step of more than one and a half intervals: the bar's or window's own, else the commonest step of the
    file that the rows came from (of the slower file, where two meet). Open interest is stale where at least
    ``stale_after`` readings in a row are alike.
    """
    spans = []
    for table, (series, interval) in _SERIES.items():
        steps = _STEPS.format(table=table, series=series, interval=interval)
        gaps: dict[tuple[str, str], list[Gap]] = {}
        for name, label, before, after, step in connection.execute(steps + _GAPS, [instrument]).fetchall():
            gap = Gap(round(before + step), int(after), round((after - before) / step) - 1)
            gaps.setdefault((name, label), []).append(gap)
        for name, label, first, last, rows, step in connection.execute(steps + _SPANS, [instrument]).fetchall():
            stale = _stale(connection, name, stale_after) if table == "open_interest" else ()
            found = tuple(gaps.get((name, label), ()))
            interval_s = None if step is None else step / 1e6
            spans.append(Span(name, table, label, int(first), int(last), int(rows), interval_s, found, stale))
    return Coverage(tuple(sorted(spans, key=lambda s: s.instrument)))


# table: (SQL of what sets a series apart, SQL of its interval in seconds: 0 where rows come when they come)
_SERIES = {
    "bars": ("interval_s || ' s ' || price_source", "interval_s"),
    "open_interest": ("''", "NULL"),
    "funding": ("''", "NULL"),
    "liquidations": ("CASE WHEN window_s > 0 THEN window_s || ' s ' ELSE '' END || side || ' ' || feed", "window_s"),
    "depth": ("''", "NULL"),
    "positions": ("source", "0"),
}

_STEPS = """
WITH times AS (
    SELECT instrument, {series} AS series, ts, max({interval}) * 1e6 AS own, min(load_id) AS load, count(*) AS n
    FROM {table} WHERE instrument = coalesce($1, instrument) GROUP BY ALL
), steps AS (
    SELECT *, lag(ts) OVER by_time AS before, lag(load) OVER by_time AS load_before
    FROM times WINDOW by_time AS (PARTITION BY instrument, series ORDER BY ts)
), paces AS (
    SELECT instrument, series, load, mode(ts - before) AS pace
    FROM steps WHERE before IS NOT NULL AND load IS NOT DISTINCT FROM load_before GROUP BY ALL
), paced AS (
    SELECT s.*, nullif(coalesce(own, greatest(here.pace, there.pace)), 0) AS step
    FROM steps s
    LEFT JOIN paces here ON (here.instrument, here.series) = (s.instrument, s.series) AND here.load = s.load
    LEFT JOIN paces there ON (there.instrument, there.series) = (s.instrument, s.series) AND there.load = s.load_before
)
"""

_SPANS = """
SELECT instrument, series, min(ts), max(ts), sum(n), mode(step) FROM paced GROUP BY instrument, series
ORDER BY instrument, series
"""

_GAPS = """
SELECT instrument, series, before, ts, step FROM paced WHERE ts - before > 1.5 * step ORDER BY instrument, series, ts
"""

_STALE = """
WITH moves AS (
    SELECT ts, sum(moved) OVER (ORDER BY ts) AS run FROM (
        SELECT ts, CASE WHEN oi_base IS DISTINCT FROM lag(oi_base) OVER by_time
                          OR oi_usd IS DISTINCT FROM lag(oi_usd) OVER by_time THEN 1 ELSE 0 END AS moved
        FROM open_interest WHERE instrument = $1 WINDOW by_time AS (ORDER BY ts))
)
SELECT min(ts), max(ts), count(*) FROM moves GROUP BY run HAVING count(*) >= $2 ORDER BY 1
"""


def _stale(connection: duckdb.DuckDBPyConnection, name: str, stale_after: int) -> tuple[StaleRun, ...]:
    rows = connection.execute(_STALE, [name, stale_after]).fetchall()
    return tuple(StaleRun(int(start), int(end), int(count)) for start, end, count in rows)
