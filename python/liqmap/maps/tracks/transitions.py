"""What clusters of one side do from one column to the next: who goes on, what moved their mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from liqmap.maps.clusters import Basin, basins
from liqmap.maps.heatmap import MAP_SIGMA
from liqmap.maps.tracks.cluster_coupling import CONTINUED_SHARE
from liqmap.maps.tracks.cluster_matching import ClusterExtent, Matching, match_clusters
from liqmap.maps.tracks.tracks import Step

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.maps.tracks.mass_changes import MassChanges

    Floats = npt.NDArray[np.float64]

__all__ = ["Clusters", "Transition", "find_transition"]

Clusters: TypeAlias = tuple[tuple[Basin, ClusterExtent], ...]
"""Of one side at one column, in order of price."""


@dataclass(frozen=True, eq=False, slots=True)
class Transition:
    """From one column to the next.

    Attributes:
        now: The clusters that stand at the second.
        steps: What each of them went through.
        matching: Who of the first is who of the second.
        ended: By index among the clusters of the first: the last step of each that does not go on.
    """

    now: Clusters
    steps: tuple[Step, ...]
    matching: Matching
    ended: dict[int, Step]


def find_transition(edges: Floats, before: Clusters, told: MassChanges, at: Instant) -> Transition:
    """Find the clusters of the second column and match them with those of the first, none of them if it is the first.

    Args:
        edges: The ``bins + 1`` price edges.
        before: What stood at the first column.
        told: What moved each bin's mass, one side.
        at: UTC microseconds of the second.
    """
    now, sums = _clusters(edges, told.after), _RangeSums(told)
    matching = match_clusters([ground for _, ground in before], [ground for _, ground in now])
    came_from = {j: i for i, j in matching.pairs.items()}
    steps = []
    for j, (basin, ground) in enumerate(now):
        if j not in came_from:
            steps.append(_step(at, ground, sums, slice(0, 0), basin.bins))
            continue
        was, old = before[came_from[j]]
        share = matching.share[came_from[j]]
        moved = share >= CONTINUED_SHARE and abs(ground.peak - old.peak) > old.half_width
        steps.append(_step(at, ground, sums, was.bins, basin.bins, link=share, migrating=moved))
    ended = {
        i: _step(at, old._replace(mass=0.0), sums, was.bins, slice(0, 0))
        for i, (was, old) in enumerate(before)
        if i not in matching.pairs
    }
    return Transition(now, tuple(steps), matching, ended)


def _clusters(edges: Floats, mass: Floats) -> Clusters:
    return tuple(
        (
            basin,
            ClusterExtent(
                float(edges[basin.bins.start]),
                float(edges[basin.at] + edges[basin.at + 1]) / 2,
                float(edges[basin.bins.stop]),
                float(mass[basin.bins].sum()),
            ),
        )
        for basin in basins(mass, MAP_SIGMA)
    )


class _RangeSums:
    """MassChanges summed over any range of bins."""

    def __init__(self, told: MassChanges) -> None:
        self._running = {
            name: np.append(0.0, np.cumsum(getattr(told, name)))
            for name in ("opened", "closed", "liquidated", "survived")
        }

    def of(self, name: str, bins: slice) -> float:
        running = self._running[name]
        return float(running[bins.stop] - running[bins.start]) if bins.stop > bins.start else 0.0


def _step(
    at: Instant,
    ground: ClusterExtent,
    told: _RangeSums,
    was: slice,
    now: slice,
    *,
    link: float | None = None,
    migrating: bool = False,
) -> Step:
    """The change from one basin to the next, taken apart."""
    stayed = told.of("survived", slice(max(was.start, now.start), min(was.stop, now.stop)))
    return Step(
        at=at,
        low=ground.low,
        peak=ground.peak,
        high=ground.high,
        notional=ground.mass,
        opened=told.of("opened", now),
        closed=told.of("closed", was),
        liquidated=told.of("liquidated", was),
        carried_in=told.of("survived", now) - stayed,
        carried_out=told.of("survived", was) - stayed,
        link=link,
        migrating=migrating,
    )
