"""Clusters: peaks of a map with their basins, found by topographic prominence in the Rust core."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from liqmap.instruments import Side
    from liqmap.maps.map import LiquidationMap
    from liqmap.provenance import JSON

__all__ = ["Band", "Cluster", "find_clusters"]

Band = Literal["low", "medium", "high", "extreme"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One peak of the map and the bins that belong to it.

    Attributes:
        side: Whose positions these are.
        low: Lower edge of the basin, price.
        peak: Centre of the highest bin, price.
        high: Upper edge of the basin, price.
        notional: USD in the basin.
        intensity: Notional as a share of the map's largest cluster, 0 to 1.
        band: Quartile of intensity.
        distance: ``peak / mark − 1``: negative below the mark.
        share_20x: Share of the notional at 20x leverage or more.
        prominence: How far the peak rises above the pass to a higher one, USD per bin.
    """

    side: Side
    low: float
    peak: float
    high: float
    notional: float
    intensity: float
    band: Band
    distance: float
    share_20x: float
    prominence: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as plain data."""
        return dict(asdict(self))


def find_clusters(of: LiquidationMap) -> tuple[Cluster, ...]:
    """Clusters of both sides, largest first."""
    raise NotImplementedError
