"""What of a map is shown: leverage groups, bars wide enough to see, the range that says something."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.number_format import leverage

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt

    from liqmap.maps.map import LiquidationMap

    _Line: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

__all__ = [
    "BRACKET_CUTS",
    "GROUPS",
    "IDENTIFIED_DISTANCE",
    "DisplayBars",
    "display_bars",
    "first_view",
    "leverage_group",
    "reached",
]

BRACKET_CUTS = (10.0, 20.0, 50.0)
"""Leverage at which the next group begins."""

GROUPS = (
    f"under {leverage(BRACKET_CUTS[0])}",
    f"{leverage(BRACKET_CUTS[0])} to {leverage(BRACKET_CUTS[1])}",
    f"{leverage(BRACKET_CUTS[1])} to {leverage(BRACKET_CUTS[2])}",
    f"{leverage(BRACKET_CUTS[2])} and over",
)

IDENTIFIED_DISTANCE = 0.10
"""Beyond this distance the assumed leverage decides: positions at 5x or less cannot be told from liquidations even in a
year of data, 20x and more can from a month."""

_SHARE_SHOWN = 0.95
_NEAR, _FAR = 0.04, 0.15
_MERGE_STEPS = (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 80, 100, 200, 250, 400, 500, 1000)


@dataclass(frozen=True, eq=False, slots=True)
class DisplayBars:
    """A map summed into fewer, wider bars that begin at the mark and run outward, so that none holds both sides.

    Attributes:
        low: Lower edge of each bar, price, ascending; every bar is ``step`` wide.
        high: Upper edge.
        long: USD by leverage group and bar, shape ``(4, bars)``.
        short: The same for shorts.
        step: Width of a bar, price.
        cumulative: USD between the mark and the far edge of each bar, of the side the bar lies on.
        middle: The first bar at or above the mark.
        seen: Of each bar's USD, both sides together, what was observed.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    step: float
    cumulative: npt.NDArray[np.float64]
    first_short: int
    seen: npt.NDArray[np.float64]

    def cumulative_by_side(self) -> tuple[_Line, _Line]:
        """For longs and for shorts: the far edge of each bar and the sum up to it, from the mark outward."""
        return (
            (self.low[: self.first_short][::-1], self.cumulative[: self.first_short][::-1]),
            (self.high[self.first_short :], self.cumulative[self.first_short :]),
        )


def leverage_group(value: float) -> int:
    """The group of a leverage, 0 (lowest) to 3.

    Example:
        >>> leverage_group(5), leverage_group(10), leverage_group(20), leverage_group(125)
        (0, 1, 2, 3)
    """
    return sum(value >= cut for cut in BRACKET_CUTS)


def first_view(of: LiquidationMap) -> tuple[float, float]:
    """The prices worth a first look: where 95 % of the mapped notional lies, but at least ±4 % and at most ±15 %."""
    weight = of.side("long") + of.side("short")
    distance = np.abs(of.grid.centres() / of.mark_price - 1)
    order = np.argsort(distance, kind="stable")
    mass = np.cumsum(weight[order])
    reach = _FAR
    if mass.size and mass[-1] > 0:
        reach = float(distance[order][np.searchsorted(mass, _SHARE_SHOWN * mass[-1])])
    reach = min(max(math.ceil(reach * 100) / 100, _NEAR), _FAR)
    return max(of.grid.low, of.mark_price * (1 - reach)), min(of.grid.high, of.mark_price * (1 + reach))


def reached(of: LiquidationMap, price: float) -> float:
    """USD between the mark and a price: of longs below the mark, of shorts above; bins are shared out where it cuts."""
    start, edges = _mark_bin(of), of.grid.edges()
    if price < of.mark_price:
        away, bins, there = -edges[start::-1], of.side("long")[:start][::-1], -price
    else:
        away, bins, there = edges[start:], of.side("short")[start:], price
    return float(np.interp(there, away, np.concatenate([[0.0], np.cumsum(bins)])))


def display_bars(of: LiquidationMap, *, most: int = 150, within: tuple[float, float] | None = None) -> DisplayBars:
    """Sum a map into bars; mass is kept to the last bin.

    Args:
        of: The map.
        most: Bars there may be, about, in the range looked at.
        within: That range, prices; :func:`first_view` if left out. The bars cover the whole map all the same.
    """
    grid = of.grid
    low, high = first_view(of) if within is None else within
    wanted = (high - low) / grid.width / most
    merge = next((step for step in _MERGE_STEPS if step >= wanted), math.ceil(wanted))
    start = _mark_bin(of)
    index = (np.arange(grid.bins) - start) // merge
    first = int(index[0])
    index -= first
    count = int(index[-1]) + 1
    long, short = _sum(of.long, of.brackets, index, count), _sum(of.short, of.brackets, index, count)
    ticks = grid.low_tick + (start + (first + np.arange(count + 1)) * merge) * grid.width_ticks
    edges = np.array([grid.price(int(tick)) for tick in ticks])
    middle = -first
    outward = np.concatenate([np.cumsum(long.sum(axis=0)[:middle][::-1])[::-1], np.cumsum(short.sum(axis=0)[middle:])])
    seen = np.zeros(count)
    if of.observed is not None:
        both = of.observed.side("long") + of.observed.side("short")
        seen += np.bincount(index, weights=both, minlength=count)
    return DisplayBars(edges[:-1], edges[1:], long, short, merge * grid.width, outward, middle, seen)


def _mark_bin(of: LiquidationMap) -> int:
    """The bin that begins at the mark (or holds it): the first one of the shorts."""
    found = of.grid.bin_of(of.mark_price)
    return found if found is not None else (0 if of.mark_price < of.grid.low else of.grid.bins)


def _sum(
    bins: npt.NDArray[np.float64], brackets: tuple[float, ...], index: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    """Bins by bracket → bars by group, in bin order so that the bytes repeat."""
    out = np.zeros((len(GROUPS), count))
    for row, value in zip(bins, brackets, strict=True):
        out[leverage_group(value)] += np.bincount(index, weights=row, minlength=count)
    return out
