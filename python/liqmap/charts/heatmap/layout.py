"""What a heatmap's chart shows: its ranges of time, its rows of price, what was liquidated, where clusters stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.charts.heatmap.cells import CellBlock, ColourScale, PriceRows, colour_scale, price_rows, resample_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.charts.tracks.layout import TrackSummary
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.heatmap import Heatmap

__all__ = [
    "DAY",
    "MEDIUM",
    "NARROW",
    "RANGES",
    "WIDE",
    "HeatmapLayout",
    "HeatmapSize",
    "RealisedLiquidations",
    "column_times",
    "time_ranges",
]

DAY = 86_400_000_000
_HOUR = DAY // 24

RANGES = ((30, 4 * _HOUR), (7, _HOUR), (1, _HOUR // 4))
"""Days looked back on and the width of a column, the longest first."""

_ROWS_IN_VIEW = 150
_MAX_TRACKS = 20
_MIN_VIEW_DISTANCE = 0.06
"""The first view reaches at least this far above and below the last price."""


@dataclass(frozen=True, slots=True)
class HeatmapSize:
    """The room a chart has, pixels: the picture with what stands now at its right, without the labels around it."""

    width: int
    height: int
    ring: float
    """Area of the largest ring."""


WIDE = HeatmapSize(width=990, height=560, ring=900)
MEDIUM = HeatmapSize(width=600, height=470, ring=500)
NARROW = HeatmapSize(width=246, height=430, ring=260)


@dataclass(frozen=True, eq=False, slots=True)
class RealisedLiquidations:
    """Liquidations that happened, by hour.

    Attributes:
        feed: Whose: the instrument's own name, or that of an aggregate of venues.
        start: Of each hour, UTC microseconds, ascending.
        usd: Longs and shorts, shape ``(hours, 2)``.
        since: From when on the feed tells; an hour without a row before that is not known to be quiet.
        until: Up to when it does.
    """

    feed: str
    start: npt.NDArray[np.int64]
    usd: npt.NDArray[np.float64]
    since: Instant
    until: Instant

    def between(self, start: Instant, end: Instant) -> tuple[float, float] | None:
        """Longs and shorts liquidated in hours between two times, USD; ``None`` where the feed is not known."""
        if start < self.since or end > self.until:
            return None
        inside = (self.start >= start) & (self.start + _HOUR <= end)
        long, short = self.usd[inside].sum(axis=0).tolist()
        return long, short


@dataclass(frozen=True, eq=False, slots=True)
class HeatmapLayout:
    """A heatmap ready to be drawn.

    Attributes:
        heat: Its columns, the denser the later: see :func:`column_times`.
        parts: Cells by range, the longest range first.
        days: Length of each range, in days: that of the history where it is shorter.
        rows: Rows of price that all parts share.
        scale: What a shade stands for.
        views: First and last price to show with each range.
        clusters: Those that stand now.
        realised: What happened, where a feed tells.
        lives: Clusters followed through the week, the largest last; they are drawn as lines.
        tick: The instrument's.
        first: Which of the ranges is shown first.
    """

    heat: Heatmap
    parts: tuple[CellBlock, ...]
    days: tuple[float, ...]
    rows: PriceRows
    scale: ColourScale
    views: tuple[tuple[float, float], ...]
    clusters: tuple[Cluster, ...]
    realised: RealisedLiquidations | None
    lives: tuple[TrackSummary, ...]
    tick: float
    first: int

    @classmethod
    def of_heatmap(
        cls,
        heat: Heatmap,
        clusters: Sequence[Cluster],
        *,
        tick: float,
        realised: RealisedLiquidations | None = None,
        lives: Sequence[TrackSummary] = (),
        ranges: Sequence[tuple[float, Instant]] | None = None,
    ) -> HeatmapLayout:
        """Choose ranges, rows and shades for columns made at :func:`column_times`, or for any given ``ranges``."""
        end, begin = int(heat.at[-1]), int(heat.at[0])
        shown = time_ranges(begin, end) if ranges is None else ranges
        # The week comes first, where there is one: a day tells too little of how a map came about.
        first = next((i for i, (days, _) in enumerate(shown) if days <= RANGES[1][0]), 0)
        views = tuple(_view(heat, end - round(days * DAY)) for days, _ in shown)
        step = price_rows(*views[first], _ROWS_IN_VIEW).step
        low, high = math.floor(views[0][0] / step), math.ceil(views[0][1] / step)
        rows = PriceRows(low * step, step, high - low)
        parts = tuple(resample_cells(heat, rows, end - round(days * DAY), end, width) for days, width in shown)
        return cls(
            heat=heat,
            parts=parts,
            days=tuple(days for days, _ in shown),
            rows=rows,
            scale=colour_scale(list(parts[first:])),
            views=views,
            clusters=tuple(c for c in clusters if rows.low <= c.peak <= rows.high),
            realised=realised,
            lives=tuple(one for one in lives if rows.low <= one.last.peak <= rows.high)[-_MAX_TRACKS:],
            tick=tick,
            first=first,
        )

    @property
    def view(self) -> tuple[float, float]:
        """First and last price of the first view."""
        return self.views[self.first]

    @property
    def end(self) -> Instant:
        """As-of time."""
        return int(self.heat.at[-1])

    @property
    def start(self) -> Instant:
        """Where the first view begins."""
        return self.end - round(self.days[self.first] * DAY)


def time_ranges(begin: Instant, end: Instant) -> list[tuple[float, Instant]]:
    """Ranges that a history from ``begin`` can fill, with their columns' width, the longest first.

    Example:
        >>> [(days, width // 60_000_000) for days, width in time_ranges(0, 18 * DAY)]
        [(18.0, 240), (7.0, 60), (1.0, 15)]
        >>> [(days, width // 60_000_000) for days, width in time_ranges(0, 30 * 3_600_000_000)]
        [(1.25, 60), (1.0, 15)]
    """
    found: list[tuple[float, Instant]] = []
    for i, (days, width) in enumerate(RANGES):
        shorter = RANGES[i + 1][0] if i + 1 < len(RANGES) else 0
        length = min(days * DAY, (end - begin) // width * width)
        if length > shorter * DAY:
            found.append((length / DAY, width))
    return found


def column_times(begin: Instant, end: Instant) -> npt.NDArray[np.int64]:
    """Times at which the engine has to be read for all ranges together."""
    spans = [np.arange(end - round(days * DAY), end + 1, width) for days, width in time_ranges(begin, end)]
    return np.asarray(np.unique(np.concatenate([*spans, [end]])), dtype=np.int64)


def _view(heat: Heatmap, since: Instant) -> tuple[float, float]:
    """Where the price was since then, and some way to either side of where it is."""
    seen, last = heat.at >= since, float(heat.close[-1])
    low, high = float(np.nanmin(heat.low[seen])), float(np.nanmax(heat.high[seen]))
    spare = (high - low) * 0.03
    return min(low - spare, last * (1 - _MIN_VIEW_DISTANCE)), max(high + spare, last * (1 + _MIN_VIEW_DISTANCE))
