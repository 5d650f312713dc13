"""Map context: the inputs shared by all rules: map, impact laws, market conditions and the clusters within reach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.instruments import SIDES
from liqmap.stress.cascade import Cascade, cascade
from liqmap.stress.impact import STRESSED, SquareRoot
from liqmap.stress.impact_selection import usable_law
from liqmap.stress.thresholds import thresholds
from liqmap.stress.touch_probability import HORIZONS_H, touch_probability

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.maps.map import LiquidationMap
    from liqmap.strategies.conditions import Conditions
    from liqmap.stress.impact import Law
    from liqmap.stress.thresholds import Thresholds
    from liqmap.stress.types import BookSide

__all__ = ["REACH_SIGMAS", "ImpactByLaw", "MapContext", "book_side", "far_edge", "near_edge"]

REACH_SIGMAS = 3.0
"""Reach, in standard deviations of 24-hour moves; price rarely gets farther within a day."""


@dataclass(frozen=True, slots=True)
class ImpactByLaw:
    """Displacement of price by a flow, a fraction, under the three laws of the law range.

    ``None`` if the flow exceeds the known depth of the book, since any number would be an extrapolation.
    """

    calm: float | None
    stressed: float | None
    square_root: float | None


@dataclass(frozen=True)
class MapContext:
    """A map with the order book and conditions of its market at that time.

    Attributes:
        of: The map.
        depth: The order book, another impact law, or ``None`` for the labelled fallback.
        conditions: Volatility and true range.

    Raises:
        InputError: A bin is negative or not finite.
    """

    of: LiquidationMap
    depth: Law | None
    conditions: Conditions

    def __post_init__(self) -> None:
        for side in SIDES:
            usd = self.of.side(side)
            if not np.all(np.isfinite(usd) & (usd >= 0)):
                found = f"a {side} bin negative or not finite"
                raise InputError("levels", self.of.instrument, found, "USD from 0 on", "nothing computed")

    @property
    def mark(self) -> float:
        """Mark price of the map, from which distances are measured."""
        return self.of.mark_price

    @cached_property
    def laws(self) -> dict[Side, Law]:
        """Impact law for the forced flow of each side; see :func:`liqmap.stress.impact_selection.usable_law`."""
        return {side: usable_law(self.of, self.depth, side) for side in SIDES}

    @cached_property
    def square_root(self) -> SquareRoot:
        """The square-root law with the realised volatility of a day; its turnover is assumed."""
        return SquareRoot(sigma=self.conditions.move(24))

    @cached_property
    def limits(self) -> tuple[str, ...]:
        """Assumptions of the laws, without duplicates."""
        stated = [sentence for law in self.laws.values() for sentence in law.assumptions]
        return tuple(
            dict.fromkeys([*stated, *self.square_root.assumptions, f"stressed book: {STRESSED:g} of the depth"])
        )

    @property
    def reach(self) -> float:
        """Three standard deviations of a 24-hour move, a fraction of the mark."""
        return REACH_SIGMAS * self.conditions.move(24)

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        """Clusters of both sides whose near edge lies within reach, nearest first."""
        found = [c for c in self.of.clusters() if abs(self.distance(near_edge(c))) <= self.reach]
        return tuple(sorted(found, key=lambda c: (abs(self.distance(near_edge(c))), c.peak)))

    @property
    def largest(self) -> float:
        """Notional of the largest cluster within reach; 0 without one."""
        return max((cluster.notional for cluster in self.clusters), default=0.0)

    @property
    def empty_reason(self) -> str:
        """Reason for an empty result of a rule on clusters."""
        return f"no cluster lies within {self.reach:.1%} of the mark (three standard deviations of 24 hours)"

    @cached_property
    def thresholds(self) -> dict[Side, Thresholds | None]:
        """The threshold of each level, by side; ``None`` for a side without levels."""
        found: dict[Side, Thresholds | None] = {}
        for side in SIDES:
            has_levels = bool(self.of.side(side).any())
            try:
                found[side] = thresholds(self.of, side, self.laws[side]) if has_levels else None
            except InputError:
                # All levels of the side lie beyond the mark.
                found[side] = None
        return found

    def distance(self, price: float) -> float:
        """Signed distance ``price / mark − 1``."""
        return price / self.mark - 1

    def touch(self, price: float) -> dict[str, float]:
        """Probability that the price is touched within 4, 12 and 24 hours (driftless, realised volatility)."""
        away, sigma = self.distance(price), self.conditions.volatility
        return {f"{hours:g}h": touch_probability(away, sigma, hours) for hours in HORIZONS_H}

    def shocks(self, cluster: Cluster) -> tuple[float | None, float | None]:
        """The smallest shocks, signed fractions, that trigger the first and the last level of a cluster."""
        table = self.thresholds[cluster.side]
        if table is None:
            return None, None
        inside = np.flatnonzero((table.price >= cluster.low) & (table.price <= cluster.high))
        return (
            (float(table.shock_needed[inside[0]]), float(table.shock_needed[inside[-1]]))
            if inside.size
            else (None, None)
        )

    def push(self, side: Side, usd: float) -> ImpactByLaw:
        """Displacement ``I(Q)`` by the forced flow of a side."""
        book, law = book_side(side), self.laws[side]
        third = _impact(self.square_root, book, usd)
        return ImpactByLaw(_impact(law, book, usd), _impact(law, book, usd / STRESSED), third)

    def cascade_at(self, price: float, side: Side, shock: float) -> Cascade:
        """A cascade whose shock starts from another price; levels on the way there count as swept."""
        there = replace(self.of, mark_price=price)
        return cascade(there, shock, usable_law(there, self.depth, side), square_root=self.square_root)


def book_side(side: Side) -> BookSide:
    """Book side that absorbs the forced flow: bids absorb sales of longs, asks purchases of shorts."""
    return "bid" if side == "long" else "ask"


def near_edge(cluster: Cluster) -> float:
    """The edge of a cluster that price reaches first."""
    return cluster.high if cluster.side == "long" else cluster.low


def far_edge(cluster: Cluster) -> float:
    """The edge of a cluster that price reaches last."""
    return cluster.low if cluster.side == "long" else cluster.high


def _impact(law: Law, side: BookSide, usd: float) -> float | None:
    curve = law.curve(side)
    return None if usd > curve.capacity else float(curve.displacement(np.array([usd]))[0])
