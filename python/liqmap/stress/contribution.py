"""Contribution: how much of a cascade each cluster brings, by leaving it out."""

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
    """What stress reads of a cluster."""

    @property
    def side(self) -> Side:
        """Whose positions these are."""

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
    """One cluster's part in a cascade.

    Attributes:
        low: Lower edge, quote currency.
        peak: Highest bin.
        high: Upper edge.
        notional: USD of the cluster's levels.
        fired: USD of them that fire.
        displacement: How much less far the price would go without it, a fraction of the mark.
        round: The first round in which some of it fires; 0 if none does.
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
    """Displacement with all levels, less that without one cluster's; nearest cluster first.

    Parts need not add up to the whole: a cluster that sets off the next one carries it too.

    Raises:
        InputError: As for :func:`liqmap.stress.cascade.cascade`.
    """
    side = triggered_side(shock)
    levels = directional_levels(of, side)
    market = core_market(levels, law_or_fallback(of, depth), kind)
    start = levels.ticks(shock)
    stop, _, _, _, _, round_of = _core.cascade(levels.distance, levels.notional, market, start)
    price = levels.prices
    found = []
    for cluster in sorted((c for c in clusters if c.side == side), key=lambda c: abs(c.peak - of.mark_price)):
        inside = (price >= cluster.low) & (price < cluster.high)
        without = np.where(inside, 0.0, levels.notional)
        other = _core.cascade(levels.distance, without, market, start)[0]
        fired = inside & (round_of > 0)
        found.append(
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
    return tuple(found)
