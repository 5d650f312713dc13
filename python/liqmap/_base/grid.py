"""The price axis of a map: bins of equal width in integer ticks, left-closed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from liqmap._base.errors import InputError

__all__ = ["MAX_BINS", "Grid"]

MAX_BINS = 1_000_000
_MAX_TICKS = 2**53  # beyond it a float no longer counts single ticks
_TICK_LIMIT = 2**51
_SPAN_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Grid:
    """``bins`` bins of ``width_ticks`` ticks; bin ``i`` holds prices in ``[low + i·width, low + (i+1)·width)``.

    A price is first rounded to its tick (``floor(price · (1 / tick) + ½)``) and compared as an integer, so that binary
    floating point cannot move a price across a bin edge.

    Args:
        tick: Price of one tick, in quote currency.
        low_tick: Lowest edge, in ticks.
        width_ticks: Ticks per bin.
        bins: Number of bins.

    Raises:
        InputError: ``tick`` is not a finite number above 0, ``width_ticks`` or ``bins`` is below 1, or ``bins`` exceeds
            ``MAX_BINS``.

    Example:
        >>> grid = Grid(tick=0.1, low_tick=600_000, width_ticks=500, bins=800)
        >>> grid.low, grid.width, grid.high
        (60000.0, 50.0, 100000.0)
        >>> grid.bin_of(60_049.9), grid.bin_of(60_050.0), grid.bin_of(59_999.9)
        (0, 1, None)
    """

    tick: float
    low_tick: int
    width_ticks: int
    bins: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tick) and self.tick > 0):
            raise InputError("grid", "tick", repr(self.tick), "a finite number above 0", "stopped")
        if self.width_ticks < 1:
            raise InputError("grid", "width", f"{self.width_ticks} ticks", "at least one tick", "stopped")
        if not 1 <= self.bins <= MAX_BINS:
            raise InputError("grid", "bins", repr(self.bins), f"1 to {MAX_BINS}", "stopped")
        if max(abs(self.low_tick), abs(self.low_tick + self.width_ticks * self.bins)) >= _TICK_LIMIT:
            raise InputError("grid", "range", f"{self.low_tick} ticks", "prices below 2^51 ticks", "stopped")
        if self.width_ticks * self.bins >= _SPAN_LIMIT:
            found = f"{self.width_ticks * self.bins} ticks"
            raise InputError("grid", "range", found, "fewer than 2^31 ticks from low to high", "stopped")

    @classmethod
    def between(cls, low: float, high: float, width: float, tick: float) -> Grid:
        """Create a grid that covers ``[low, high)`` with bins of ``width``, all in quote currency.

        Raises:
            InputError: ``high <= low``, a number is not finite, or ``width`` is below one tick.

        Example:
            >>> Grid.between(60_000, 100_000, 50, tick=0.1).bins
            800
        """
        if not all(math.isfinite(x) for x in (low, high, width)):
            raise InputError("grid", "range", f"[{low}, {high}) by {width}", "finite prices", "stopped")
        if high <= low:
            raise InputError("grid", "range", f"[{low}, {high})", "high above low", "stopped")
        if not (math.isfinite(tick) and tick > 0):
            raise InputError("grid", "tick", repr(tick), "a finite number above 0", "stopped")
        low_tick = math.floor(low * (1 / tick) + 0.5)
        width_ticks = math.floor(width * (1 / tick) + 0.5)
        if width_ticks < 1:
            raise InputError("grid", "width", repr(width), f"at least one tick ({tick})", "stopped")
        bins = -(-(math.floor(high * (1 / tick) + 0.5) - low_tick) // width_ticks)
        return cls(tick=tick, low_tick=low_tick, width_ticks=width_ticks, bins=max(bins, 1))

    @classmethod
    def around(cls, mark: float, tick: float, *, reach: float = 0.6, width: float | None = None) -> Grid:
        """Create the default grid of a map; one edge lies at the mark, so that no bin contains both sides.

        Args:
            mark: Mark price.
            tick: Tick size.
            reach: Distance covered on each side, as a fraction of the mark; 0.6 covers a position at 2x leverage.
            width: Bin width in quote currency. Default: about 5 bp of the mark, rounded to 1, 2 or 5 times a power of
                ten.

        Raises:
            InputError: A number is not finite or not above 0, the mark is below one tick, or it has 2^53 ticks or more.

        Example:
            >>> grid = Grid.around(77_412.3, tick=0.1)
            >>> grid.width, grid.bin_of(77_412.2) + 1 == grid.bin_of(77_412.3)
            (50.0, True)
        """
        for name, value in (
            ("mark", mark),
            ("tick", tick),
            ("reach", reach),
            ("width", 1.0 if width is None else width),
        ):
            if not (math.isfinite(value) and value > 0):
                raise InputError("grid", name, repr(value), "a finite number above 0", "stopped")
        if mark < tick / 2 or mark / tick >= _MAX_TICKS:
            raise InputError("grid", "mark", repr(mark), f"1 to 2^53 ticks of {tick!r}", "stopped")
        mark_tick = math.floor(mark * (1 / tick) + 0.5)
        bin_width = _nice_step(mark * 5e-4) if width is None else width
        width_ticks = max(1, math.floor(bin_width * (1 / tick) + 0.5))
        half = max(1, -(-math.floor(mark_tick * reach) // width_ticks))
        half = min(half, MAX_BINS // 2)
        below = min(half, max(1, (mark_tick - 1) // width_ticks))
        return cls(tick=tick, low_tick=mark_tick - below * width_ticks, width_ticks=width_ticks, bins=below + half)

    @property
    def low(self) -> float:
        """Lowest edge, in quote currency."""
        return self.price(self.low_tick)

    @property
    def high(self) -> float:
        """Highest edge, in quote currency; it is exclusive."""
        return self.price(self.low_tick + self.width_ticks * self.bins)

    @property
    def width(self) -> float:
        """Width of a bin, in quote currency."""
        return self.price(self.width_ticks)

    def price(self, ticks: int) -> float:
        """Convert ticks to a price; divides by an integer number of ticks per unit if possible, for exact decimals."""
        per_unit = self._per_unit
        return ticks / per_unit if per_unit else ticks * self.tick

    @property
    def _per_unit(self) -> int:
        """Ticks per unit of quote currency; 0 if that is not an integer."""
        per_unit = round(1 / self.tick)
        return per_unit if abs(per_unit * self.tick - 1) < 1e-12 else 0  # noqa: PLR2004

    def edges(self) -> npt.NDArray[np.float64]:
        """Return the ``bins + 1`` edges, in quote currency."""
        ticks = self.low_tick + self.width_ticks * np.arange(self.bins + 1, dtype=np.int64)
        per_unit = self._per_unit
        return np.asarray(ticks / per_unit if per_unit else ticks * self.tick, dtype=np.float64)

    def centres(self) -> npt.NDArray[np.float64]:
        """Return the centre of each bin, in quote currency."""
        edges = self.edges()
        return np.asarray((edges[:-1] + edges[1:]) / 2, dtype=np.float64)

    def bin_of(self, price: float) -> int | None:
        """Return the index of the bin that contains a price, or ``None`` outside the grid."""
        index = (math.floor(price * (1 / self.tick) + 0.5) - self.low_tick) // self.width_ticks
        return index if 0 <= index < self.bins else None


def _nice_step(x: float) -> float:
    """Return 1, 2 or 5 times a power of ten, whichever is nearest to ``x`` in ratio."""
    power = 10.0 ** math.floor(math.log10(x))
    return power * min((1, 2, 5, 10), key=lambda step: abs(math.log(x / (step * power))))
