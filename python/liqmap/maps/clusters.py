"""Clusters: peaks of a map with their basins, by topographic prominence in the Rust core."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from liqmap import _core
from liqmap._base.instruments import SIDES

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap.maps.types import BinnedMap

__all__ = ["BANDS", "Band", "Basin", "Cluster", "band_of", "basins", "find_clusters", "smoothing_sigma"]

Band: TypeAlias = Literal["low", "medium", "high", "extreme"]
BANDS: tuple[Band, ...] = ("low", "medium", "high", "extreme")

SMOOTHING_WIDTH = 1e-3
"""Width (sigma) of the Gaussian that smooths the bins before peaks are searched, as a share of the mark: 10 bp."""
MIN_PROMINENCE = 0.05
"""Minimum prominence of a peak as a share of its side's highest smoothed bin."""
BASIN_SHARE = 0.5
"""The basin reaches from the peak down to half of its prominence."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One peak of the map and the bins that belong to it.

    Attributes:
        side: Side of the positions.
        low: Lower edge of the basin, price.
        peak: Centre of the highest bin, price.
        high: Upper edge of the basin, price.
        notional: USD in the basin.
        intensity: Notional as a share of the map's largest cluster, 0 to 1.
        band: Quartile of intensity: low, medium, high, extreme.
        distance: ``peak / mark − 1``: negative below the mark.
        share_20x: Share of the notional at 20x leverage or more.
        prominence: Height of the smoothed peak above the highest pass that leads to a higher peak, USD per bin.
        observed_share: Share of the notional that is observed; the rest is modelled.
        percentile: Percentage of the clusters of the preceding 90 days, taken every 12 hours, that were smaller, 0 to
            100; clusters of equal size count half. ``None`` if the history before the map is shorter than a week.
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
    observed_share: float = 0.0
    percentile: float | None = None

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


class Basin(NamedTuple):
    """A peak in bins: its highest bin, its prominence (smoothed USD per bin), and the bins that belong to it."""

    at: int
    prominence: float
    bins: slice


def basins(mass: npt.NDArray[np.float64], sigma: float) -> list[Basin]:
    """Peaks of one side's notional per bin with disjoint, non-empty basins, in order of price; ``sigma`` in bins.

    If the basin of a high peak would reach across a pass into the basin of a lower peak, both end at the pass.
    """
    density = _core.smooth(np.ascontiguousarray(mass), sigma)
    peaks = _core.peaks(density, MIN_PROMINENCE * float(density.max(initial=0.0)), BASIN_SHARE)
    starts, stops = [peak[2] for peak in peaks], [peak[3] for peak in peaks]
    for i, (lower, upper) in enumerate(pairwise(peaks)):
        if stops[i] > starts[i + 1]:
            stops[i] = starts[i + 1] = lower[0] + int(np.argmin(density[lower[0] : upper[0]]))
    found = (Basin(at, high, slice(a, z)) for (at, high, *_), a, z in zip(peaks, starts, stops, strict=True))
    filled = np.append(0, np.cumsum(mass > 0)).tolist()
    return [basin for basin in found if filled[basin.bins.stop] > filled[basin.bins.start]]


def smoothing_sigma(mark_price: float, axis: Grid) -> float:
    """Width (sigma) of the Gaussian that smooths a map, in bins: 10 bp of the mark, at least two bins."""
    return max(2.0, SMOOTHING_WIDTH * mark_price / axis.width)


def find_clusters(of: BinnedMap) -> tuple[Cluster, ...]:
    """Find the clusters of both sides, largest first (ties: lower price first).

    A side's notional per bin is smoothed by a Gaussian of 10 bp of the mark (at least two bins). Peaks whose prominence
    (0-dimensional persistent homology) is at least 5 % of the highest smoothed bin are the clusters. The basin is the
    bins around the peak down to half of its prominence, never across a pass to another cluster. Notional is summed
    over the unsmoothed bins.
    """
    sigma = smoothing_sigma(of.mark_price, of.grid)
    edges = of.grid.edges()
    found: list[tuple[Side, Basin, float, float, float]] = []
    for side in SIDES:
        brackets = of.long if side == "long" else of.short
        mass = brackets.sum(axis=0)
        observed = np.zeros_like(mass) if of.observed is None else of.observed.side(side)
        high_leverage = brackets[np.asarray(of.brackets) >= 20].sum(axis=0)  # noqa: PLR2004
        for basin in basins(mass, sigma):
            bins = basin.bins
            notional = float(mass[bins].sum())
            share_20x, share_observed = (float(part[bins].sum()) / notional for part in (high_leverage, observed))
            found.append((side, basin, notional, share_20x, share_observed))
    largest = max((notional for _, _, notional, *_ in found), default=1.0)
    clusters = []
    for side, basin, notional, share_20x, observed_share in found:
        peak_price = float(edges[basin.at] + edges[basin.at + 1]) / 2
        intensity = notional / largest
        clusters.append(
            Cluster(
                side=side,
                low=float(edges[basin.bins.start]),
                peak=peak_price,
                high=float(edges[basin.bins.stop]),
                notional=notional,
                intensity=intensity,
                band=band_of(intensity),
                distance=peak_price / of.mark_price - 1,
                share_20x=share_20x,
                prominence=basin.prominence,
                observed_share=observed_share,
                percentile=None if of.past is None else _percentile(notional, of.past),
            )
        )
    return tuple(sorted(clusters, key=lambda c: (-c.notional, c.peak)))


def _percentile(notional: float, past: npt.NDArray[np.float64]) -> float:
    below, upto = np.searchsorted(past, notional, side="left"), np.searchsorted(past, notional, side="right")
    return 50.0 * float(below + upto) / len(past)
