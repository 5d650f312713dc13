"""The data behind the pages of one instrument, collected before any text is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from liqmap._base.timestamps import parse_instant
from liqmap.history.coverage import STALE_AFTER, Coverage
from liqmap.maps.display_bars import reached
from liqmap.stress.touch_probability import touch_probability

if TYPE_CHECKING:
    from liqmap._base.instruments import Instrument, Side
    from liqmap._base.provenance import Provenance
    from liqmap._base.timestamps import Instant
    from liqmap.history.coverage import Span
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap
    from liqmap.report.config import Report
    from liqmap.stress.cascade import Cascade

__all__ = ["REACHES", "Facts", "Issue", "LiquidatedWithin", "Source", "coverage_as_of", "source_tables"]

REACHES = (0.01, 0.02, 0.05, 0.10, 0.20)


@dataclass(frozen=True, slots=True)
class Source:
    """An input table of a map.

    Attributes:
        table: Name of the table.
        rows: Number of rows available at the time of the map.
        first: Time of the first row, UTC microseconds.
        last: Time of the last row, UTC microseconds.
        files: SHA-256 of the source files.
        missing: Number of rows missing up to the time of the map.
        longest: Longest gap, microseconds.
        stale: Number of readings in runs of unchanged open interest.
    """

    table: str
    rows: int
    first: Instant
    last: Instant
    files: tuple[str, ...] = ()
    missing: int = 0
    longest: Instant = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class LiquidatedWithin:
    """Notional liquidated if the price moves by ``reach`` (a fraction) in either direction, USD."""

    reach: float
    long: float
    short: float


@dataclass(frozen=True, eq=False)
class Facts:
    """Data of one instrument for its pages.

    Attributes:
        about: The instrument.
        map: Its liquidation map.
        change: Move of the mark over the last 24 hours, a fraction; ``None`` if the history is shorter.
        sigma: Standard deviation of 12-hour moves over the last seven days; ``None`` if there is too little data.
        sources: Input tables of the map.
        cascades: Cascades of the report's shocks, in the same order.
        data_to: End of the newest available bar, UTC microseconds; the time of the map by default.
        coverage: Coverage of the instrument in the history, including data after the map.
        every: Interval between issues, microseconds.
        material: Data read by each page, by page name; see :class:`liqmap.report.page.Page`.
    """

    about: Instrument
    map: LiquidationMap
    change: float | None = None
    sigma: float | None = None
    sources: tuple[Source, ...] = ()
    cascades: tuple[Cascade, ...] = ()
    data_to: Instant = 0
    coverage: Coverage = field(default_factory=lambda: Coverage(()))
    page_data: dict[str, Any] = field(default_factory=dict)
    every: Instant = 86_400_000_000
    clusters: tuple[Cluster, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clusters", self.map.clusters())
        object.__setattr__(self, "data_to", self.data_to or self.map.at)

    @property
    def open_interest_usd(self) -> float:
        """One-sided open interest at the mark, USD."""
        return self.map.open_interest * self.map.mark_price

    def of_side(self, side: Side) -> tuple[Cluster, ...]:
        """Clusters of one side, nearest to the mark first."""
        return tuple(sorted((c for c in self.clusters if c.side == side), key=lambda c: abs(c.distance)))

    def touch_probability(self, cluster: Cluster, hours: float = 24.0) -> float | None:
        """Probability that the price touches the near edge of a cluster within ``hours``; ``None`` if unknown."""
        conditions = getattr(self.page_data.get("levels"), "conditions", None)
        if conditions is None:
            return None
        near = cluster.high if cluster.side == "long" else cluster.low
        return touch_probability(near / self.map.mark_price - 1, conditions.volatility, hours)

    def within(self, reach: float) -> LiquidatedWithin:
        """Notional between the mark and ``reach`` below and above it, USD; partial bins count proportionally."""
        below, above = (self.map.mark_price * (1 + move) for move in (-reach, reach))
        return LiquidatedWithin(reach, reached(self.map, below), reached(self.map, above))


@dataclass(frozen=True, eq=False)
class Issue:
    """One issue of a report: the data of all its instruments."""

    report: Report
    at: Instant
    facts: tuple[Facts, ...]

    @property
    def simulated(self) -> bool:
        """Whether any instrument is simulated; every page is then labelled as such."""
        return any(fact.map.provenance.simulated for fact in self.facts)


def coverage_as_of(coverage: Coverage, at: Instant) -> tuple[Span, ...]:
    """Coverage as it was known at ``at``, so that back-filled issues show what was available at their time.

    Rows without a fixed interval cannot be counted retrospectively: ``rows`` is 0 unless all rows precede ``at``.
    """
    return tuple(_span_as_of(span, at) for span in coverage.spans if span.first < at)


def _span_as_of(span: Span, at: Instant) -> Span:
    step = round((span.interval_s or 0) * 1e6)
    if span.last + step <= at:
        return span
    if not step:
        return replace(span, last=at, rows=0, gaps=(), stale=())
    gaps = tuple(gap for gap in span.gaps if gap.end < at)
    # Inside a gap the coverage ends where the gap begins.
    hole = next((gap for gap in span.gaps if gap.start < at <= gap.end), None)
    last = hole.start - step if hole else span.first + (at - span.first) // step * step - step
    runs = (
        replace(run, end=min(run.end, last), rows=min(run.rows, (last - run.start) // step + 1))
        for run in span.stale
        if run.start < last
    )
    rows = (last - span.first) // step + 1 - sum(gap.missing for gap in gaps)
    stale = tuple(run for run in runs if run.rows >= STALE_AFTER)
    return replace(span, last=last, rows=rows, gaps=gaps, stale=stale)


def source_tables(provenance: Provenance, coverage: Coverage, at: Instant) -> tuple[Source, ...]:
    """Input tables of a map with their gaps, as known at ``at``."""
    found = []
    for table, entry in provenance.inputs.items():
        if not isinstance(entry, dict) or not {"rows", "first", "last"} <= entry.keys():
            continue
        spans = [span for span in coverage_as_of(coverage, at) if span.table == table]
        gaps = [gap for span in spans for gap in span.gaps]
        files = entry.get("sha256s")
        found.append(
            Source(
                table,
                int(str(entry["rows"])),
                parse_instant(str(entry["first"])),
                parse_instant(str(entry["last"])),
                files=tuple(map(str, files)) if isinstance(files, list) else (),
                missing=sum(gap.missing for gap in gaps),
                longest=max((gap.end - gap.start for gap in gaps), default=0),
                stale=sum(run.rows for span in spans for run in span.stale),
            )
        )
    return tuple(found)
