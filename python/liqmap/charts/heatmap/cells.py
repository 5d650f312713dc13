"""A heatmap as cells of round prices and times, each with the shade of what would be liquidated there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.charts.palette import SHADES

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.maps.heatmap import Heatmap

    Floats = npt.NDArray[np.float64]

__all__ = ["CellBlock", "ColourScale", "PriceRows", "colour_scale", "price_rows", "resample_cells"]

_NICE_STEPS = (1, 2, 2.5, 5, 10)
_TOP_QUANTILE = 0.995
"""Share of the filled cells that the scale tells apart; the few above it have the strongest shade."""


@dataclass(frozen=True, slots=True)
class PriceRows:
    """Rows of equal height in price: ``low + i · step``, ``count`` of them."""

    low: float
    step: float
    count: int

    @property
    def high(self) -> float:
        """Upper end."""
        return self.low + self.step * self.count

    def edges(self) -> Floats:
        """The ``count + 1`` edges."""
        return np.asarray(self.low + self.step * np.arange(self.count + 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ColourScale:
    """What a shade stands for: equal steps of dollars, the ``i``-th of ``SHADES`` ends at ``top · (i + 1) / SHADES``.

    Linear on purpose. A map without gaps in its accounts has something nearly everywhere (on real data the middle cell
    holds a fifth of the top), so a root or a logarithm would lift the ground and let clusters sink into it. Twice the
    money is twice the way from paper.
    """

    top: float

    def shade(self, usd: Floats) -> npt.NDArray[np.uint8]:
        """0 where there is nothing, else 1 … ``SHADES``; what is over the top has the strongest shade."""
        place = np.ceil(usd / self.top * SHADES)
        return np.asarray(np.where(usd >= 1, np.clip(place, 1, SHADES), 0), dtype=np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class CellBlock:
    """Cells of one time step.

    Attributes:
        start: Left edge, UTC microseconds.
        step: Width of a column.
        usd: Notional per cell, of the side that has more there, shape ``(columns, rows)``.
        short: Whether that side is the shorts.
    """

    start: Instant
    step: Instant
    usd: Floats
    short: npt.NDArray[np.bool_]

    @property
    def end(self) -> Instant:
        """Right edge."""
        return self.start + self.step * len(self.usd)

    def indices(self, scale: ColourScale) -> npt.NDArray[np.uint8]:
        """Shades as a picture wants them: top row first; longs 1 … ``SHADES``, shorts after them."""
        shade = scale.shade(self.usd)
        signed = np.where((shade > 0) & self.short, shade + SHADES, shade)
        return np.ascontiguousarray(signed.T[::-1])


def price_rows(low: float, high: float, most: int) -> PriceRows:
    """Rows of a round height that cover a range of prices, about ``most`` at most.

    Example:
        >>> price_rows(57_930, 71_210, 150)
        PriceRows(low=57900.0, step=100.0, count=134)
    """
    wanted = (high - low) / most
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(factor * power for factor in _NICE_STEPS if factor * power >= wanted * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    return PriceRows(first * step, step, last - first)


def resample_cells(heat: Heatmap, rows: PriceRows, start: Instant, end: Instant, step: Instant) -> CellBlock:
    """Lay a heatmap on rows of price and columns of time.

    A column shows the map that was known when it began: what the price met in it. Where the next map came later than
    the column after, there is a hole in the data, and nothing is shown.

    Args:
        heat: Columns at least as dense as ``step``.
        rows: The rows.
        start: Left edge of the first column.
        end: No column begins after it.
        step: Width of a column.
    """
    begins = np.arange(start, end + 1, step)
    source = np.searchsorted(heat.at, begins, side="right") - 1
    known = (source >= 0) & (begins - heat.at[np.maximum(source, 0)] < step)
    picked = np.maximum(source, 0)
    long, short = (_on_rows(side[picked].sum(axis=1), heat.edges, rows) for side in (heat.long, heat.short))
    usd = np.where(known[:, None], np.maximum(long, short), 0.0)
    return CellBlock(start, step, usd, short > long)


def colour_scale(parts: list[CellBlock]) -> ColourScale:
    """One scale for all: its top is a round number that all but a few cells stay under."""
    filled = np.concatenate([part.usd[part.usd >= 1] for part in parts])
    if not filled.size:
        return ColourScale(1e3)
    top = float(np.quantile(filled, _TOP_QUANTILE))
    power = 10.0 ** math.floor(math.log10(top))
    return ColourScale(next(f * power for f in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if f * power >= top * (1 - 1e-9)))


def _on_rows(mass: Floats, edges: Floats, rows: PriceRows) -> Floats:
    """Bins shared out over rows by where their edges lie; nothing is lost between the ends of the axis."""
    inside = slice(
        max(int(np.searchsorted(edges, rows.low)) - 1, 0), int(np.searchsorted(edges, rows.high, side="right")) + 1
    )
    edges, mass = edges[inside], mass[:, inside.start : inside.stop - 1]
    running = np.concatenate([np.zeros((len(mass), 1)), np.cumsum(mass, axis=1)], axis=1)
    wanted = np.clip(rows.edges(), edges[0], edges[-1])
    bin_ = np.clip(np.searchsorted(edges, wanted, side="right") - 1, 0, len(edges) - 2)
    share = (wanted - edges[bin_]) / (edges[bin_ + 1] - edges[bin_])
    at = running[:, bin_] + (running[:, bin_ + 1] - running[:, bin_]) * share
    return np.asarray(np.diff(at, axis=1), dtype=np.float64)
