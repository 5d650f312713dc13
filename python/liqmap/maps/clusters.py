"""Clusters: peaks of a map with their basins, by topographic prominence in the Rust core."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from liqmap import _core

if TYPE_CHECKING:
    from liqmap.instruments import Side
    from liqmap.maps.map import LiquidationMap
    from liqmap.provenance import JSON

__all__ = ["BANDS", "Band", "Cluster", "band_of", "find_clusters"]

Band: TypeAlias = Literal["low", "medium", "high", "extreme"]
BANDS: tuple[Band, ...] = ("low", "medium", "high", "extreme")

SMOOTHING = 1e-3
"""Width (sigma) of the Gaussian that is laid over the bins before peaks are sought, as a share of the mark: 10 bp."""
FLOOR = 0.05
"""A peak stands out by at least this share of its side's highest point."""
KEEP = 0.5
"""The basin reaches down to half of the prominence."""


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
        band: Quartile of intensity: low, medium, high, extreme.
        distance: ``peak / mark − 1``: negative below the mark.
        share_20x: Share of the notional at 20x leverage or more.
        prominence: How far the smoothed peak rises above the pass to higher ground, USD per bin.
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


def band_of(intensity: float) -> Band:
    """The quartile of an intensity between 0 and 1.

    Example:
        >>> [band_of(x) for x in (0, 0.25, 0.6, 1)]
        ['low', 'medium', 'high', 'extreme']
    """
    return BANDS[min(int(intensity * len(BANDS)), len(BANDS) - 1)]


def find_clusters(of: LiquidationMap) -> tuple[Cluster, ...]:
    """Clusters of both sides, largest first (ties: lower price first).

    A side's notional per bin is smoothed by a Gaussian of 10 bp of the mark (at least two bins). Its peaks by
    prominence (0-dimensional persistent homology) of at least 5 % of the highest are the clusters; the bins around a
    peak down to half of its prominence, never across a pass to higher ground, are its basin. Notional is counted
    unsmoothed.
    """
    sigma = max(2.0, SMOOTHING * of.mark_price / of.grid.width)
    edges = of.grid.edges()
    sides: tuple[Side, Side] = ("long", "short")
    found: list[tuple[Side, tuple[int, float, int, int], float, float]] = []
    for side in sides:
        brackets = of.long if side == "long" else of.short
        mass = brackets.sum(axis=0)
        density = _core.smooth(np.ascontiguousarray(mass), sigma)
        high_leverage = brackets[np.asarray(of.brackets) >= 20].sum(axis=0)  # noqa: PLR2004
        for peak in _core.peaks(density, FLOOR * float(density.max(initial=0.0)), KEEP):
            basin = slice(peak[2], peak[3])
            notional = float(mass[basin].sum())
            if notional > 0:
                found.append((side, peak, notional, float(high_leverage[basin].sum()) / notional))
    largest = max((notional for _, _, notional, _ in found), default=1.0)
    clusters = []
    for side, (at, prominence, start, stop), notional, share_20x in found:
        peak_price = float(edges[at] + edges[at + 1]) / 2
        intensity = notional / largest
        clusters.append(
            Cluster(
                side=side,
                low=float(edges[start]),
                peak=peak_price,
                high=float(edges[stop]),
                notional=notional,
                intensity=intensity,
                band=band_of(intensity),
                distance=peak_price / of.mark_price - 1,
                share_20x=share_20x,
                prominence=prominence,
            )
        )
    return tuple(sorted(clusters, key=lambda c: (-c.notional, c.peak)))
