"""Coverage: the spans, gaps and stale runs of each table, so that missing data are not mistaken for a calm market."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.timestamps import Instant, iso

if TYPE_CHECKING:
    import duckdb
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats, Ints

__all__ = ["STALE_AFTER", "Coverage", "Gap", "Span", "StaleRun", "measure_coverage"]

STALE_AFTER = 6
"""Number of consecutive equal readings from which open interest counts as stale."""

_MAX_LINES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows.

    Attributes:
        start: Start of the first missing row, UTC microseconds.
        end: Start of the next existing row, UTC microseconds.
        missing: Number of missing rows.
    """

    start: Instant
    end: Instant
    missing: int


@dataclass(frozen=True, slots=True)
class StaleRun:
    """Consecutive equal readings of open interest.

    Attributes:
        start: Time of the first reading, UTC microseconds.
        end: Time of the last reading, UTC microseconds.
        rows: Number of readings.
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
        series: Label of the series within the table: ``300 s last``, ``1800 s long aggregate``.
        first: Time of the first row, UTC microseconds.
        last: Time of the last row, UTC microseconds.
        rows: Number of rows.
        interval_s: Seconds between rows: the length of bars or windows, otherwise the most frequent step; ``None`` for
            single events.
        gaps: Gaps.
        stale: Stale runs of open interest.
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
        """Number of missing rows in all gaps."""
        return sum(gap.missing for gap in self.gaps)

    @property
    def lines(self) -> tuple[str, ...]:
        """The span as text: one line, and one for each gap and stale run."""
        series = f" ({self.series})" if self.series else ""
        head = f"{self.table}{series}: {self.rows:,} rows {iso(self.first)} … {iso(self.last)}"
        gaps = [f"gap {iso(g.start)} … {iso(g.end)}: {g.missing:,} missing" for g in self.gaps]
        stale = [f"stale {iso(s.start)} … {iso(s.end)}: {s.rows:,} equal readings" for s in self.stale]
        return (
            head,
            *(f"  {line}" for line in (*_truncate_lines(gaps, "gaps"), *_truncate_lines(stale, "stale runs"))),
        )

    def to_dict(self) -> dict[str, JSON]:
        """Return the span as plain data, with times in ISO 8601."""
        gaps: list[JSON] = [{"start": iso(g.start), "end": iso(g.end), "missing": g.missing} for g in self.gaps]
        stale: list[JSON] = [{"start": iso(s.start), "end": iso(s.end), "rows": s.rows} for s in self.stale]
        plain = asdict(self) | {"first": iso(self.first), "last": iso(self.last)}
        return plain | {"missing": self.missing, "gaps": gaps, "stale": stale}


def _truncate_lines(lines: list[str], of: str) -> list[str]:
    """Return the first lines, and the number of the others."""
    more = len(lines) - _MAX_LINES_SHOWN
    return [*lines[:_MAX_LINES_SHOWN], f"… and {more:,} more {of}"] if more > 1 else lines


@dataclass(frozen=True, slots=True)
class Coverage:
    """The requested spans, ordered by instrument, table and series."""

    spans: tuple[Span, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The coverage as lines of text."""
        lines: list[str] = []
        for instrument in dict.fromkeys(s.instrument for s in self.spans):
            lines.append(instrument)
            lines += [f"  {line}" for s in self.spans if s.instrument == instrument for line in s.lines]
        return tuple(lines)

    def to_dict(self) -> dict[str, JSON]:
        """Return ``{"spans": [...]}``, with times in ISO 8601."""
        return {"spans": [span.to_dict() for span in self.spans]}


# table: (SQL of the series label, SQL of its interval in seconds; 0 for irregular rows, NULL to use the usual step)
_SERIES_SQL = {
    "bars": ("interval_s || ' s ' || price_source", "interval_s"),
    "open_interest": ("''", "NULL"),
    "funding": ("''", "NULL"),
    "liquidations": ("CASE WHEN window_s > 0 THEN window_s || ' s ' ELSE '' END || side || ' ' || feed", "window_s"),
    "depth": ("''", "NULL"),
    "positions": ("source", "0"),
}


def measure_coverage(
    connection: duckdb.DuckDBPyConnection, instrument: str | None = None, stale_after: int = STALE_AFTER
) -> Coverage:
    """Measure the coverage of one instrument, or of all.

    A gap is a step of more than 1.5 intervals. The interval is the length of the bar or window, otherwise the most
    frequent step of the source file (of the slower file, between rows of two files). Open interest is stale if at least
    ``stale_after`` consecutive readings are equal.
    """
    spans = []
    for table, (series, _) in _SERIES_SQL.items():
        labels = connection.execute(
            f"SELECT DISTINCT instrument, {series} FROM {table} WHERE instrument = coalesce($1, instrument) "
            "ORDER BY ALL",
            [instrument],
        ).fetchall()
        for name, label in labels:
            stale = _stale_runs(connection, name, stale_after) if table == "open_interest" else ()
            spans.append(_measure_span(connection, table, name, label, stale))
    return Coverage(tuple(sorted(spans, key=lambda s: s.instrument)))


def _measure_span(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, label: str, stale: tuple[StaleRun, ...]
) -> Span:
    series, interval = _SERIES_SQL[table]
    columns = connection.execute(
        f"SELECT ts, max({interval}) * 1e6 AS own, coalesce(min(load_id), -1) AS load, count(*) AS n FROM {table} "
        f"WHERE instrument = $1 AND {series} = $2 GROUP BY ts ORDER BY ts",
        [name, label],
    ).fetchnumpy()
    ts, own = columns["ts"], np.ma.filled(np.ma.asarray(columns["own"], dtype=np.float64), np.nan)
    step = np.where(np.isnan(own), _usual_steps(ts, columns["load"]), own)
    step[step == 0] = np.nan
    moved = np.diff(ts)
    with np.errstate(invalid="ignore"):
        found = np.flatnonzero(moved > 1.5 * step[1:])
    gaps = tuple(
        Gap(round(int(ts[i]) + step[i + 1]), int(ts[i + 1]), round(moved[i] / step[i + 1]) - 1) for i in found.tolist()
    )
    usual = _mode(step[np.isfinite(step)])
    interval_s = None if usual is None else usual / 1e6
    return Span(name, table, label, int(ts[0]), int(ts[-1]), int(columns["n"].sum()), interval_s, gaps, stale)


def _usual_steps(ts: Ints, load: Ints) -> Floats:
    """Return the most frequent step of each row's source file (the slower of two adjacent files), NaN if undefined."""
    moved, same = np.diff(ts), load[1:] == load[:-1]
    pace = np.full(len(ts), np.nan)
    for one in np.unique(load[load >= 0]).tolist():
        usual = _mode(moved[same & (load[1:] == one)])
        pace[load == one] = np.nan if usual is None else usual
    return np.asarray(np.fmax(pace, np.append(np.nan, pace[:-1])), dtype=np.float64)


def _mode(values: Ints | Floats) -> float | None:
    """Return the most frequent value; of several, the one that occurs first."""
    if not len(values):
        return None
    kinds, first, count = np.unique(values, return_index=True, return_counts=True)
    return float(kinds[np.lexsort((first, -count))[0]])


def _stale_runs(connection: duckdb.DuckDBPyConnection, name: str, stale_after: int) -> tuple[StaleRun, ...]:
    columns = connection.execute(
        "SELECT ts, oi_base, oi_usd FROM open_interest WHERE instrument = $1 ORDER BY ts", [name]
    ).fetchnumpy()
    ts = columns["ts"]
    coin, usd = (np.ma.filled(np.ma.asarray(columns[key], dtype=np.float64), np.nan) for key in ("oi_base", "oi_usd"))
    moved = np.ones(len(ts) + 1, dtype=np.bool_)
    moved[1:-1] = ~(_equals_previous(coin) & _equals_previous(usd))
    edges = np.flatnonzero(moved)
    long = np.flatnonzero(np.diff(edges) >= stale_after).tolist()
    runs = ((int(edges[i]), int(edges[i + 1])) for i in long)
    return tuple(StaleRun(int(ts[start]), int(ts[stop - 1]), stop - start) for start, stop in runs)


def _equals_previous(values: Floats) -> npt.NDArray[np.bool_]:
    """Return whether each reading except the first equals the previous one; two missing readings are equal."""
    before, after = values[:-1], values[1:]
    return np.asarray((before == after) | (np.isnan(before) & np.isnan(after)), dtype=np.bool_)
