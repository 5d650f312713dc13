"""Features of the price-only baseline.

A fall liquidates longs with or without a map. A map is useful only if it adds information to the size of the move and
to its extension beyond recent extremes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import Floats, MarketBars
    from liqmap.score.periods import Periods

__all__ = ["LOOKBACKS", "close_moves", "log_features", "new_extremes"]

LOOKBACKS = (4, 12, 24, 72, 168)
"""Look-backs of the trailing extremes, hours."""

_FLOOR = 1e-4


def new_extremes(bars: MarketBars, periods: Periods, side: int) -> Floats:
    """Move of each period in a side's direction, and its extension beyond the trailing extremes.

    Args:
        bars: The bars of the periods.
        periods: The scored periods.
        side: 0 for longs (down), 1 for shorts (up).

    Returns:
        Shape ``(periods, 6)``, log price: open to extreme, then the part beyond the extreme of the 4, 12, 24, 72 and
        168 hours before the period (or of the available bars, if fewer).
    """
    # Shorts are computed on the mirrored price axis, so that both sides look for the lowest log price.
    edge = np.log(bars.low) if side == 0 else -np.log(bars.high)
    opened = np.log(bars.open) if side == 0 else -np.log(bars.open)
    reached = edge[periods.inside].min(axis=1)
    columns = [opened[periods.first] - reached]
    lowest = _RangeMinimum.of(edge)
    for hours in LOOKBACKS:
        since = np.searchsorted(bars.ts, periods.start - hours * 3_600_000_000)
        since = np.minimum(since, np.maximum(periods.first - 1, 0))
        before = lowest.between(since, periods.first)
        columns.append(np.where(np.isfinite(before), np.maximum(before - reached, 0.0), 0.0))
    return np.column_stack(columns)


def close_moves(bars: MarketBars, periods: Periods, side: int) -> Floats:
    """Range of each period and the distance of its close from the extreme opposite to the side's move, log price.

    These features form the harder baseline, together with those of :func:`new_extremes`.
    """
    high = np.log(bars.high)[periods.inside].max(axis=1)
    low = np.log(bars.low)[periods.inside].min(axis=1)
    close = np.log(bars.close)[periods.inside[:, -1]]
    return np.column_stack([high - low, high - close if side == 0 else close - low])


def log_features(features: Floats) -> Floats:
    """Log of the features, with one basis point added because the log of 0 is undefined."""
    return np.asarray(np.log(features + _FLOOR), dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class _RangeMinimum:
    """Sparse table for range minima: every range is covered by two ranges whose length is a power of two."""

    rows: tuple[Floats, ...]

    @classmethod
    def of(cls, values: Floats) -> _RangeMinimum:
        rows, size = [values], 1
        while 2 * size <= len(values):
            rows.append(np.minimum(rows[-1][:-size], rows[-1][size:]))
            size *= 2
        return cls(tuple(rows))

    def between(self, start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> Floats:
        """The minimum of each ``[start, stop)``; infinity for an empty range."""
        length = stop - start
        level = np.log2(np.maximum(length, 1)).astype(np.int64)
        out = np.full(len(start), np.inf)
        for at in np.unique(level[length > 0]).tolist():
            mine = (level == at) & (length > 0)
            row = self.rows[at]
            out[mine] = np.minimum(row[start[mine]], row[stop[mine] - (1 << at)])
        return out
