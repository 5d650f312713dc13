"""Resample a heatmap to cells of round prices and times, with a colour shade by notional."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.charts.nice_steps import nice_step
from liqmap.charts.shade_ramp import SHADES

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.maps.heatmap import Heatmap

    Floats = npt.NDArray[np.float64]

__all__ = ["CellBlock", "ColourScale", "PriceRows", "colour_scale", "price_rows", "resample_cells"]

_TOP_FACTORS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
_TOP_QUANTILE = 0.995
"""Quantile of the filled cells at the top of the colour scale; cells above it have the strongest shade."""


@dataclass(frozen=True, slots=True)
class PriceRows:
    """Rows of equal height in price: ``low + i · step``, ``count`` of them."""

    low: float
    step: float
    count: int

    @property
    def high(self) -> float:
        """Upper edge of the last row."""
        return self.low + self.step * self.count

    def edges(self) -> Floats:
        """The ``count + 1`` edges."""
        return np.asarray(self.low + self.step * np.arange(self.count + 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ColourScale:
    """The colour scale, linear in USD: the ``i``-th of ``SHADES`` shades ends at ``top · (i + 1) / SHADES``.

    A root or logarithmic scale would reduce the contrast of clusters, since nearly all cells hold some notional (on
    real data the median cell holds a fifth of the top).
    """

    top: float

    def shade(self, usd: Floats) -> npt.NDArray[np.uint8]:
        """0 for empty cells, else 1 … ``SHADES``; notional above the top has the strongest shade."""
        place = np.ceil(usd / self.top * SHADES)
        return np.asarray(np.where(usd >= 1, np.clip(place, 1, SHADES), 0), dtype=np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class CellBlock:
    """A block of cells with one column width.

    Attributes:
        start: Left edge, UTC microseconds.
        step: Width of a column, microseconds.
        usd: Notional per cell of the side with more notional, shape ``(columns, rows)``.
        short: Whether that side is short.
    """

    start: Instant
    step: Instant
    usd: Floats
    short: npt.NDArray[np.bool_]

    @property
    def end(self) -> Instant:
        """Right edge, UTC microseconds."""
        return self.start + self.step * len(self.usd)

    def indices(self, scale: ColourScale) -> npt.NDArray[np.uint8]:
        """Palette indices of an image, top row first: 1 … ``SHADES`` for longs, the next ``SHADES`` for shorts."""
        shade = scale.shade(self.usd)
        signed = np.where((shade > 0) & self.short, shade + SHADES, shade)
        return np.ascontiguousarray(signed.T[::-1])


def price_rows(low: float, high: float, most: int) -> PriceRows:
    """Rows of a round height that cover a range of prices; at most about ``most`` of them.

    Example:
        >>> price_rows(57_930, 71_210, 150)
        PriceRows(low=57900.0, step=100.0, count=134)
    """
    wanted = (high - low) / most
    step = nice_step(wanted)
    first, last = math.floor(low / step), math.ceil(high / step)
    return PriceRows(first * step, step, last - first)


def resample_cells(heatmap: Heatmap, rows: PriceRows, start: Instant, end: Instant, step: Instant) -> CellBlock:
    """Resample a heatmap to rows of price and columns of time.

    A column shows the latest map at its left edge, whose levels the price met during the column. If that map is older
    than a column, data is missing and the column is empty.

    Args:
        heatmap: The heatmap, with columns at least as dense as ``step``.
        rows: The rows.
        start: Left edge of the first column, UTC microseconds.
        end: Latest left edge of a column.
        step: Width of a column, microseconds.
    """
    starts = np.arange(start, end + 1, step)
    source = np.searchsorted(heatmap.at, starts, side="right") - 1
    known = (source >= 0) & (starts - heatmap.at[np.maximum(source, 0)] < step)
    picked = np.maximum(source, 0)
    long, short = (_on_rows(side[picked].sum(axis=1), heatmap.edges, rows) for side in (heatmap.long, heatmap.short))
    usd = np.where(known[:, None], np.maximum(long, short), 0.0)
    return CellBlock(start, step, usd, short > long)


def colour_scale(blocks: list[CellBlock]) -> ColourScale:
    """One colour scale for all blocks; its top is a round number that few cells exceed."""
    filled = np.concatenate([block.usd[block.usd >= 1] for block in blocks])
    if not filled.size:
        return ColourScale(1e3)
    top = float(np.quantile(filled, _TOP_QUANTILE))
    return ColourScale(nice_step(top, _TOP_FACTORS))


def _on_rows(mass: Floats, edges: Floats, rows: PriceRows) -> Floats:
    """Notional per row, from bins split in proportion at the edges; the total within the rows is preserved."""
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
