"""What a page says about one instrument, gathered in one place before a word of it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from liqmap.clock import parse
from liqmap.stress.market import side_of, usable

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.clock import Instant
    from liqmap.history.coverage import Coverage
    from liqmap.instruments import Instrument, Side
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap
    from liqmap.provenance import Provenance
    from liqmap.public import History
    from liqmap.report.config import Report
    from liqmap.stress.cascade import Cascade

__all__ = ["Facts", "Issue", "Source", "Within", "gather", "sources_of"]

REACHES = (0.01, 0.02, 0.05, 0.10, 0.20)
_DAY = 86_400_000_000
_SIGMA_DAYS = 7
_HORIZON = 12 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A table the map was made from.

    Attributes:
        table: Its name.
        rows: How many rows were known.
        first: The first one's time, UTC microseconds.
        last: The last one's.
        files: sha256 of the files the rows came from.
        missing: Rows that should be there by the map's time and are not.
        longest: The longest such gap, microseconds.
        stale: Readings in runs of open interest that stood still.
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
class Within:
    """What would be liquidated if the price moved by ``reach``, USD."""

    reach: float
    long: float
    short: float


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything the pages say about one instrument.

    Attributes:
        about: The instrument.
        map: Its map.
        change: Move of the mark over the last 24 hours as a fraction; ``None`` where the history is shorter.
        sigma: One standard deviation of 12 hours' moves, from the last seven days; ``None`` where there is too little.
        sources: The tables behind the map.
        cascades: What the report's shocks would do, in their order.
        data_to: End of the newest bar that was known, UTC microseconds; the map's own time if left out.
    """

    about: Instrument
    map: LiquidationMap
    change: float | None = None
    sigma: float | None = None
    sources: tuple[Source, ...] = ()
    cascades: tuple[Cascade, ...] = ()
    data_to: Instant = 0
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

    def within(self, reach: float) -> Within:
        """What lies between the mark and ``reach`` below and above it, USD; bins are shared out where an edge cuts."""
        edges, mark = self.map.grid.edges(), self.map.mark_price
        long = np.concatenate([[0.0], np.cumsum(self.map.side("long"))])
        short = np.concatenate([[0.0], np.cumsum(self.map.side("short"))])
        below = long[-1] - float(np.interp(mark * (1 - reach), edges, long))
        return Within(reach, below, float(np.interp(mark * (1 + reach), edges, short)))


@dataclass(frozen=True, eq=False)
class Issue:
    """One issue of a report: the same for every page of it."""

    report: Report
    at: Instant
    facts: tuple[Facts, ...]

    @property
    def simulated(self) -> bool:
        """Whether anything in it is made up: then every page says so."""
        return any(fact.map.provenance.simulated for fact in self.facts)


def gather(history: History, report: Report, at: Instant | None = None) -> Issue:
    """Read a history into an issue; without a time, as of the end of the first instrument's bars.

    Raises:
        NotFoundError: The history does not have an instrument of the report, or not at that time.
    """
    facts: list[Facts] = []
    for name in report.instruments:
        made = history.map(name, facts[0].map.at if facts else at)
        change, sigma, data_to = _past(history, name, made)
        book = history.depth(name, made.at)
        cascades = tuple(made.cascade(shock, usable(made, book, side_of(shock))) for shock in report.shocks)
        sources = sources_of(made.provenance, history.coverage(name), made.at)
        facts.append(Facts(history.instrument(name), made, change, sigma, sources, cascades, data_to))
    return Issue(report, facts[0].map.at, tuple(facts))


def _past(history: History, name: str, made: LiquidationMap) -> tuple[float | None, float | None, Instant]:
    """The day's move, one σ, and the end of the newest data; a map of observed positions alone has only the last."""
    if made.provenance.observed_share == 1 and "bars" not in made.provenance.inputs:
        return None, None, made.at if made.observed is None else made.observed.as_of
    bars = history.market_bars(name, until=made.at)
    return *_moves(bars.end, bars.close, made.at), int(bars.end[-1])


def sources_of(provenance: Provenance, coverage: Coverage, at: Instant) -> tuple[Source, ...]:
    """The tables behind a map with their holes, as both were known at ``at``.

    Coverage speaks of the whole history; what began later than the map is left out.
    """
    found = []
    for table, entry in provenance.inputs.items():
        if not isinstance(entry, dict) or not {"rows", "first", "last"} <= entry.keys():
            continue
        spans = [span for span in coverage.spans if span.table == table]
        gaps = [gap for span in spans for gap in span.gaps if gap.end <= at]
        files = entry.get("sha256s")
        found.append(
            Source(
                table,
                int(str(entry["rows"])),
                parse(str(entry["first"])),
                parse(str(entry["last"])),
                files=tuple(map(str, files)) if isinstance(files, list) else (),
                missing=sum(gap.missing for gap in gaps),
                longest=max((gap.end - gap.start for gap in gaps), default=0),
                stale=sum(run.rows for span in spans for run in span.stale if run.end <= at),
            )
        )
    return tuple(found)


def _moves(
    ends: npt.NDArray[np.int64], close: npt.NDArray[np.float64], at: Instant
) -> tuple[float | None, float | None]:
    """The last 24 hours' move, and one σ of 12 hours from the log moves of the last seven days.

    σ² is the mean of squared moves over the time they took, so that a gap in the bars counts for as long as it was.
    """
    earlier = int(np.searchsorted(ends, at - _DAY, side="right")) - 1
    if earlier < 0:
        return None, None
    change = float(close[-1] / close[earlier] - 1)
    first = int(np.searchsorted(ends, at - _SIGMA_DAYS * _DAY, side="left"))
    moves, span = np.diff(np.log(close[first:])), int(ends[-1] - ends[first])
    return change, math.sqrt(float(moves @ moves) / span * _HORIZON) if span >= _DAY else None
