"""One position on a map: the cluster it would be liquidated in, and the margin that takes it out of there."""

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
    """What it takes to be liquidated beyond the cluster instead of in it.

    Attributes:
        price: The liquidation price to reach: one tick beyond the cluster, and beyond those that adjoin it.
        margin: The margin it takes in all, settlement currency; ``None`` where no sensible one does.
        added: Of that, on top of what there is.
    """

    price: float
    margin: float | None
    added: float | None


@dataclass(frozen=True, slots=True)
class PositionOnMap:
    """A position's liquidation price on a map.

    Attributes:
        instrument: Of the map: it may be another contract on the same coin.
        at: The map's time, ISO 8601.
        mark_price: The map's.
        cluster: In which it lies, if any.
        ahead: Notional of its side between the mark and its price, USD: what would be liquidated before it.
        exit: How to leave the cluster; ``None`` where it is in none.
    """

    instrument: str
    at: str
    mark_price: float
    cluster: Cluster | None
    ahead: float
    exit: Exit | None

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        way = self.exit
        return {
            "instrument": self.instrument,
            "at": self.at,
            "mark_price": self.mark_price,
            "cluster": None if self.cluster is None else self.cluster.to_dict(),
            "ahead_usd": self.ahead,
            "exit": None if way is None else {"price": way.price, "margin": way.margin, "added": way.added},
        }


def place_position(found: WhatIf, on: LiquidationMap, tiers: Sequence[Tier]) -> PositionOnMap | None:
    """Look a position's liquidation price up on a map; ``None`` where it has none."""
    price, asked = found.liquidation_price, found.position
    if price is None:
        return None
    edges, notional = on.grid.edges(), on.side(asked.side)
    inside = edges[:-1] >= price if asked.side == "long" else edges[1:] <= price
    clusters = [c for c in on.clusters() if c.side == asked.side]
    cluster = next((c for c in clusters if c.low <= price < c.high), None)
    way = None
    if cluster is not None:
        tick = asked.instrument.tick_size
        target = _beyond(cluster, clusters, tick)
        margin = margin_for(asked, tiers, target)
        way = Exit(target, margin, None if margin is None else margin - found.margin)
    return PositionOnMap(on.instrument, iso(on.at), on.mark_price, cluster, float(notional[inside].sum()), way)


def _beyond(cluster: Cluster, clusters: Sequence[Cluster], tick: float) -> float:
    """The first price further from the mark that is in no cluster: adjoining ones are passed as well."""
    long = cluster.side == "long"
    price = cluster.low - tick if long else cluster.high
    while (next_one := next((c for c in clusters if c.low <= price < c.high), None)) is not None:
        price = next_one.low - tick if long else next_one.high
    return price
