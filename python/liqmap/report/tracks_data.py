"""Cluster tracks of the week before an issue, computed once for all pages that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.charts.heatmap.layout import DAY, RANGES
from liqmap.charts.tracks.layout import PricePath
from liqmap.maps.tracks.build_tracks import build_tracks
from liqmap.report.page import MissingData

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import MarketBars
    from liqmap.maps.tracks.tracks import Tracks
    from liqmap.public import History
    from liqmap.report.facts import Facts

__all__ = ["TracksData", "read_tracks_data"]

_HOUR = DAY // 24
_STEPS = (_HOUR, 2 * _HOUR, 4 * _HOUR)
_MAX_COLUMNS = 44
_MIN_COLUMNS = 6
_PAGE_DATA_KEY = "tracks"


@dataclass(frozen=True, eq=False, slots=True)
class TracksData:
    """Cluster tracks of one week, with the price at the same columns and by hour."""

    tracks: Tracks
    path: PricePath
    hourly_path: PricePath


def read_tracks_data(history: History, facts: Facts) -> TracksData | MissingData:
    """The tracks of an issue; cached in the facts, so that several pages share one computation."""
    found: TracksData | MissingData = facts.page_data.get(_PAGE_DATA_KEY) or _read(history, facts)
    facts.page_data[_PAGE_DATA_KEY] = found
    return found


def _read(history: History, facts: Facts) -> TracksData | MissingData:
    name, at = facts.map.instrument, facts.map.at
    if "bars" not in facts.map.provenance.inputs:
        return MissingData(
            "This map is built from accounts observed at a single time, so it has no history.",
            "Load bars and open interest of the instrument to fill this page from the next issue.",
        )
    bars = history.market_bars(name, until=at)
    span = min(RANGES[1][0] * DAY, at - int(bars.end[0]))
    step = next((step for step in _STEPS if span // step < _MAX_COLUMNS), _STEPS[-1])
    columns = span // step
    if columns < _MIN_COLUMNS:
        return MissingData(
            f"The history covers less than {_MIN_COLUMNS} hours before this issue.",
            "The page becomes available with more history, or when older bars and open interest are loaded.",
        )
    tracks = build_tracks(history, name, start=at - columns * step, end=at, step=step)
    hours = np.arange(at - columns * step, at + 1, _HOUR)
    return TracksData(tracks, _price_path(bars, tracks.at), _price_path(bars, hours))


def _price_path(bars: MarketBars, at: npt.NDArray[np.int64]) -> PricePath:
    """Low, high and close of the price per column; columns without a new bar are skipped."""
    last = np.unique(np.searchsorted(bars.end, at, side="right") - 1)
    begins = np.concatenate([last[:1], last[:-1] + 1])
    upto = slice(0, int(last[-1]) + 1)
    low, high = np.minimum.reduceat(bars.low[upto], begins), np.maximum.reduceat(bars.high[upto], begins)
    return PricePath(bars.end[last], low, high, bars.close[last])
