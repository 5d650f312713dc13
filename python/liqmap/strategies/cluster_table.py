"""The table of clusters: how likely each is touched, what it would take, and what it would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.strategies.context import Push, far_of, near_of
from liqmap.strategies.move_bands import legacy_band, sigma_band
from liqmap.strategies.rule_result import Use

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Band, Cluster
    from liqmap.strategies.context import Setting

__all__ = ["ClusterRow", "cluster_table"]

RULE = (
    "A cluster is triggered when the price touches its near edge: within 4, 12 and 24 hours with the probability of a "
    "driftless price at the observed volatility, whatever shock its levels would need."
)
_TWICE = (
    "touch probability and shock needed stand side by side and are never multiplied: observed volatility already holds "
    "past cascades"
)


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One cluster within reach.

    Attributes:
        side: Whose positions it holds.
        low: Lower edge, quote currency.
        peak: Its highest bin.
        high: Upper edge.
        notional: USD.
        percentile: Share of the clusters of the 90 days before that were smaller, 0 to 100; ``None`` if not ranked.
        distance: Of its near edge, signed fraction of the mark.
        touch: Probability that the near edge is touched within ``4h``, ``12h``, ``24h``.
        shock_needed: The smallest exogenous shock that fires its first level, signed fraction of the mark.
        expected: How far its forced flow pushes the price beyond its far edge, three laws.
        expected_usd: The calm one in quote currency; ``None`` where the book does not hold the flow.
        expected_sigma: The calm one in standard deviations of 12 hours.
        band: By that: low below 0.48 σ, medium below 1.2 σ, high below 2.4 σ, extreme from there.
        legacy_band: The seed's scheme by dollars, kept for comparison: $200, $500, $1,000.
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
    expected: Push
    expected_usd: float | None
    expected_sigma: float | None
    band: Band
    legacy_band: Band


def cluster_table(setting: Setting) -> Use[ClusterRow]:
    """Every cluster within reach, nearest first.

    Touch: ``2·N(−a / (σ√T))`` (reflection principle; :mod:`liqmap.stress.touch_probability`). Expected move: ``I(M)``,
    the impact of the cluster's notional ``M``, in σ of 12 hours. A flow that the book does not hold counts as extreme.
    """
    rows = tuple(_row(setting, cluster) for cluster in setting.clusters)
    return Use(RULE, rows, None if rows else setting.nothing, (_TWICE, *setting.limits))


def _row(setting: Setting, cluster: Cluster) -> ClusterRow:
    near, push = near_of(cluster), setting.push(cluster.side, cluster.notional)
    usd = None if push.calm is None else push.calm * far_of(cluster)
    sigmas = None if push.calm is None else push.calm / setting.conditions.move(12)
    return ClusterRow(
        side=cluster.side,
        low=cluster.low,
        peak=cluster.peak,
        high=cluster.high,
        notional=cluster.notional,
        percentile=cluster.percentile,
        distance=setting.distance(near),
        touch=setting.touch(near),
        shock_needed=setting.shocks(cluster)[0],
        expected=push,
        expected_usd=usd,
        expected_sigma=sigmas,
        band="extreme" if sigmas is None else sigma_band(sigmas),
        legacy_band="extreme" if usd is None else legacy_band(usd),
    )
