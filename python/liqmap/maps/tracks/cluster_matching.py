"""Match the clusters of one side at two times: continued, started, ended, split and merged clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from liqmap import _core
from liqmap.maps.tracks.cluster_coupling import SPLIT_SHARE, couple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["ClusterExtent", "Matching", "match_clusters"]

MASS_WEIGHT = 0.5
"""Cost of a change of mass by the factor e, in half-widths of the basin."""
UNMATCHED = 2.0
"""Cost of a start or an end: two clusters of equal mass match if they are less than four half-widths apart."""


class ClusterExtent(NamedTuple):
    """A cluster as used in matching: edges of the basin and peak, all prices, and notional."""

    low: float
    peak: float
    high: float
    mass: float

    @property
    def half_width(self) -> float:
        """Half of the width of the basin, price."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Matching:
    """The assignment of one list of clusters to the next.

    Attributes:
        pairs: Index before → index after, of continued clusters.
        share: Index before → share of a continued cluster's mass that the coupling of all clusters sends to its match.
        parent: Index after → index before, of clusters that split off a continued one.
        heir: Index before → index after, of clusters that merged into a continued one.
    """

    pairs: dict[int, int]
    share: dict[int, float]
    parent: dict[int, int]
    heir: dict[int, int]


def match_clusters(before: Sequence[ClusterExtent], after: Sequence[ClusterExtent]) -> Matching:
    """Match two lists of clusters of one side, each in order of price.

    Pairs preserve the order of price. A pair costs ``|ln p/p'| / w + ½ |ln m/m'|``, where w is the mean half-width of
    the two basins relative to price; an unmatched cluster costs 2. The pairing of least total cost is chosen.

    An unmatched cluster split off a continued one, or merged into it, if their basins overlap (levels do not move) and
    the coupling of the overlapping clusters sends at least 30 % to each; the rule is that of
    :class:`liqmap.maps.tracks.cluster_coupling.Coupling`.

    Example:
        >>> a = [ClusterExtent(98, 100, 102, 10), ClusterExtent(118, 120, 122, 5)]
        >>> match_clusters(a, [ClusterExtent(97, 99, 100, 6), ClusterExtent(100, 101, 103, 5)])
        Matching(pairs={0: 0}, share={0: 0.8181818181818181}, parent={1: 0}, heir={})
    """
    if not before or not after:
        return Matching({}, {}, {}, {})
    pairs = dict(_core.align_monotone(_costs(before, after), UNMATCHED))
    flows = couple([(c.peak, c.mass) for c in before], [(c.peak, c.mass) for c in after]).flows
    share = {flow.before: flow.out for flow in flows if pairs.get(flow.before) == flow.after}
    parent, heir = _splits_and_merges(before, after, pairs)
    return Matching(pairs, {i: share.get(i, 0.0) for i in pairs}, parent, heir)


def _costs(before: Sequence[ClusterExtent], after: Sequence[ClusterExtent]) -> npt.NDArray[np.float64]:
    """Cost of each pair, shape ``(before, after)``."""
    (low_a, peak_a, high_a, mass_a), (low_b, peak_b, high_b, mass_b) = np.array(before).T, np.array(after).T
    half_a, half_b = (high_a - low_a) / (2 * peak_a), (high_b - low_b) / (2 * peak_b)
    width = (half_a[:, None] + half_b) / 2
    moved = np.abs(np.subtract.outer(np.log(peak_a), np.log(peak_b))) / width
    growth = np.abs(np.subtract.outer(np.log(mass_a), np.log(mass_b)))
    return np.asarray(moved + MASS_WEIGHT * growth, dtype=np.float64)


def _splits_and_merges(
    before: Sequence[ClusterExtent], after: Sequence[ClusterExtent], pairs: dict[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Parents of started and heirs of ended clusters; each group of overlapping clusters is coupled separately."""
    parent: dict[int, int] = {}
    heir: dict[int, int] = {}
    came_from = {j: i for i, j in pairs.items()}
    for olds, news in _overlap_groups(before, after, pairs):
        coupling = couple(
            [(before[i].peak, before[i].mass) for i in olds], [(after[j].peak, after[j].mass) for j in news]
        )
        out = {(olds[f.before], news[f.after]): f.out for f in coupling.flows}
        into = {(olds[f.before], news[f.after]): f.into for f in coupling.flows}
        for (i, j), sent in out.items():
            overlaps = before[i].low < after[j].high and after[j].low < before[i].high
            if not overlaps:
                continue
            if j not in came_from and i in pairs and min(sent, out.get((i, pairs[i]), 0.0)) >= SPLIT_SHARE:
                parent[j] = i
            if i not in pairs and j in came_from and min(into[i, j], into.get((came_from[j], j), 0.0)) >= SPLIT_SHARE:
                heir[i] = j
    return parent, heir


def _overlap_groups(
    before: Sequence[ClusterExtent], after: Sequence[ClusterExtent], pairs: dict[int, int]
) -> list[tuple[list[int], list[int]]]:
    """Groups of clusters connected by overlap or by a pair, with clusters of both lists.

    Groups of a single pair are left out, since no cluster started or ended in them.
    """
    root = list(range(len(before) + len(after)))

    def find(k: int) -> int:
        while root[k] != k:
            k = root[k]
        return k

    (low_a, _, high_a, _), (low_b, _, high_b, _) = np.array(before).T, np.array(after).T
    overlaps = np.argwhere((low_a[:, None] < high_b) & (low_b < high_a[:, None]))
    for i, j in (*pairs.items(), *overlaps.tolist()):
        root[find(i)] = find(len(before) + j)
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for k in range(len(root)):
        olds, news = groups.setdefault(find(k), ([], []))
        (olds if k < len(before) else news).append(k if k < len(before) else k - len(before))
    return [(olds, news) for olds, news in groups.values() if olds and news and len(olds) + len(news) > 2]  # noqa: PLR2004
