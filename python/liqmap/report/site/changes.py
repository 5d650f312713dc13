"""Changes since the previous issue, derived from the two published issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap.report.site.types import ClusterChange, IssueChanges

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.maps.clusters import Cluster
    from liqmap.report.facts import Facts
    from liqmap.report.site.types import IssueSummary

__all__ = ["changes_since", "clusters_near_mark"]

NEAR = 0.15
_MAX_CHANGES = 6


def clusters_near_mark(facts: Facts) -> list[dict[str, Any]]:
    """Clusters for the summary: those within 15 % of the mark price, highest price first."""
    kept = sorted((c for c in facts.clusters if abs(c.distance) <= NEAR), key=lambda c: -c.peak)
    return [
        {"side": c.side, "low": c.low, "peak": c.peak, "high": c.high, "notional": c.notional, "band": c.band}
        for c in kept
    ]


def changes_since(facts: Facts, at: Instant, previous: IssueSummary | None) -> IssueChanges | None:
    """Compare an instrument with the previous issue; ``None`` if that issue did not contain it.

    A cluster matches the previous clusters of its side whose peaks lie in its price range; larger clusters are matched
    first. Summaries contain only clusters near the mark of their issue, so a cluster outside that range is not reported
    as new, and a previous cluster that is now farther away is not reported as gone.
    """
    entries = [] if previous is None else previous["instruments"]
    before = next((entry for entry in entries if entry["instrument"] == facts.map.instrument), None)
    if previous is None or before is None:
        return None
    mark = facts.map.mark_price
    return IssueChanges(
        at=int(previous["at"]),
        elapsed=at - int(previous["at"]),
        mark_change=mark / before["mark_price"] - 1,
        open_interest_change=facts.open_interest_usd - before["open_interest_usd"],
        clusters=_cluster_changes(facts.clusters, before["clusters"], mark, before["mark_price"]),
    )


def _cluster_changes(
    now: tuple[Cluster, ...], then: list[dict[str, Any]], mark: float, mark_then: float
) -> tuple[ClusterChange, ...]:
    left = sorted(then, key=lambda c: -c["notional"])
    found = []
    for cluster in sorted(now, key=lambda c: -c.notional):
        same = [c for c in left if c["side"] == cluster.side and cluster.low <= c["peak"] < cluster.high]
        left = [c for c in left if c not in same]
        if not same and max(abs(edge / mark_then - 1) for edge in (cluster.low, cluster.high)) > NEAR:
            continue
        was = sum(c["notional"] for c in same)
        status = "new" if not same else "larger" if cluster.notional > was else "smaller"
        found.append(ClusterChange(cluster.side, cluster.peak, was, cluster.notional, status))
    for gone in left:
        passed = (gone["peak"] >= mark) if gone["side"] == "long" else (gone["peak"] <= mark)
        found.append(ClusterChange(gone["side"], gone["peak"], gone["notional"], 0.0, "swept" if passed else "gone"))
    return tuple(sorted(found, key=lambda m: -abs(m.current - m.previous))[:_MAX_CHANGES])
