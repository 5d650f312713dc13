"""The table of clusters: touch probability, shock needed and expected move of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import ImpactByLaw, far_edge, near_edge
from liqmap.strategies.move_bands import legacy_band, sigma_band
from liqmap.strategies.rule_result import RuleResult

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Band, Cluster
    from liqmap.strategies.context import MapContext

__all__ = ["ClusterRow", "cluster_table"]

RULE = (
    "A cluster is triggered when price touches its near edge: within 4, 12 and 24 hours with the probability of a "
    "driftless price at the realised volatility, independently of the shock that its levels need."
)
_NOT_MULTIPLIED = (
    "touch probability and shock needed are separate figures and never multiplied: realised volatility already "
    "includes past cascades"
)


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One cluster within reach.

    Attributes:
        side: Side of its positions.
        low: Lower edge, quote currency.
        peak: Price of its highest bin, quote currency.
        high: Upper edge, quote currency.
        notional: USD.
        percentile: Share of smaller clusters in the 90 days before, 0 to 100; ``None`` if not ranked.
        distance: Distance of its near edge, signed fraction of the mark.
        touch: Probability that the near edge is touched within ``4h``, ``12h``, ``24h``.
        shock_needed: The smallest exogenous shock that triggers its first level, signed fraction of the mark.
        expected: Displacement by its forced flow beyond its far edge, a fraction; three laws.
        expected_usd: Displacement under the calm book in quote currency; ``None`` if the flow exceeds the book.
        expected_sigma: The same in standard deviations of 12-hour moves.
        band: Move band by ``expected_sigma``: low below 0.48 σ, medium below 1.2 σ, high below 2.4 σ, else extreme.
        legacy_band: Move band of the legacy scheme in dollars, for comparison: $200, $500, $1,000.
    """

    side: Side
    low: float
    peak: float
    high: float
    notional: float
    percentile: float | None
    distance: float
    touch: dict[str, float]
    shock_needed: float | None
    expected: ImpactByLaw
    expected_usd: float | None
    expected_sigma: float | None
    band: Band
    legacy_band: Band


def cluster_table(context: MapContext) -> RuleResult[ClusterRow]:
    """Every cluster within reach, nearest first.

    Touch: ``2·N(−a / (σ√T))`` (reflection principle; :mod:`liqmap.stress.touch_probability`). Expected move: ``I(M)``,
    the impact of the cluster's notional ``M``, in σ of 12 hours. A flow that exceeds the book counts as extreme.
    """
    rows = tuple(_row(context, cluster) for cluster in context.clusters)
    return RuleResult(RULE, rows, None if rows else context.empty_reason, (_NOT_MULTIPLIED, *context.limits))


def _row(context: MapContext, cluster: Cluster) -> ClusterRow:
    near, push = near_edge(cluster), context.push(cluster.side, cluster.notional)
    usd = None if push.calm is None else push.calm * far_edge(cluster)
    sigmas = None if push.calm is None else push.calm / context.conditions.move(12)
    return ClusterRow(
        side=cluster.side,
        low=cluster.low,
        peak=cluster.peak,
        high=cluster.high,
        notional=cluster.notional,
        percentile=cluster.percentile,
        distance=context.distance(near),
        touch=context.touch(near),
        shock_needed=context.shocks(cluster)[0],
        expected=push,
        expected_usd=usd,
        expected_sigma=sigmas,
        band="extreme" if sigmas is None else sigma_band(sigmas),
        legacy_band="extreme" if usd is None else legacy_band(usd),
    )
