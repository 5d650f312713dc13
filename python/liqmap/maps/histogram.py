"""Bin liquidation levels from any Arrow stream by side and leverage bracket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap._base.grid import Grid

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["UNITS_PER_NOTIONAL", "Histogram", "histogram"]

UNITS_PER_NOTIONAL = 10_000
"""Integer units per unit of quote currency, in every histogram; maps are added in these units."""
MAX_BRACKETS = 256
"""Largest number of leverage brackets of a histogram."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Notional per side, bracket and bin, in integer units, so that sums are exact and independent of order.

    Attributes:
        grid: The price axis.
        units: Shape ``(2, brackets, bins)``, longs first; one unit is ``1 / units_per_notional`` of quote currency.
        outside: Units outside the grid: ``[[long below, long above], [short below, short above]]``.
        accepted: Number of accepted levels, including those outside the grid.
        rejected: Number of rejected levels: a null, a number not finite or out of range, an unknown side or bracket.
        units_per_notional: 10,000, so that sums are exact to a hundredth of a cent.
    """

    grid: Grid
    units: npt.NDArray[np.int64]
    outside: npt.NDArray[np.int64]
    accepted: int
    rejected: int
    units_per_notional: float

    @property
    def long(self) -> npt.NDArray[np.float64]:
        """Notional of longs, shape ``(brackets, bins)``, quote currency."""
        return np.asarray(self.units[0] / self.units_per_notional, dtype=np.float64)

    @property
    def short(self) -> npt.NDArray[np.float64]:
        """Notional of shorts, shape ``(brackets, bins)``, quote currency."""
        return np.asarray(self.units[1] / self.units_per_notional, dtype=np.float64)

    def __add__(self, other: Histogram) -> Histogram:
        """The histogram of both sets of levels.

        Raises:
            InputError: The grids or the numbers of brackets differ.
        """
        if self.grid != other.grid or self.units.shape != other.units.shape:
            raise InputError("histogram", "grid", "two different axes", "one grid and one set of brackets", "not added")
        return replace(
            self,
            units=self.units + other.units,
            outside=self.outside + other.outside,
            accepted=self.accepted + other.accepted,
            rejected=self.rejected + other.rejected,
        )


def histogram(levels: Any, grid: Grid, *, brackets: int = 1) -> Histogram:  # noqa: ANN401 - any Arrow stream
    """Bin levels on a grid.

    Args:
        levels: Anything with ``__arrow_c_stream__`` (duckdb relation, polars, pyarrow, pandas or arro3 table) and the
            columns ``price`` and ``notional`` (quote currency), ``side`` (1 / −1, or ``long`` / ``short``) and, if
            there are brackets, ``bracket`` (0 … brackets − 1). Float64 prices and notionals, int8 sides and uint8
            brackets are read without a copy; other types are converted batch by batch. The GIL is released.
        grid: The price axis. A price is rounded to its tick, half up; bins are left-closed.
        brackets: How many leverage brackets there are, 1 to 256.

    Returns:
        Exact integer sums, identical for any order, batches and number of threads.

    Raises:
        InputError: A column is missing or of the wrong type, a batch has another schema, or the sum exceeds 9e14.

    Example:
        >>> import arro3.core
        >>> import numpy as np
        >>> from liqmap._base.grid import Grid
        >>> levels = arro3.core.Table.from_pydict(
        ...     {
        ...         "price": arro3.core.Array.from_numpy(np.array([99.0, 99.4, 101.0])),
        ...         "notional": arro3.core.Array.from_numpy(np.array([10.0, 5.0, 7.0])),
        ...         "side": arro3.core.Array.from_numpy(np.array([1, 1, -1], dtype=np.int8)),
        ...     }
        ... )
        >>> h = histogram(levels, Grid.between(98, 102, 1, tick=0.1))
        >>> h.long.tolist(), h.short.tolist()
        ([[0.0, 15.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 7.0]])
    """
    if not hasattr(levels, "__arrow_c_stream__"):
        found = f"a {type(levels).__name__}"
        raise InputError("histogram", "levels", found, "an Arrow stream (__arrow_c_stream__)", "nothing computed")
    if not isinstance(grid, Grid):
        raise InputError("histogram", "grid", f"a {type(grid).__name__}", "a liqmap.Grid", "nothing computed")
    if not 1 <= brackets <= MAX_BRACKETS:
        raise InputError("histogram", "brackets", repr(brackets), f"1 to {MAX_BRACKETS}", "nothing computed")
    axis = (grid.tick, grid.low_tick, grid.width_ticks, grid.bins)
    units, outside, accepted, rejected, per_notional = _core.histogram(levels, axis, brackets)
    off_grid = np.array(outside, dtype=np.int64).reshape(2, 2)
    return Histogram(grid, units, off_grid, accepted, rejected, per_notional)
