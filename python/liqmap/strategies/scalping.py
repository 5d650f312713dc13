"""Scalping zones: small clusters close to the mark whose overshoot may revert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import ImpactByLaw, far_edge, near_edge
from liqmap.strategies.rule_result import RuleResult

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import MapContext

__all__ = ["MIN_TOUCH", "PERMANENT", "ROUND_TRIP_COSTS", "ScalpingZone", "scalping_zones"]

MIN_TOUCH = 0.2
"""Minimum probability that the zone is touched within four hours."""
CALM_ATR = 0.5
"""Maximum overshoot, in hourly true ranges; clusters with a larger one are breakout candidates."""
PERMANENT = 2 / 3
"""Permanent share of impact: for stocks about 2/3 at the end of the day (Bucci et al., arXiv 1901.05332)."""
ROUND_TRIP_COSTS = 0.001
"""Assumed costs of a round trip as taker: twice 5 bp."""

RULE = (
    f"A scalping zone is a cluster touched within 4 hours with a probability of {MIN_TOUCH:.0%} or more whose forced "
    f"flow overshoots its far edge by less than {CALM_ATR:g} hourly true ranges; "
    "a third of the overshoot is expected to revert."
)


@dataclass(frozen=True, slots=True)
class ScalpingZone:
    """One scalping zone.

    Attributes:
        side: Side of its positions; the trade against the overshoot is on the same side.
        low: Lower edge, quote currency.
        high: Upper edge, quote currency.
        notional: USD.
        distance: Distance of its near edge, signed fraction of the mark.
        touch: Probability that the near edge is touched within ``4h``, ``12h``, ``24h``.
        overshoot: Displacement ``I(M)`` beyond the far edge, a fraction; three laws.
        give_back: Expected reversion of the calm overshoot, a fraction of the price.
        covers_costs: Whether ``give_back`` exceeds the costs of a round trip.
    """

    side: Side
    low: float
    high: float
    notional: float
    distance: float
    touch: dict[str, float]
    overshoot: ImpactByLaw
    give_back: float
    covers_costs: bool


def scalping_zones(context: MapContext) -> RuleResult[ScalpingZone]:
    """Scalping zones, nearest first.

    Overshoot ``I(M)``; expected reversion ``(1 − φ)·I(M)`` with ``φ = 2/3``, the permanent share of impact. Both are
    assumptions for forced flow in crypto, where the refill of books was not measured; a round trip costs 10 bp.
    """
    rows = tuple(zone for cluster in context.clusters if (zone := _zone(context, cluster)) is not None)
    unlikely = f"no small cluster is touched within 4 hours with a probability of {MIN_TOUCH:.0%} or more"
    none = unlikely if context.clusters else context.empty_reason
    limits = (
        f"costs of a round trip: {ROUND_TRIP_COSTS:.2%}, assumed",
        f"{PERMANENT:.0%} of impact is permanent: measured for stocks, assumed here",
        "the profitability of this rule was not tested on this market",
        *context.limits,
    )
    return RuleResult(RULE, rows, None if rows else none, limits)


def _zone(context: MapContext, cluster: Cluster) -> ScalpingZone | None:
    near, push = near_edge(cluster), context.push(cluster.side, cluster.notional)
    touch = context.touch(near)
    if (
        push.calm is None
        or touch["4h"] < MIN_TOUCH
        or push.calm * far_edge(cluster) > CALM_ATR * context.conditions.atr
    ):
        return None
    give_back = (1 - PERMANENT) * push.calm
    return ScalpingZone(
        side=cluster.side,
        low=cluster.low,
        high=cluster.high,
        notional=cluster.notional,
        distance=context.distance(near),
        touch=touch,
        overshoot=push,
        give_back=give_back,
        covers_costs=give_back > ROUND_TRIP_COSTS,
    )
