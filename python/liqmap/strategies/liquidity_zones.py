"""Zones for providing liquidity (deep stretches of the order book), and voids (thin stretches)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.instruments import SIDES
from liqmap.strategies.overlay import REACH, Overlay, Stretch, quantile, runs, stretch
from liqmap.strategies.rule_result import RuleResult
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from liqmap.strategies.context import MapContext

__all__ = ["MAX_FORCED_RATIO", "VOID_QUANTILE", "provision_zones", "voids"]

VOID_QUANTILE = 0.2
"""A void has a lower depth per unit of price than this quantile of the book."""
MAX_FORCED_RATIO = 0.1
"""Maximum forced flow in a zone, as a share of the depth."""

ZONE_RULE = (
    f"A zone for providing liquidity is a stretch of the book at least as dense as its median within {REACH:.0%} where "
    f"liquidations are at most {MAX_FORCED_RATIO:.0%} of the orders in every bin, outside all clusters."
)
VOID_RULE = (
    f"A void is a stretch where the book is thinner than the {VOID_QUANTILE:.0%} quantile of its density within "
    f"{REACH:.0%}; if liquidations also exceed the orders in every bin, price falls through it."
)


def provision_zones(context: MapContext) -> RuleResult[Stretch]:
    """Zones for providing liquidity, nearest first: ``D' ≥`` its median, ``ρ = g/D' ≤ 0.1``, outside every basin."""
    overlays = [Overlay.of(context, side) for side in SIDES]
    median = quantile(overlays, 0.5)
    rows = []
    for overlay in overlays:
        good = (overlay.depth >= median) & (overlay.ratio <= MAX_FORCED_RATIO)
        middle = (overlay.edge[:-1] + overlay.edge[1:]) / 2
        for cluster in context.of.clusters():
            if cluster.side == overlay.side:
                good &= (middle < cluster.low) | (middle >= cluster.high)
        rows += [stretch(context, overlay, run) for run in runs(good)]
    rows.sort(key=lambda row: (abs(row.distance), row.low))
    none = "no stretch of the book is both deep and free of liquidations"
    return RuleResult(ZONE_RULE, tuple(rows), None if rows else none, context.limits)


def voids(context: MapContext) -> RuleResult[Stretch]:
    """Voids, first the ones that price falls through: ``D' <`` its 20 % quantile, and ``ρ > 1`` for falling through.

    Without a measured book no void can be found: the depth of an impact law has no gaps.
    """
    if not any(isinstance(law, Depth) for law in context.laws.values()):
        return RuleResult(
            VOID_RULE, (), "no measured order book at that time; an impact law has no voids", context.limits
        )
    overlays = [Overlay.of(context, side) for side in SIDES if isinstance(context.laws[side], Depth)]
    thin = quantile(overlays, VOID_QUANTILE)
    rows = []
    for overlay in overlays:
        below = overlay.depth < thin
        falls_through = below & (overlay.ratio > 1)
        rows += [stretch(context, overlay, run, void=True) for run in runs(falls_through, least=1)]
        rows += [stretch(context, overlay, run, void=True) for run in runs(below & ~falls_through)]
    rows.sort(key=lambda row: (not row.falls_through, abs(row.distance), row.low))
    return RuleResult(VOID_RULE, tuple(rows), None if rows else "the book has no stretch that thin", context.limits)
