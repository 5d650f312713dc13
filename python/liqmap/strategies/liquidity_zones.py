"""Where to provide liquidity, and where none is: deep stretches of the book, and its voids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.instruments import SIDES
from liqmap.strategies.overlay import REACH, Overlay, Stretch, quantile, runs, stretch
from liqmap.strategies.rule_result import Use
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from liqmap.strategies.context import Setting

__all__ = ["CALM", "THIN", "provision_zones", "voids"]

THIN = 0.2
"""A void is thinner than this quantile of the book's density."""
CALM = 0.1
"""In a zone, forced flow is at most this share of the book."""

ZONE_RULE = (
    f"A zone for providing liquidity is a stretch of the book at least as dense as its median within {REACH:.0%} where "
    f"liquidations are at most {CALM:.0%} of the orders in every bin and no cluster lies."
)
VOID_RULE = (
    f"A void is a stretch where the book is thinner than the {THIN:.0%} quantile of its density within {REACH:.0%}; "
    "where liquidations also exceed the orders, a price that enters falls through."
)


def provision_zones(setting: Setting) -> Use[Stretch]:
    """Deep, calm stretches, nearest first: ``D' ≥`` its median, ``ρ = g/D' ≤ 0.1``, outside every basin."""
    overlays = [Overlay.of(setting, side) for side in SIDES]
    median = quantile(overlays, 0.5)
    rows = []
    for overlay in overlays:
        good = (overlay.depth >= median) & (overlay.ratio <= CALM)
        middle = (overlay.edge[:-1] + overlay.edge[1:]) / 2
        for cluster in setting.of.clusters():
            if cluster.side == overlay.side:
                good &= (middle < cluster.low) | (middle >= cluster.high)
        rows += [stretch(setting, overlay, run) for run in runs(good)]
    rows.sort(key=lambda row: (abs(row.distance), row.low))
    none = "no stretch of the book is both deep and free of liquidations"
    return Use(ZONE_RULE, tuple(rows), None if rows else none, setting.limits)


def voids(setting: Setting) -> Use[Stretch]:
    """Thin stretches, those that a price falls through first: ``D' <`` its 20 % quantile; ``ρ > 1`` makes it deadly.

    Without a measured book there are none to see: a stated law has no holes.
    """
    if not any(isinstance(law, Depth) for law in setting.laws.values()):
        return Use(VOID_RULE, (), "there is no measured book at that time: a stated law has no holes", setting.limits)
    overlays = [Overlay.of(setting, side) for side in SIDES if isinstance(setting.laws[side], Depth)]
    thin = quantile(overlays, THIN)
    rows = []
    for overlay in overlays:
        thinnest = overlay.depth < thin
        deadly = thinnest & (overlay.ratio > 1)
        rows += [stretch(setting, overlay, run, void=True) for run in runs(deadly, least=1)]
        rows += [stretch(setting, overlay, run, void=True) for run in runs(thinnest & ~deadly)]
    rows.sort(key=lambda row: (not row.falls_through, abs(row.distance), row.low))
    return Use(VOID_RULE, tuple(rows), None if rows else "the book has no stretch that thin", setting.limits)
