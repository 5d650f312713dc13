"""How far from its entry a position of a given leverage is liquidated, by the venue's first margin tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from liqmap.venues.catalogue import Tier

__all__ = ["Brackets", "distances"]


@dataclass(frozen=True, eq=False, slots=True)
class Brackets:
    """What the cohort engine is told of its brackets.

    Attributes:
        leverages: By which a map names them, ascending.
        rows: Per bracket: long distance, short distance, share of the long flow, of the short flow, half-life in hours.
    """

    leverages: tuple[float, ...]
    rows: npt.NDArray[np.float64]


def distances(leverages: Sequence[float], tiers: Sequence[Tier]) -> npt.NDArray[np.float64]:
    """Distances of an isolated linear position whose margin is ``entry / leverage``, as fractions of the entry.

    ``L = E·(1 ∓ 1/leverage) / (1 ∓ m)`` with ``m`` the maintenance rate of the smallest tier: the bracket stands for
    positions of ordinary size.

    Returns:
        Shape ``(brackets, 2)``: below the entry for longs, above it for shorts. A leverage that the venue does not
        offer, or whose margin the maintenance rate already eats, gets NaN.

    Raises:
        NotFoundError: There is no tier.

    Example:
        >>> from liqmap.venues.catalogue import Tier
        >>> tier = Tier(0, 3e5, 150, 0.004, 0, 0, "example", 1)
        >>> (100 * distances([10, 100, 200], [tier])).round(2).tolist()
        [[9.64, 9.56], [0.6, 0.6], [nan, nan]]
    """
    if not tiers:
        raise NotFoundError("map", "margin_tiers", "no tier", "the venue's margin tiers", "no map made")
    first = min(tiers, key=lambda tier: tier.notional_floor)
    margin = 1 / np.asarray(leverages, dtype=np.float64)
    offered = (margin >= 1 / max(tier.max_leverage for tier in tiers) - 1e-12) & (margin > first.mmr)
    long = (margin - first.mmr) / (1 - first.mmr)
    short = (margin - first.mmr) / (1 + first.mmr)
    return np.where(offered[:, None], np.stack([long, short], axis=1), np.nan)
