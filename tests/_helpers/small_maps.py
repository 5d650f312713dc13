"""Maps small enough for hand computation, with only the fields that stress tests read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqmap._base.grid import Grid


@dataclass(frozen=True, eq=False)
class SmallMap:
    """A :class:`liqmap.stress.directional_levels.MapLike`."""

    mark_price: float
    grid: Grid
    brackets: tuple[float, ...]
    long: np.ndarray
    short: np.ndarray
    instrument: str = "sim:FIVE"
    at: int = 1_780_574_400_000_000


def by_levels(
    levels: dict[float, float], mark: float = 100_000.0, *, width: float = 1.0, share_high: float = 0.25
) -> SmallMap:
    """Levels ``{price: USD}``, each in the middle of its bin; a share of every level at 50x, the rest at 10x.

    Prices below the mark are longs.
    """
    extent = max(abs(price - mark) for price in levels) + 10 * width
    bins = 2 * int(extent / width)
    low = mark - (bins // 2) * width - width / 2
    grid = Grid(tick=0.5, low_tick=round(low * 2), width_ticks=round(width * 2), bins=bins)
    notional = {side: np.zeros((2, bins)) for side in ("long", "short")}
    for price, usd in levels.items():
        at = grid.bin_of(price)
        assert at is not None
        notional["long" if price < mark else "short"][:, at] += np.array([1 - share_high, share_high]) * usd
    return SmallMap(mark, grid, (10.0, 50.0), notional["long"], notional["short"])


FIVE = {99_500.0: 300e6, 99_200.0: 200e6, 98_900.0: 500e6, 98_000.0: 400e6, 97_000.0: 300e6}
"""Five levels below 100,000, with hand-computed cascades in the tests."""
