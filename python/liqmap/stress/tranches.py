"""Liquidation in parts: a venue that closes large positions piece by piece spreads a level out."""

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
"""Above 100,000 USDC: a fifth at once, the rest after 30 s; how much further the price is then (0.2 %) is assumed."""


@dataclass(frozen=True, eq=False, slots=True)
class TranchedMap:
    """A map whose levels are closed in parts; any question about a cascade can be asked of it.

    Attributes:
        outside: USD pushed off the grid, by side.
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
    """Close every level in parts: each ``(further, share)`` puts a share of it so much further from the mark.

    Still a list of levels, so that sweep, rounds and thresholds hold unchanged.

    Args:
        of: The map.
        parts: Distances beyond the level, fractions of the mark, moved by whole bins; the shares sum to 1.

    Raises:
        InputError: Distances or shares that are negative, shares that do not sum to 1.

    Note:
        Mass is kept: what leaves the grid is counted in ``outside``.
    """
    good = all(math.isfinite(further) and further >= 0 and share >= 0 for further, share in parts)
    if not good or abs(sum(share for _, share in parts) - 1) > 1e-9:  # noqa: PLR2004 - shares are given by hand
        raise InputError(
            "tranches", "parts", repr(tuple(parts)), "distances from 0 on, shares that sum to 1", "stopped"
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
    """Shares of each bin moved by so many bins, and what went off the end."""
    bins = outwards.shape[1]
    made = np.zeros_like(outwards)
    lost = 0.0
    for by, share in moves:
        kept = max(bins - by, 0)
        made[:, bins - kept :] += share * outwards[:, :kept]
        lost += share * float(outwards[:, kept:].sum())
    return made, lost
