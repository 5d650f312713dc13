"""Breakout levels: where passing releases fuel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import Push, far_of, near_of
from liqmap.strategies.rule_result import Use

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.strategies.context import Setting
    from liqmap.stress.cascade import Estimate

__all__ = ["SHARE", "Breakout", "breakouts"]

SHARE = 0.5
"""A breakout level needs at least this share of the largest cluster within reach."""

RULE = (
    f"A breakout level is the near edge of a cluster that holds at least {SHARE:.0%} of the largest one within reach: "
    "once the price has gone through to the far edge, forced flow carries it on by the run-on."
)


@dataclass(frozen=True, slots=True)
class Breakout:
    """One level.

    Attributes:
        side: Whose positions fuel it: longs on the way down, shorts on the way up.
        level: Near edge of the cluster, quote currency.
        through: Far edge.
        notional: USD that wait between the two.
        distance: Of the level, signed fraction of the mark.
        touch: Probability that the level is touched within ``4h``, ``12h``, ``24h``.
        shock_needed: The smallest shock from the mark that fires the first level of the cluster, signed fraction.
        shock_through: The one that fires the last: the same where passing the edge is enough.
        self_fuelled: Whether it is the same: the cluster burns through by itself under the calm book.
        run_on: How far beyond the far edge the cascade ends, a fraction of it; three laws.
        stop_price: Where it ends under the calm book; a bound where ``run_on.calm`` is ``None``.
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
    run_on: Push
    stop_price: float


def breakouts(setting: Setting) -> Use[Breakout]:
    """Clusters worth breaking, nearest first.

    The price stands at the near edge; a shock takes it to the far edge; the cascade from there is the least fixed
    point ``x = Φ(s, G(x))`` of the levels beyond (:func:`liqmap.stress.cascade.cascade`), under each of the three laws.
    Levels between the mark and the edge are taken as gone, their effect as part of the move that led there. Shocks
    needed are the thresholds ``σ_i`` of :mod:`liqmap.stress.thresholds`, from today's mark.
    """
    enough = SHARE * setting.largest
    rows = tuple(_row(setting, cluster) for cluster in setting.clusters if cluster.notional >= enough)
    return Use(RULE, rows, None if rows else setting.nothing, setting.limits)


def _row(setting: Setting, cluster: Cluster) -> Breakout:
    near, far, side = near_of(cluster), far_of(cluster), cluster.side
    end = setting.cascade_from(near, side, far / near - 1)
    first, last = setting.shocks(cluster)
    return Breakout(
        side=side,
        level=near,
        through=far,
        notional=cluster.notional,
        distance=setting.distance(near),
        touch=setting.touch(near),
        shock_needed=first,
        shock_through=last,
        self_fuelled=first is not None and first == last,
        run_on=Push(*(_beyond(e, far) for e in (end.base, end.stressed, end.square_root))),
        stop_price=end.stop_price,
    )


def _beyond(end: Estimate, far: float) -> float | None:
    return None if end.depth_exhausted else abs(end.stop_price / far - 1)
