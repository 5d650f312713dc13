"""Breakout levels: clusters whose forced flow extends a move through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import ImpactByLaw, far_edge, near_edge
from liqmap.strategies.rule_result import RuleResult

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import MapContext
    from liqmap.stress.cascade import Estimate

__all__ = ["MIN_SHARE", "Breakout", "breakouts"]

MIN_SHARE = 0.5
"""A breakout level needs at least this share of the largest cluster within reach."""

RULE = (
    f"A breakout level is the near edge of a cluster that holds at least {MIN_SHARE:.0%} of the largest one within "
    "reach: after price has crossed the cluster to its far edge, forced flow extends the move by the run-on."
)


@dataclass(frozen=True, slots=True)
class Breakout:
    """One breakout level.

    Attributes:
        side: Side of the liquidated positions: longs on the way down, shorts on the way up.
        level: Near edge of the cluster, quote currency.
        through: Far edge of the cluster, quote currency.
        notional: Notional of the cluster, USD.
        distance: Distance of the level, signed fraction of the mark.
        touch: Probability that the level is touched within ``4h``, ``12h``, ``24h``.
        shock_needed: The smallest shock from the mark that triggers the first level of the cluster, signed fraction.
        shock_through: The smallest shock that triggers its last level.
        self_fuelled: Whether both shocks are equal: once touched, the cluster is liquidated entirely under the calm
            book.
        run_on: Distance from the far edge to the end of the cascade, a fraction of the far edge; three laws.
        stop_price: Price at the end of the cascade under the calm book; a bound if ``run_on.calm`` is ``None``.
    """

    side: Side
    level: float
    through: float
    notional: float
    distance: float
    touch: dict[str, float]
    shock_needed: float | None
    shock_through: float | None
    self_fuelled: bool
    run_on: ImpactByLaw
    stop_price: float


def breakouts(context: MapContext) -> RuleResult[Breakout]:
    """Breakout levels, nearest first.

    Price starts at the near edge and a shock takes it to the far edge; the cascade from there is the least fixed point
    ``x = Φ(s, G(x))`` of the levels beyond (:func:`liqmap.stress.cascade.cascade`), under each of the three laws.
    Levels between the mark and the near edge count as swept by the move to the edge. Shocks needed are the thresholds
    ``σ_i`` of :mod:`liqmap.stress.thresholds`, from the present mark.
    """
    enough = MIN_SHARE * context.largest
    rows = tuple(_row(context, cluster) for cluster in context.clusters if cluster.notional >= enough)
    return RuleResult(RULE, rows, None if rows else context.empty_reason, context.limits)


def _row(context: MapContext, cluster: Cluster) -> Breakout:
    near, far, side = near_edge(cluster), far_edge(cluster), cluster.side
    end = context.cascade_at(near, side, far / near - 1)
    first, last = context.shocks(cluster)
    return Breakout(
        side=side,
        level=near,
        through=far,
        notional=cluster.notional,
        distance=context.distance(near),
        touch=context.touch(near),
        shock_needed=first,
        shock_through=last,
        self_fuelled=first is not None and first == last,
        run_on=ImpactByLaw(*(_stop_beyond(e, far) for e in (end.base, end.stressed, end.square_root))),
        stop_price=end.stop_price,
    )


def _stop_beyond(end: Estimate, far: float) -> float | None:
    return None if end.depth_exhausted else abs(end.stop_price / far - 1)
