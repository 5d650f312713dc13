"""Scalping zones: small clusters close by whose overshoot may come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import Push, far_of, near_of
from liqmap.strategies.rule_result import Use

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import Setting

__all__ = ["COSTS", "LIKELY", "PERMANENT", "Scalp", "scalping_zones"]

LIKELY = 0.2
"""Touched within four hours with at least this probability."""
CALM_ATR = 0.5
"""The overshoot stays below this many hourly true ranges: a zone that runs away is a breakout level."""
PERMANENT = 2 / 3
"""Share of impact that stays: for stocks about 2/3 by the end of the day (Bucci et al., arXiv 1901.05332)."""
COSTS = 0.001
"""A round trip as taker, twice 5 bp: assumed."""

RULE = (
    f"A scalping zone is a cluster touched within 4 hours with a probability of {LIKELY:.0%} or more whose forced flow "
    f"overshoots its far edge by less than {CALM_ATR:g} hourly true ranges; a third of the overshoot is expected back."
)


@dataclass(frozen=True, slots=True)
class Scalp:
    """One zone.

    Attributes:
        side: Whose positions it holds; the trade against the overshoot is on the same side.
        low: Lower edge, quote currency.
        high: Upper edge.
        notional: USD.
        distance: Of its near edge, signed fraction of the mark.
        touch: Probability that the near edge is touched within ``4h``, ``12h``, ``24h``.
        overshoot: ``I(M)`` beyond the far edge, three laws.
        give_back: The part of the calm overshoot that is expected back, a fraction of the price.
        covers_costs: Whether that is more than a round trip costs.
    """

    side: Side
    low: float
    high: float
    notional: float
    distance: float
    touch: dict[str, float]
    overshoot: Push
    give_back: float
    covers_costs: bool


def scalping_zones(setting: Setting) -> Use[Scalp]:
    """Zones, nearest first.

    Overshoot ``I(M)``; expected back ``(1 − φ)·I(M)`` with ``φ = 2/3``, the permanent share of impact. Both are
    assumptions for forced flow in crypto, where no half-life of a book was measured; costs are 10 bp a round trip.
    """
    rows = tuple(zone for cluster in setting.clusters if (zone := _zone(setting, cluster)) is not None)
    none = f"no small cluster is touched within 4 hours with {LIKELY:.0%} or more" if setting.clusters else None
    limits = (
        f"costs of a round trip: {COSTS:.2%}, assumed",
        f"{PERMANENT:.0%} of impact stays: measured for stocks, assumed here",
        "no test of such a trade on this market stands behind the rule",
        *setting.limits,
    )
    return Use(RULE, rows, None if rows else none or setting.nothing, limits)


def _zone(setting: Setting, cluster: Cluster) -> Scalp | None:
    near, push = near_of(cluster), setting.push(cluster.side, cluster.notional)
    touch = setting.touch(near)
    if push.calm is None or touch["4h"] < LIKELY or push.calm * far_of(cluster) > CALM_ATR * setting.conditions.atr:
        return None
    back = (1 - PERMANENT) * push.calm
    return Scalp(
        side=cluster.side,
        low=cluster.low,
        high=cluster.high,
        notional=cluster.notional,
        distance=setting.distance(near),
        touch=touch,
        overshoot=push,
        give_back=back,
        covers_costs=back > COSTS,
    )
