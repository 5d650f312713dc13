"""Clusters linked from map to map by optimal transport."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Coupling", "MassFlow", "couple"]

CONTINUED_SHARE = 0.5
"""A cluster continues as the one that takes at least this share of its mass."""
SPLIT_SHARE = 0.3
"""It splits (merges) when two or more take (give) at least this share each."""


@dataclass(frozen=True, slots=True)
class MassFlow:
    """Mass that flows from one cluster to another in the cheapest way there is.

    Attributes:
        before, after: Indices into the two lists of clusters.
        share: Of all mass, both lists normalised to 1.
        out: Of the mass of the cluster it leaves.
        into: Of the mass of the cluster it reaches.
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
        distance: W1: how far a unit of mass moves on average, quote currency.
    """

    flows: tuple[MassFlow, ...]
    distance: float

    def continued(self) -> dict[int, int]:
        """Clusters of the first list → the one of the second list that takes at least half of them."""
        return {flow.before: flow.after for flow in self.flows if flow.out >= CONTINUED_SHARE}

    def split(self) -> set[int]:
        """Clusters of the first list that go to two or more."""
        return _repeated(flow.before for flow in self.flows if flow.out >= SPLIT_SHARE)

    def merged(self) -> set[int]:
        """Clusters of the second list that come from two or more."""
        return _repeated(flow.after for flow in self.flows if flow.into >= SPLIT_SHARE)


def _repeated(indices: Iterable[int]) -> set[int]:
    return {index for index, times in Counter(indices).items() if times > 1}


def couple(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> Coupling:
    """Couple two lists of ``(price, mass)``, each normalised to 1.

    In one dimension the optimal coupling for every convex cost is the monotone one.

    Raises:
        InputError: A list without mass, or a number that is not finite.

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
