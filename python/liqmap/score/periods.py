"""Realised liquidations and bars on one clock: the periods that are scored."""

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

__all__ = ["Periods", "match"]

_US = 1_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Periods:
    """Spans of equal length that bars cover without a gap and for which both sides' liquidations are known.

    Attributes:
        start: UTC microseconds, ascending.
        length_us: Length of each.
        first: Index of the first bar inside each period.
        bars: How many bars a period holds.
        realised: USD liquidated, shape ``(periods, 2)``, longs first.
        throttled: Whether any of it comes from a feed that leaves liquidations out.
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
        """Sum what is given per bar over each period's bars."""
        return np.asarray(per_bar[self.inside].sum(axis=1), dtype=np.float64)

    def between(self, start: Instant, end: Instant) -> npt.NDArray[np.intp]:
        """Which periods lie inside ``[start, end)``.

        Raises:
            NotFoundError: None does.
        """
        inside = np.flatnonzero((self.start >= start) & (self.start + self.length_us <= end))
        if not len(inside):
            found = f"no period from {iso(start)} to {iso(end)} with bars and realised liquidations"
            raise NotFoundError("score", "liquidations", found, "a span the history has", "nothing scored")
        return inside


def match(bars: MarketBars, realised: Liquidations) -> Periods:
    """Put bars and realised liquidations on one clock.

    A period is as long as a liquidation window, or as a bar if that is longer. Single events (no window) count in the
    bar they fall in, and a bar between the first and the last event without any counts as zero.

    Raises:
        NotFoundError: The two nowhere cover the same time.
    """
    bar_us = bars.interval_s * _US
    window_us = int(realised.window_s.max(initial=0)) * _US
    length = max(bar_us, window_us)
    usable = window_us == 0 or length % max(window_us, 1) == 0
    if not len(realised.ts) or not len(bars) or length % bar_us or not usable:
        found = f"bars of {bars.interval_s} s beside {len(realised.ts)} liquidations in windows of {window_us // _US} s"
        raise NotFoundError("score", bars.instrument, found, "windows that bars fill evenly", "nothing scored")
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
    told = (windows == length // max(window_us, 1)).all(axis=1)
    known = told if window_us else (start >= place[0]) & (start <= place[-1])
    if not known.any():
        found = "no time that bars and realised liquidations share"
        raise NotFoundError("score", bars.instrument, found, "liquidations during the bars", "nothing scored")
    return Periods(
        start=start[known],
        length_us=length,
        first=first[known],
        bars=count,
        realised=usd[known],
        throttled=bool((realised.feed == "throttled").any()),
    )
