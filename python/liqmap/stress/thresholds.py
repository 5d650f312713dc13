"""Thresholds: the smallest shock that triggers each level, and groups of levels with the same threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.stress.directional_levels import DirectionalLevels, MapLike, directional_levels
from liqmap.stress.impact_selection import core_market, law_or_fallback

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["Avalanche", "Thresholds", "thresholds"]


@dataclass(frozen=True, slots=True)
class Avalanche:
    """Levels with the same threshold: the shock that triggers the first of them triggers all.

    Attributes:
        shock_needed: Signed fraction of the mark.
        nearest: Price of the level nearest to the mark.
        furthest: Price of the level farthest from it.
        levels: Number of levels.
        notional: USD of all levels.
    """

    shock_needed: float
    nearest: float
    furthest: float
    levels: int
    notional: float


@dataclass(frozen=True, eq=False, slots=True)
class Thresholds:
    """Thresholds of one side, nearest level first; a level triggers exactly if ``|shock| ≥ |shock_needed|``.

    Attributes:
        levels: The levels.
        sigma: Threshold of each level, ticks.
    """

    levels: DirectionalLevels
    sigma: npt.NDArray[np.int64]

    @property
    def price(self) -> npt.NDArray[np.float64]:
        """Price of each level (the middle of its bin), quote currency."""
        return self.levels.prices

    @property
    def shock_needed(self) -> npt.NDArray[np.float64]:
        """Threshold of each level, signed fraction of the mark; the exogenous shock only, without the cascade."""
        return np.asarray(self.levels.sign * self.sigma / self.levels.mark, dtype=np.float64)

    @property
    def group(self) -> npt.NDArray[np.int64]:
        """Index of the avalanche of each level, from 0; levels with the same threshold trigger together."""
        return np.concatenate(([0], np.cumsum(np.diff(self.sigma) > 0))).astype(np.int64)

    def avalanches(self) -> tuple[Avalanche, ...]:
        """Return the groups of levels with the same threshold, nearest first."""
        starts = np.flatnonzero(np.append(True, np.diff(self.sigma) > 0))
        price, needed = self.price, self.shock_needed
        return tuple(
            Avalanche(
                shock_needed=float(needed[rows[0]]),
                nearest=float(price[rows[0]]),
                furthest=float(price[rows[-1]]),
                levels=len(rows),
                notional=float(self.levels.notional[rows].sum()),
            )
            for rows in np.split(np.arange(self.sigma.size), starts[1:])
        )

    def needed(self, price: float) -> float | None:
        """Return the signed threshold of the nearest level at or beyond a price; ``None`` without such a level."""
        distance = self.levels.sign * (math.floor(price / self.levels.tick + 0.5) - self.levels.mark)
        at = int(np.searchsorted(self.levels.distance, distance))
        return float(self.shock_needed[at]) if at < self.sigma.size else None


def thresholds(of: MapLike, side: Side, depth: Law | None = None, *, kind: Kind = "news") -> Thresholds:
    """Compute the smallest shock that triggers each level of one side: ``σ_i = max_{j ≤ i} r_j``, in whole ticks.

    ``r_j`` is the smallest shock that reaches level ``j`` after all nearer levels have triggered. Do not multiply it
    with a touch probability: realised volatility already contains past cascades.

    Raises:
        InputError: An empty map, or a book without orders on the side that absorbs the flow.
    """
    levels = directional_levels(of, side)
    market = core_market(levels, law_or_fallback(of, depth), kind)
    return Thresholds(levels=levels, sigma=_core.thresholds(levels.distance, levels.notional, market))
