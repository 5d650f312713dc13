"""Transitions of the clusters of one side from one column to the next, with their changes of notional."""

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
"""Clusters of one side at one column, in order of price."""


@dataclass(frozen=True, eq=False, slots=True)
class Transition:
    """The transition of one side from one column to the next.

    Attributes:
        now: The clusters at the second column.
        steps: The step of each of these clusters.
        matching: The assignment of the first column's clusters to those of the second.
        ended: Index among the first column's clusters → the last step, for each cluster that ended.
    """

    now: Clusters
    steps: tuple[Step, ...]
    matching: Matching
    ended: dict[int, Step]


def find_transition(edges: Floats, before: Clusters, changes: MassChanges, at: Instant) -> Transition:
    """Find the clusters of the second column and match them with those of the first.

    Args:
        edges: The ``bins + 1`` price edges.
        before: Clusters at the first column; empty if there is no earlier column.
        changes: Changes of one side's notional per bin.
        at: Time of the second column, UTC microseconds.
    """
    now, sums = _clusters(edges, changes.after), _RangeSums(changes)
    matching = match_clusters([extent for _, extent in before], [extent for _, extent in now])
    came_from = {j: i for i, j in matching.pairs.items()}
    steps = []
    for j, (basin, extent) in enumerate(now):
        if j not in came_from:
            steps.append(_step(at, extent, sums, slice(0, 0), basin.bins))
            continue
        was, old = before[came_from[j]]
        share = matching.share[came_from[j]]
        moved = share >= CONTINUED_SHARE and abs(extent.peak - old.peak) > old.half_width
        steps.append(_step(at, extent, sums, was.bins, basin.bins, link=share, migrating=moved))
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
    """Changes summed over any range of bins."""

    def __init__(self, changes: MassChanges) -> None:
        self._running = {
            name: np.append(0.0, np.cumsum(getattr(changes, name)))
            for name in ("opened", "closed", "liquidated", "survived")
        }

    def of(self, name: str, bins: slice) -> float:
        running = self._running[name]
        return float(running[bins.stop] - running[bins.start]) if bins.stop > bins.start else 0.0


def _step(
    at: Instant,
    extent: ClusterExtent,
    changes: _RangeSums,
    was: slice,
    now: slice,
    *,
    link: float | None = None,
    migrating: bool = False,
) -> Step:
    """The step of a cluster from one basin to the next, with its change of notional decomposed."""
    survived = changes.of("survived", slice(max(was.start, now.start), min(was.stop, now.stop)))
    return Step(
        at=at,
        low=extent.low,
        peak=extent.peak,
        high=extent.high,
        notional=extent.mass,
        opened=changes.of("opened", now),
        closed=changes.of("closed", was),
        liquidated=changes.of("liquidated", was),
        carried_in=changes.of("survived", now) - survived,
        carried_out=changes.of("survived", was) - survived,
        link=link,
        migrating=migrating,
    )
