"""What price alone says about liquidations: the baseline to fear.

A fall liquidates longs with or without a map. A map earns its place by what it adds to the size of the move and to how
far the move went where price had not been for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import Floats, MarketBars
    from liqmap.score.periods import Periods

__all__ = ["LOOKBACKS", "closes", "extremes", "logged"]

LOOKBACKS = (4, 12, 24, 72, 168)
"""Hours of the trailing extremes."""

_FLOOR = 1e-4


def extremes(bars: MarketBars, periods: Periods, side: int) -> Floats:
    """A period's move in a side's direction, and how far it went beyond the trailing extremes.

    Args:
        bars: The bars the periods were matched with.
        periods: What is scored.
        side: 0 for longs (down), 1 for shorts (up).

    Returns:
        Shape ``(periods, 6)``, log price: open to extreme, then the part beyond the extreme of the 4, 12, 24, 72 and
        168 hours before the period (of as many as the bars reach back).
    """
    # Both sides are one on the mirrored axis: the edge is the lowest log price in the side's direction.
    edge = np.log(bars.low) if side == 0 else -np.log(bars.high)
    opened = np.log(bars.open) if side == 0 else -np.log(bars.open)
    reached = edge[periods.inside].min(axis=1)
    columns = [opened[periods.first] - reached]
    lowest = _Lowest.of(edge)
    for hours in LOOKBACKS:
        since = np.searchsorted(bars.ts, periods.start - hours * 3_600_000_000)
        since = np.minimum(since, np.maximum(periods.first - 1, 0))
        before = lowest.between(since, periods.first)
        columns.append(np.where(np.isfinite(before), np.maximum(before - reached, 0.0), 0.0))
    return np.column_stack(columns)


def closes(bars: MarketBars, periods: Periods, side: int) -> Floats:
    """What else the period's own path tells: its range, and how far its close lies from either end, log price.

    Not part of the usual baseline; it makes a harder one, which knows where in its range the period closed.
    """
    high = np.log(bars.high)[periods.inside].max(axis=1)
    low = np.log(bars.low)[periods.inside].min(axis=1)
    close = np.log(bars.close)[periods.inside[:, -1]]
    return np.column_stack([high - low, high - close if side == 0 else close - low])


def logged(features: Floats) -> Floats:
    """Features as the regression takes them: log of what they are, with one basis point for nothing."""
    return np.asarray(np.log(features + _FLOOR), dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class _Lowest:
    """Minima of all spans whose length is a power of two: any span is covered by two of them."""

    rows: tuple[Floats, ...]

    @classmethod
    def of(cls, values: Floats) -> _Lowest:
        rows, size = [values], 1
        while 2 * size <= len(values):
            rows.append(np.minimum(rows[-1][:-size], rows[-1][size:]))
            size *= 2
        return cls(tuple(rows))

    def between(self, start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> Floats:
        """The minimum of each ``[start, stop)``; infinity where that is empty."""
        length = stop - start
        level = np.log2(np.maximum(length, 1)).astype(np.int64)
        out = np.full(len(start), np.inf)
        for at in np.unique(level[length > 0]).tolist():
            mine = (level == at) & (length > 0)
            row = self.rows[at]
            out[mine] = np.minimum(row[start[mine]], row[stop[mine] - (1 << at)])
        return out
