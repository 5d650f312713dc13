"""Co-location: the share of two maps that lies at the same prices on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.instruments import SIDES

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap

__all__ = ["Colocation", "Pair", "colocate"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clusters of one side at nearly the same price.

    Attributes:
        side: Side of their positions.
        first: Peak on the first map, in prices of the common axis.
        second: Peak on the second map.
        first_usd: Notional of the first cluster.
        second_usd: Notional of the second cluster.
    """

    side: Side
    first: float
    second: float
    first_usd: float
    second_usd: float


@dataclass(frozen=True, slots=True)
class Colocation:
    """Agreement of two maps on one axis.

    Attributes:
        overlap: By side, the overlapping coefficient ``OVL = ∫ min(f, g)`` of both maps normalised to 1, from 0 to 1;
            ``None`` if a map has no notional on that side.
        distance: By side, the Wasserstein distance ``W1(f, g)`` of the normalised maps, a fraction of the axis' mark;
            ``None`` if a map has no notional on that side.
        pairs: Clusters of both maps whose peaks are closer than half their mean width, nearest to the mark first.
    """

    overlap: dict[str, float | None]
    distance: dict[str, float | None]
    pairs: tuple[Pair, ...]


def colocate(first: LiquidationMap, second: LiquidationMap) -> Colocation:
    """Compare two maps that lie on one grid.

    Raises:
        InputError: The grids differ.
    """
    if first.grid != second.grid:
        expected = "maps on one spot-equivalent axis, such as the parts of a market's map"
        raise InputError("levels", second.instrument, "another grid", expected, "nothing computed")
    overlap: dict[str, float | None] = {}
    distance: dict[str, float | None] = {}
    for side in SIDES:
        f, g = first.side(side), second.side(side)
        if f.sum() <= 0 or g.sum() <= 0:
            overlap[side] = distance[side] = None
            continue
        f, g = f / f.sum(), g / g.sum()
        overlap[side] = float(np.minimum(f, g).sum())
        carried = np.abs(np.cumsum(f - g)).sum() * first.grid.width
        distance[side] = float(carried) / first.mark_price
    return Colocation(overlap, distance, _pairs(first, second))


def _pairs(first: LiquidationMap, second: LiquidationMap) -> tuple[Pair, ...]:
    """Greedy matching of clusters, closest peaks first; each cluster is in at most one pair."""
    close = sorted(
        (
            (abs(a.peak - b.peak), a.peak, b.peak, a, b)
            for a in first.clusters()
            for b in second.clusters()
            if a.side == b.side and abs(a.peak - b.peak) < _half_width(a, b)
        ),
        key=lambda found: found[:3],
    )
    paired: set[tuple[int, str, float]] = set()
    pairs = []
    for _, _, _, a, b in close:
        keys = {(0, a.side, a.peak), (1, b.side, b.peak)}
        if keys & paired:
            continue
        paired |= keys
        pairs.append(Pair(a.side, a.peak, b.peak, a.notional, b.notional))
    return tuple(sorted(pairs, key=lambda pair: (abs(pair.first - first.mark_price), pair.first)))


def _half_width(a: Cluster, b: Cluster) -> float:
    return (a.high - a.low + b.high - b.low) / 4
