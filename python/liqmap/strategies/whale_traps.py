"""The whale-trap index: how much forced flow a dollar spent on reaching a cluster would release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.strategies.context import book_side, far_of, near_of
from liqmap.strategies.rule_result import Use

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import Setting

__all__ = ["Trap", "whale_traps"]

RANK = 0.9
"""Only clusters among the largest tenth of the map can be flagged."""
EXIT = 0.005
"""Orders within this distance beyond the far edge are the way out."""
_NEAREST = 1e-3

RULE = (
    "The whale-trap index is a cluster's notional over the orders between the mark and its near edge; from 1 on it is "
    f"flagged, if the cluster is among the largest tenth and as much rests within {EXIT:.1%} beyond its far edge: a "
    "ratio, not an accusation."
)


@dataclass(frozen=True, slots=True)
class Trap:
    """One cluster, seen as a target.

    Attributes:
        side: Whose positions it holds.
        peak: Its highest bin, quote currency.
        notional: USD, ``M``.
        distance: Of its near edge, signed fraction of the mark.
        cost: USD of orders between the mark and that edge.
        index: ``M / cost``: USD released per USD needed to get there.
        rank: Share of the map's clusters that are no larger.
        exit: USD of orders just beyond its far edge; ``None`` where the book is not known that far.
        flagged: Index at least 1, rank at least 0.9, exit at least ``M``.
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


def whale_traps(setting: Setting) -> Use[Trap]:
    """Clusters within reach, highest index first: ``WTI = M / D(d_near)``, ``d_near`` at least 10 bp."""
    sizes = np.array([cluster.notional for cluster in setting.of.clusters()])
    rows = sorted((_trap(setting, c, sizes) for c in setting.clusters), key=lambda row: (-row.index, row.peak))
    none = None
    if not rows:
        none = setting.nothing
    elif not any(row.flagged for row in rows):
        none = f"no cluster is flagged; the highest index is {rows[0].index:.2f}"
    return Use(RULE, tuple(rows), none, setting.limits)


def _trap(setting: Setting, cluster: Cluster, sizes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Trap:
    curve = setting.laws[cluster.side].curve(book_side(cluster.side))
    near, far = (abs(setting.distance(edge)) for edge in (near_of(cluster), far_of(cluster)))
    cost, before, after = (float(x) for x in curve.notional(np.array([max(near, _NEAREST), far, far + EXIT])))
    out = after - before if far + EXIT <= curve.reach else None
    index, rank = cluster.notional / cost, float((sizes <= cluster.notional).mean())
    return Trap(
        side=cluster.side,
        peak=cluster.peak,
        notional=cluster.notional,
        distance=setting.distance(near_of(cluster)),
        cost=cost,
        index=index,
        rank=rank,
        exit=out,
        flagged=index >= 1 and rank >= RANK and out is not None and out >= cluster.notional,
    )
