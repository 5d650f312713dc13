"""The whale-trap index: forced flow released per USD needed to move price to a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.strategies.context import book_side, far_edge, near_edge
from liqmap.strategies.rule_result import RuleResult

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import MapContext

__all__ = ["Trap", "whale_traps"]

RANK = 0.9
"""Minimum rank for a flag: the largest tenth of the map's clusters."""
EXIT_ZONE = 0.005
"""Width of the exit zone beyond the far edge, a fraction of the mark."""
_MIN_DISTANCE = 1e-3

RULE = (
    "The whale-trap index is a cluster's notional divided by the orders between the mark and its near edge. A cluster "
    "is flagged if the index is at least 1, the cluster is among the largest tenth, and at least as much depth rests "
    f"within {EXIT_ZONE:.1%} beyond its far edge. The index is a ratio; it does not imply intent."
)


@dataclass(frozen=True, slots=True)
class Trap:
    """Whale-trap index of one cluster.

    Attributes:
        side: Side of its positions.
        peak: Price of its highest bin, quote currency.
        notional: Notional ``M``, USD.
        distance: Distance of its near edge, signed fraction of the mark.
        cost: USD of orders between the mark and that edge.
        index: ``M / cost``: USD released per USD needed to reach the edge.
        rank: Share of the map's clusters that are not larger.
        exit: USD of orders in the exit zone beyond its far edge; ``None`` if the visible book ends before.
        flagged: Whether the index is at least 1, the rank at least 0.9 and the exit at least ``M``.
    """

    side: Side
    peak: float
    notional: float
    distance: float
    cost: float
    index: float
    rank: float
    exit: float | None
    flagged: bool


def whale_traps(context: MapContext) -> RuleResult[Trap]:
    """Clusters within reach, highest index first: ``WTI = M / D(d_near)``, ``d_near`` at least 10 bp."""
    sizes = np.array([cluster.notional for cluster in context.of.clusters()])
    rows = sorted((_trap(context, c, sizes) for c in context.clusters), key=lambda row: (-row.index, row.peak))
    none = None
    if not rows:
        none = context.empty_reason
    elif not any(row.flagged for row in rows):
        none = f"no cluster is flagged; the highest index is {rows[0].index:.2f}"
    return RuleResult(RULE, tuple(rows), none, context.limits)


def _trap(context: MapContext, cluster: Cluster, sizes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Trap:
    curve = context.laws[cluster.side].curve(book_side(cluster.side))
    near, far = (abs(context.distance(edge)) for edge in (near_edge(cluster), far_edge(cluster)))
    cost, before, after = (float(x) for x in curve.notional(np.array([max(near, _MIN_DISTANCE), far, far + EXIT_ZONE])))
    out = after - before if far + EXIT_ZONE <= curve.reach else None
    index, rank = cluster.notional / cost, float((sizes <= cluster.notional).mean())
    return Trap(
        side=cluster.side,
        peak=cluster.peak,
        notional=cluster.notional,
        distance=context.distance(near_edge(cluster)),
        cost=cost,
        index=index,
        rank=rank,
        exit=out,
        flagged=index >= 1 and rank >= RANK and out is not None and out >= cluster.notional,
    )
