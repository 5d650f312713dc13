"""One position on a map: the cluster that holds its liquidation price, and the margin that moves it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.timestamps import iso
from liqmap.positions.single_position import margin_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.provenance import JSON
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.single_position import WhatIf
    from liqmap.venues.catalogue import Tier

__all__ = ["Exit", "PositionOnMap", "place_position"]


@dataclass(frozen=True, slots=True)
class Exit:
    """The liquidation price beyond the cluster, and the margin it requires.

    Attributes:
        price: Required liquidation price: one tick beyond the cluster and beyond the clusters that adjoin it.
        margin: Total margin required, settlement currency; ``None`` if no sensible margin suffices.
        added: Margin to add to the present one.
    """

    price: float
    margin: float | None
    added: float | None


@dataclass(frozen=True, slots=True)
class PositionOnMap:
    """A position's liquidation price on a map.

    Attributes:
        instrument: Instrument of the map, which may be another contract on the same coin.
        at: Time of the map, ISO 8601.
        mark_price: Mark price of the map.
        cluster: The cluster that holds the liquidation price, if any.
        ahead: Notional of the same side between the mark and the liquidation price, USD; it would be liquidated first.
        exit: How to leave the cluster; ``None`` if the price is in no cluster.
    """

    instrument: str
    at: str
    mark_price: float
    cluster: Cluster | None
    ahead: float
    exit: Exit | None

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        way_out = self.exit
        return {
            "instrument": self.instrument,
            "at": self.at,
            "mark_price": self.mark_price,
            "cluster": None if self.cluster is None else self.cluster.to_dict(),
            "ahead_usd": self.ahead,
            "exit": None
            if way_out is None
            else {"price": way_out.price, "margin": way_out.margin, "added": way_out.added},
        }


def place_position(result: WhatIf, on: LiquidationMap, tiers: Sequence[Tier]) -> PositionOnMap | None:
    """Locate a position's liquidation price on a map; ``None`` if the position has no liquidation price."""
    price, position = result.liquidation_price, result.position
    if price is None:
        return None
    edges, notional = on.grid.edges(), on.side(position.side)
    inside = edges[:-1] >= price if position.side == "long" else edges[1:] <= price
    clusters = [c for c in on.clusters() if c.side == position.side]
    cluster = next((c for c in clusters if c.low <= price < c.high), None)
    way_out = None
    if cluster is not None:
        tick = position.instrument.tick_size
        target = _beyond(cluster, clusters, tick)
        margin = margin_for(position, tiers, target)
        way_out = Exit(target, margin, None if margin is None else margin - result.margin)
    return PositionOnMap(on.instrument, iso(on.at), on.mark_price, cluster, float(notional[inside].sum()), way_out)


def _beyond(cluster: Cluster, clusters: Sequence[Cluster], tick: float) -> float:
    """The first price farther from the mark that lies in no cluster; adjoining clusters are skipped too."""
    long = cluster.side == "long"
    price = cluster.low - tick if long else cluster.high
    while (adjoining := next((c for c in clusters if c.low <= price < c.high), None)) is not None:
        price = adjoining.low - tick if long else adjoining.high
    return price
