"""Contribution of each cluster to a cascade, measured by leaving the cluster out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from liqmap import _core
from liqmap.stress.directional_levels import MapLike, directional_levels
from liqmap.stress.impact_selection import core_market, law_or_fallback, triggered_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["ClusterLike", "Contribution", "contributions"]


class ClusterLike(Protocol):
    """The parts of a cluster that stress tests read."""

    @property
    def side(self) -> Side:
        """Side of the positions."""

    @property
    def low(self) -> float:
        """Lower edge."""

    @property
    def peak(self) -> float:
        """Price of the highest bin."""

    @property
    def high(self) -> float:
        """Upper edge."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The contribution of one cluster to a cascade.

    Attributes:
        low: Lower edge, quote currency.
        peak: Highest bin.
        high: Upper edge.
        notional: USD of the cluster's levels.
        fired: USD of the triggered levels.
        displacement: Decrease of the displacement without the cluster, a fraction of the mark.
        round: The first round in which one of its levels triggers; 0 if none does.
    """

    low: float
    peak: float
    high: float
    notional: float
    fired: float
    displacement: float
    round: int


def contributions(
    of: MapLike, clusters: Iterable[ClusterLike], shock: float, depth: Law | None = None, *, kind: Kind = "news"
) -> tuple[Contribution, ...]:
    """Return displacement with all levels minus displacement without one cluster's levels; nearest cluster first.

    Contributions need not sum to the displacement: a cluster that triggers the next one is credited with both.

    Raises:
        InputError: As for :func:`liqmap.stress.cascade.cascade`.
    """
    side = triggered_side(shock)
    levels = directional_levels(of, side)
    market = core_market(levels, law_or_fallback(of, depth), kind)
    start = levels.ticks(shock)
    stop, _, _, _, _, round_of = _core.cascade(levels.distance, levels.notional, market, start)
    price = levels.prices
    result = []
    for cluster in sorted((c for c in clusters if c.side == side), key=lambda c: abs(c.peak - of.mark_price)):
        inside = (price >= cluster.low) & (price < cluster.high)
        without = np.where(inside, 0.0, levels.notional)
        other = _core.cascade(levels.distance, without, market, start)[0]
        fired = inside & (round_of > 0)
        result.append(
            Contribution(
                low=cluster.low,
                peak=cluster.peak,
                high=cluster.high,
                notional=float(levels.notional[inside].sum()),
                fired=float(levels.notional[fired].sum()),
                displacement=(stop - other) / levels.mark,
                round=int(round_of[fired].min()) if fired.any() else 0,
            )
        )
    return tuple(result)
