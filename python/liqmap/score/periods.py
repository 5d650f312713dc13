"""Scored periods: bars and realised liquidations aligned in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Floats, Ints, Liquidations, MarketBars

__all__ = ["Periods", "match_periods"]

_US = 1_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Periods:
    """Periods of equal length with complete bars and known liquidations of both sides.

    Attributes:
        start: Start of each period, UTC microseconds, ascending.
        length_us: Length of each period, microseconds.
        first: Index of the first bar of each period.
        bars: Number of bars per period.
        realised: USD liquidated, shape ``(periods, 2)``, longs first.
        throttled: Whether any of it comes from a feed that omits liquidations.
    """

    start: Ints
    length_us: int
    first: Ints
    bars: int
    realised: Floats
    throttled: bool

    def __len__(self) -> int:
        return len(self.start)

    @property
    def hours(self) -> float:
        """Length of a period in hours."""
        return self.length_us / 3.6e9

    @property
    def inside(self) -> npt.NDArray[np.intp]:
        """Indices of each period's bars, shape ``(periods, bars)``."""
        return np.asarray(self.first[:, None] + np.arange(self.bars), dtype=np.intp)

    def gather(self, per_bar: Floats) -> Floats:
        """Sum values per bar over the bars of each period."""
        return np.asarray(per_bar[self.inside].sum(axis=1), dtype=np.float64)

    def between(self, start: Instant, end: Instant) -> npt.NDArray[np.intp]:
        """Indices of the periods inside ``[start, end)``.

        Raises:
            NotFoundError: No period lies inside.
        """
        inside = np.flatnonzero((self.start >= start) & (self.start + self.length_us <= end))
        if not len(inside):
            found = f"no period from {iso(start)} to {iso(end)} with bars and realised liquidations"
            raise NotFoundError("score", "liquidations", found, "a span with both in the history", "nothing scored")
        return inside


def match_periods(bars: MarketBars, realised: Liquidations) -> Periods:
    """Align bars and realised liquidations in periods.

    A period is as long as a liquidation window, or as a bar if that is longer. Single events (no window) count in their
    bar, and a bar without events between the first and the last event counts as zero.

    Raises:
        NotFoundError: Bars and liquidations have no common time, or windows that bars do not divide evenly.
    """
    bar_us = bars.interval_s * _US
    window_us = int(realised.window_s.max(initial=0)) * _US
    length = max(bar_us, window_us)
    usable = window_us == 0 or length % max(window_us, 1) == 0
    if not len(realised.ts) or not len(bars) or length % bar_us or not usable:
        found = f"bars of {bars.interval_s} s, {len(realised.ts)} liquidations in windows of {window_us // _US} s"
        raise NotFoundError("score", bars.instrument, found, "windows that bars divide evenly", "nothing scored")
    start = np.unique(bars.ts // length * length)
    first = np.searchsorted(bars.ts, start)
    count = length // bar_us
    whole = first + count <= len(bars)
    start, first = start[whole], first[whole]
    whole = (bars.ts[first] == start) & (bars.ts[first + count - 1] == start + length - bar_us)
    start, first = start[whole], first[whole]

    place = realised.ts // length * length
    index = np.searchsorted(start, place)
    inside = (index < len(start)) & (start[np.minimum(index, len(start) - 1)] == place) if len(start) else place < 0
    column = np.where(realised.long, 0, 1)
    usd, windows = np.zeros((len(start), 2)), np.zeros((len(start), 2), dtype=np.int64)
    np.add.at(usd, (index[inside], column[inside]), realised.usd[inside])
    np.add.at(windows, (index[inside], column[inside]), 1)
    complete = (windows == length // max(window_us, 1)).all(axis=1)
    known = complete if window_us else (start >= place[0]) & (start <= place[-1])
    if not known.any():
        found = "no common time of bars and realised liquidations"
        raise NotFoundError("score", bars.instrument, found, "liquidations during the bars", "nothing scored")
    return Periods(
        start=start[known],
        length_us=length,
        first=first[known],
        bars=count,
        realised=usd[known],
        throttled=bool((realised.feed == "throttled").any()),
    )
