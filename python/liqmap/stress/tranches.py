"""Liquidation in tranches: a venue that closes large positions step by step spreads a level over several prices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side
    from liqmap.stress.directional_levels import MapLike

__all__ = ["HYPERLIQUID_TRANCHES", "TranchedMap", "split_into_tranches"]

HYPERLIQUID_TRANCHES = ((0.0, 0.2), (0.002, 0.8))
"""Above 100,000 USDC: 20 % at once, the rest after 30 s; the price distance by then (0.2 %) is an assumption."""


@dataclass(frozen=True, eq=False, slots=True)
class TranchedMap:
    """A map whose levels are split into tranches; it can be used like any other map.

    Attributes:
        outside: USD moved off the grid, by side.
    """

    instrument: str
    at: int
    mark_price: float
    grid: Grid
    brackets: tuple[float, ...]
    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    outside: dict[Side, float]


def split_into_tranches(of: MapLike, parts: Sequence[tuple[float, float]]) -> TranchedMap:
    """Split every level into tranches: each ``(further, share)`` moves a share of it farther from the mark.

    The result is again a set of levels, so all cascade functions apply to it.

    Args:
        of: The map.
        parts: Distances beyond the level (fractions of the mark, rounded to whole bins) and shares, which sum to 1.

    Raises:
        InputError: Negative distances or shares, or shares that do not sum to 1.

    Note:
        Notional is conserved: the part that leaves the grid is counted in ``outside``.
    """
    valid = all(math.isfinite(further) and further >= 0 and share >= 0 for further, share in parts)
    if not valid or abs(sum(share for _, share in parts) - 1) > 1e-9:  # noqa: PLR2004 - shares are given by hand
        raise InputError(
            "tranches", "parts", repr(tuple(parts)), "distances of at least 0, shares that sum to 1", "nothing computed"
        )
    moves = [(round(further * of.mark_price / of.grid.width), share) for further, share in parts]
    long, lost_long = _spread_notional(of.long[:, ::-1], moves)
    short, lost_short = _spread_notional(of.short, moves)
    return TranchedMap(
        of.instrument,
        of.at,
        of.mark_price,
        of.grid,
        of.brackets,
        long[:, ::-1],
        short,
        {"long": lost_long, "short": lost_short},
    )


def _spread_notional(
    outwards: npt.NDArray[np.float64], moves: Sequence[tuple[int, float]]
) -> tuple[npt.NDArray[np.float64], float]:
    """Move shares of each bin outwards by whole bins; also return the notional that leaves the grid."""
    bins = outwards.shape[1]
    moved = np.zeros_like(outwards)
    lost = 0.0
    for by, share in moves:
        kept = max(bins - by, 0)
        moved[:, bins - kept :] += share * outwards[:, :kept]
        lost += share * float(outwards[:, kept:].sum())
    return moved, lost
