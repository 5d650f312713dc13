"""Optimal-transport coupling of the clusters of two maps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Coupling", "MassFlow", "couple"]

CONTINUED_SHARE = 0.5
"""A cluster continues as the one that receives at least this share of its mass."""
SPLIT_SHARE = 0.3
"""A cluster splits (merges) if two or more clusters receive from it (send to it) at least this share each."""


@dataclass(frozen=True, slots=True)
class MassFlow:
    """Mass that the optimal coupling sends from one cluster to another.

    Attributes:
        before, after: Indices into the two lists of clusters.
        share: Share of total mass, with both lists normalised to 1.
        out: Share of the mass of the cluster before.
        into: Share of the mass of the cluster after.
    """

    before: int
    after: int
    share: float
    out: float
    into: float


@dataclass(frozen=True, slots=True)
class Coupling:
    """The monotone (quantile) coupling of two lists of clusters.

    Attributes:
        flows: Every flow of mass.
        distance: Wasserstein-1 distance: the mean distance by which mass moves, quote currency.
    """

    flows: tuple[MassFlow, ...]
    distance: float

    def continued(self) -> dict[int, int]:
        """Index of each continuing cluster → index of the cluster that receives at least half of its mass."""
        return {flow.before: flow.after for flow in self.flows if flow.out >= CONTINUED_SHARE}

    def split(self) -> set[int]:
        """Indices of clusters before that split into two or more."""
        return _repeated(flow.before for flow in self.flows if flow.out >= SPLIT_SHARE)

    def merged(self) -> set[int]:
        """Indices of clusters after that merge two or more."""
        return _repeated(flow.after for flow in self.flows if flow.into >= SPLIT_SHARE)


def _repeated(indices: Iterable[int]) -> set[int]:
    return {index for index, times in Counter(indices).items() if times > 1}


def couple(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> Coupling:
    """Couple two lists of ``(price, mass)``, each normalised to 1.

    In one dimension the optimal coupling for every convex cost is the monotone one.

    Raises:
        InputError: A list has no mass, or a number is not finite.

    Example:
        >>> links = couple([(21500, 20), (22000, 100), (24000, 60)], [(21500, 15), (23000, 90), (24000, 75)])
        >>> round(links.distance, 2), links.continued()
        (680.56, {0: 0, 1: 1, 2: 2})
        >>> round(links.flows[2].out, 2)
        0.85
    """
    flows, distance = _core.couple(list(before), list(after))
    mass_before, mass_after = sum(m for _, m in before), sum(m for _, m in after)
    return Coupling(
        flows=tuple(
            MassFlow(i, j, share, out=share * mass_before / before[i][1], into=share * mass_after / after[j][1])
            for i, j, share in flows
        ),
        distance=distance,
    )
