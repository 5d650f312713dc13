"""Display form of a map: leverage groups, bars that are wide enough to see, and the first view."""

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
"""Leverages at which the next leverage group begins."""

GROUPS = (
    f"under {leverage(BRACKET_CUTS[0])}",
    f"{leverage(BRACKET_CUTS[0])} to {leverage(BRACKET_CUTS[1])}",
    f"{leverage(BRACKET_CUTS[1])} to {leverage(BRACKET_CUTS[2])}",
    f"{leverage(BRACKET_CUTS[2])} and over",
)

IDENTIFIED_DISTANCE = 0.10
"""Distance from the mark beyond which the assumed leverage determines the map: a year of liquidations does not identify
the share of positions at 5x or less, while a month identifies that at 20x and more."""

_SHARE_SHOWN = 0.95
_NEAR, _FAR = 0.04, 0.15
_MERGE_STEPS = (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 80, 100, 200, 250, 400, 500, 1000)


@dataclass(frozen=True, eq=False, slots=True)
class DisplayBars:
    """A map summed into fewer, wider bars, which start at the mark so that no bar holds both sides.

    Attributes:
        low: Lower edge of each bar, price, ascending; every bar is ``step`` wide.
        high: Upper edge.
        long: USD by leverage group and bar, shape ``(4, bars)``.
        short: The same for shorts.
        step: Width of a bar, price.
        cumulative: USD between the mark and the far edge of each bar, of the side on which the bar lies.
        first_short: Index of the first bar at or above the mark.
        observed: Observed USD of each bar, both sides together.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    step: float
    cumulative: npt.NDArray[np.float64]
    first_short: int
    observed: npt.NDArray[np.float64]

    def cumulative_by_side(self) -> tuple[_Line, _Line]:
        """Per side, longs first: the far edge of each bar and the notional up to it, from the mark outward."""
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
    """Price range of the first view: holds 95 % of the mapped notional, at least ±4 % and at most ±15 % of the mark."""
    weight = of.side("long") + of.side("short")
    distance = np.abs(of.grid.centres() / of.mark_price - 1)
    order = np.argsort(distance, kind="stable")
    cumulative = np.cumsum(weight[order])
    reach = _FAR
    if cumulative.size and cumulative[-1] > 0:
        reach = float(distance[order][np.searchsorted(cumulative, _SHARE_SHOWN * cumulative[-1])])
    reach = min(max(math.ceil(reach * 100) / 100, _NEAR), _FAR)
    return max(of.grid.low, of.mark_price * (1 - reach)), min(of.grid.high, of.mark_price * (1 + reach))


def reached(of: LiquidationMap, price: float) -> float:
    """USD of the levels between the mark and a price; the bin that contains the price counts in proportion."""
    start, edges = _mark_bin(of), of.grid.edges()
    if price < of.mark_price:
        away, bins, there = -edges[start::-1], of.side("long")[:start][::-1], -price
    else:
        away, bins, there = edges[start:], of.side("short")[start:], price
    return float(np.interp(there, away, np.concatenate([[0.0], np.cumsum(bins)])))


def display_bars(of: LiquidationMap, *, most: int = 150, within: tuple[float, float] | None = None) -> DisplayBars:
    """Sum a map into bars; total notional is preserved.

    Args:
        of: The map.
        most: Approximate maximum number of bars within the range.
        within: That range, as two prices; :func:`first_view` if left out. The bars always cover the whole map.
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
    first_short = -first
    cumulative = np.concatenate(
        [np.cumsum(long.sum(axis=0)[:first_short][::-1])[::-1], np.cumsum(short.sum(axis=0)[first_short:])]
    )
    observed = np.zeros(count)
    if of.observed is not None:
        both = of.observed.side("long") + of.observed.side("short")
        observed += np.bincount(index, weights=both, minlength=count)
    return DisplayBars(edges[:-1], edges[1:], long, short, merge * grid.width, cumulative, first_short, observed)


def _mark_bin(of: LiquidationMap) -> int:
    """The bin that starts at or contains the mark: the first bin of the shorts."""
    found = of.grid.bin_of(of.mark_price)
    return found if found is not None else (0 if of.mark_price < of.grid.low else of.grid.bins)


def _sum(
    bins: npt.NDArray[np.float64], brackets: tuple[float, ...], index: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    """Sum bins by bracket into bars by leverage group, in bin order so that results are reproducible to the byte."""
    out = np.zeros((len(GROUPS), count))
    for row, value in zip(bins, brackets, strict=True):
        out[leverage_group(value)] += np.bincount(index, weights=row, minlength=count)
    return out
