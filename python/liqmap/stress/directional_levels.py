"""Liquidation levels of one side of a map, by distance from the mark in whole ticks, nearest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side

__all__ = ["DirectionalLevels", "MapLike", "directional_levels"]


class MapLike(Protocol):
    """The parts of a map that stress tests read; prices in quote currency, notional in USD, shape (brackets, bins)."""

    @property
    def instrument(self) -> str:
        """``venue:SYMBOL``."""

    @property
    def at(self) -> int:
        """UTC microseconds."""

    @property
    def mark_price(self) -> float:
        """Mark price, from which distances are measured."""

    @property
    def grid(self) -> Grid:
        """The price axis."""

    @property
    def brackets(self) -> tuple[float, ...]:
        """Leverage of each bracket."""

    @property
    def long(self) -> npt.NDArray[np.float64]:
        """Notional of longs."""

    @property
    def short(self) -> npt.NDArray[np.float64]:
        """Notional of shorts."""


@dataclass(frozen=True, eq=False, slots=True)
class DirectionalLevels:
    """The non-empty bins of one side, nearest to the mark first.

    Attributes:
        side: Side of the positions.
        distance: Ticks from the mark to the middle of the bin, ascending.
        notional: USD per level.
        by_bracket: USD per level and bracket, shape ``(levels, brackets)``.
        bins: Index of each level's bin.
        mark: The mark, in ticks.
        tick: Quote currency per tick.
        left_out: USD in bins entirely on the wrong side of the mark; the mark has passed them.
    """

    side: Side
    distance: npt.NDArray[np.int64]
    notional: npt.NDArray[np.float64]
    by_bracket: npt.NDArray[np.float64]
    bins: npt.NDArray[np.int64]
    mark: int
    tick: float
    left_out: float

    @property
    def sign(self) -> int:
        """−1 if levels lie below the mark (longs), +1 if above."""
        return -1 if self.side == "long" else 1

    @property
    def limit(self) -> int:
        """The greatest displacement, in ticks: the price stays above 0 and at most ten times the mark."""
        return self.mark - 1 if self.side == "long" else 9 * self.mark

    def ticks(self, fraction: float) -> int:
        """Convert a relative displacement to ticks."""
        return int(np.floor(abs(fraction) * self.mark + 0.5))

    def price(self, ticks: int) -> float:
        """Return the price at a displacement."""
        return float(self._prices_at(np.array([ticks]))[0])

    @property
    def prices(self) -> npt.NDArray[np.float64]:
        """Price of each level: the middle of its bin, rounded to the tick."""
        return self._prices_at(self.distance)

    def _prices_at(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        at = (self.mark + self.sign * ticks).astype(np.float64)
        per_unit = round(1 / self.tick)
        # Dividing by whole ticks per unit, if possible, gives exact decimals for ticks such as 0.1; see Grid.price.
        exact = per_unit > 0 and abs(per_unit * self.tick - 1) < 1e-12  # noqa: PLR2004
        return np.asarray(at / per_unit if exact else at * self.tick, dtype=np.float64)


def directional_levels(of: MapLike, side: Side, *, minimum: int = 1) -> DirectionalLevels:
    """Return the liquidation levels of one side of a map.

    A bin acts at its middle. Bins that the mark has passed are excluded and counted.

    Args:
        of: The map.
        side: Side of the positions.
        minimum: Smallest number of levels that is accepted.

    Raises:
        InputError: An invalid mark price, notional that is negative or not finite, fewer than ``minimum`` levels.
    """
    grid = of.grid
    mark_price = of.mark_price
    if not (np.isfinite(mark_price) and mark_price >= grid.tick):
        raise InputError("cascade", of.instrument, f"mark price {mark_price}", "a price above 0", "nothing computed")
    mark = int(np.floor(mark_price / grid.tick + 0.5))
    by_bracket = np.asarray(of.long if side == "long" else of.short, dtype=np.float64)
    if not np.all(np.isfinite(by_bracket) & (by_bracket >= 0)):
        raise InputError(
            "cascade", of.instrument, f"a {side} bin negative or not finite", "USD of at least 0", "nothing computed"
        )
    notional = by_bracket.sum(axis=0)
    bins = np.flatnonzero(notional > 0)
    low = grid.low_tick + bins * grid.width_ticks
    high = low + grid.width_ticks
    doubled = (2 * mark - low - high) if side == "long" else (low + high - 2 * mark)
    valid = (low < mark) if side == "long" else (high > mark)
    # The middle of the bin that contains the mark may lie on the other side: its valid part begins at the next tick.
    distance = np.maximum((doubled + 1) // 2, 1)
    left_out = float(notional[bins[~valid]].sum())
    bins, distance = bins[valid], distance[valid]
    if bins.size < minimum:
        where = "below" if side == "long" else "above"
        raise InputError(
            "cascade", of.instrument, "an empty map", f"{side} levels {where} the mark", "nothing computed"
        )
    order = np.argsort(distance, kind="stable")
    bins, distance = bins[order], distance[order]
    return DirectionalLevels(
        side=side,
        distance=distance.astype(np.int64),
        notional=np.ascontiguousarray(notional[bins]),
        by_bracket=np.ascontiguousarray(by_bracket[:, bins].T),
        bins=bins.astype(np.int64),
        mark=mark,
        tick=grid.tick,
        left_out=left_out,
    )
