"""Layout of a heatmap chart: time ranges, price rows, realised liquidations and clusters."""

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
"""Length in days and column width in microseconds of each range, the longest first."""

_ROWS_IN_VIEW = 150
_MAX_TRACKS = 20
_MIN_VIEW_DISTANCE = 0.06
"""Minimum distance of the ends of a view from the last price, as a fraction of it."""


@dataclass(frozen=True, slots=True)
class HeatmapSize:
    """Size of a heatmap chart in pixels: cells and bars, without the labels around them."""

    width: int
    height: int
    ring: float
    """Area of the largest ring."""


WIDE = HeatmapSize(width=990, height=560, ring=900)
MEDIUM = HeatmapSize(width=600, height=470, ring=500)
NARROW = HeatmapSize(width=246, height=430, ring=260)


@dataclass(frozen=True, eq=False, slots=True)
class RealisedLiquidations:
    """Realised liquidations by hour.

    Attributes:
        feed: Name of the instrument or of the vendor aggregate that reports them.
        start: Start of each hour, UTC microseconds, ascending.
        usd: USD of longs and shorts, shape ``(hours, 2)``.
        since: Start of the feed's coverage, UTC microseconds; before it an hour without a row is missing, not zero.
        until: End of the feed's coverage, UTC microseconds.
    """

    feed: str
    start: npt.NDArray[np.int64]
    usd: npt.NDArray[np.float64]
    since: Instant
    until: Instant

    def between(self, start: Instant, end: Instant) -> tuple[float, float] | None:
        """USD of longs and shorts liquidated in whole hours between two times; ``None`` outside the coverage."""
        if start < self.since or end > self.until:
            return None
        inside = (self.start >= start) & (self.start + _HOUR <= end)
        long, short = self.usd[inside].sum(axis=0).tolist()
        return long, short


@dataclass(frozen=True, eq=False, slots=True)
class HeatmapLayout:
    """A heatmap with the choices needed to draw it.

    Attributes:
        heat: The heatmap, with denser columns at later times: see :func:`column_times`.
        parts: Cells by range, the longest range first.
        days: Length of each range in days, limited by the length of the history.
        rows: Price rows, shared by all parts.
        scale: The colour scale.
        views: Lowest and highest price shown with each range.
        clusters: The latest clusters.
        realised: Realised liquidations; ``None`` without a feed.
        summaries: Tracks that are drawn as lines, the largest last.
        tick: Tick size of the instrument.
        first: Index of the range that is shown first.
    """

    heat: Heatmap
    parts: tuple[CellBlock, ...]
    days: tuple[float, ...]
    rows: PriceRows
    scale: ColourScale
    views: tuple[tuple[float, float], ...]
    clusters: tuple[Cluster, ...]
    realised: RealisedLiquidations | None
    summaries: tuple[TrackSummary, ...]
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
        summaries: Sequence[TrackSummary] = (),
        ranges: Sequence[tuple[float, Instant]] | None = None,
    ) -> HeatmapLayout:
        """Choose ranges, rows and colour scale for columns at :func:`column_times`, or for the given ``ranges``."""
        end, begin = int(heat.at[-1]), int(heat.at[0])
        shown = time_ranges(begin, end) if ranges is None else ranges
        # The week is shown first if the history is long enough, since a day holds few changes of the map.
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
            summaries=tuple(one for one in summaries if rows.low <= one.last.peak <= rows.high)[-_MAX_TRACKS:],
            tick=tick,
            first=first,
        )

    @property
    def view(self) -> tuple[float, float]:
        """Lowest and highest price of the first view."""
        return self.views[self.first]

    @property
    def end(self) -> Instant:
        """As-of time, UTC microseconds."""
        return int(self.heat.at[-1])

    @property
    def start(self) -> Instant:
        """Start of the first view, UTC microseconds."""
        return self.end - round(self.days[self.first] * DAY)


def time_ranges(begin: Instant, end: Instant) -> list[tuple[float, Instant]]:
    """Ranges that a history from ``begin`` to ``end`` covers, with their column widths, the longest first.

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
    """Times at which the engine is read, for all ranges together."""
    spans = [np.arange(end - round(days * DAY), end + 1, width) for days, width in time_ranges(begin, end)]
    return np.asarray(np.unique(np.concatenate([*spans, [end]])), dtype=np.int64)


def _view(heat: Heatmap, since: Instant) -> tuple[float, float]:
    """Price range of the view: the prices since then and a margin on both sides of the last price."""
    in_view, last = heat.at >= since, float(heat.close[-1])
    low, high = float(np.nanmin(heat.low[in_view])), float(np.nanmax(heat.high[in_view]))
    margin = (high - low) * 0.03
    return min(low - margin, last * (1 - _MIN_VIEW_DISTANCE)), max(high + margin, last * (1 + _MIN_VIEW_DISTANCE))
