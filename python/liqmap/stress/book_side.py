"""One side of an order book, cumulated outwards, and what makes a set of orders a book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from liqmap import _core
from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RestingOrders", "SideDepth", "clean_book", "strictly_ascending"]

Floats = npt.NDArray[np.float64]

_MAX_ASK_DISTANCE = 1.0
"""Asks beyond twice the mid are no liquidity: some venues keep walls of them at 1,000,000."""

_MIN_DISTANCE = 1e-6
"""An order at the mid itself counts as this far away, so that distances have logarithms."""

_DISTANCE_DIGITS = 9
_DISTANCE_STEP = 1e-9
"""Distances are whole billionths: two that differ in their last bit only would make a step of infinite slope."""

_RELATIVE_INCREMENT = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class SideDepth:
    """Cumulative depth of one side.

    Attributes:
        distance: Fraction of the mid price, ascending, above 0.
        notional: USD between the mid and each distance, strictly ascending.
    """

    distance: Floats
    notional: Floats

    @classmethod
    def cumulate(cls, distance: Floats, notional: Floats) -> SideDepth:
        """Orders at distances (any order, repeats allowed) as a ladder.

        At an order's own price half of it is eaten: so a few wide bands, given by their mean prices, and a full book
        are read by one rule. Half a gap beyond the last order all of it is.

        Example:
            >>> bands = SideDepth.cumulate(np.array([0.005, 0.015]), np.array([100.0, 60.0]))
            >>> bands.distance.round(3).tolist(), bands.notional.tolist()
            ([0.005, 0.015, 0.02], [50.0, 130.0, 160.0])
        """
        lattice = np.maximum(np.round(distance, _DISTANCE_DIGITS), _MIN_DISTANCE)
        at, where = np.unique(lattice, return_inverse=True)
        held = np.bincount(where, weights=notional, minlength=at.size)
        at, held = at[held > 0], held[held > 0]
        if at.size == 0:
            return cls(np.empty(0), np.empty(0))
        total = np.cumsum(held)
        gap = at[-1] - at[-2] if at.size > 1 else at[-1]
        end = np.round(at[-1] + max(gap / 2, _DISTANCE_STEP), _DISTANCE_DIGITS)
        return cls(np.append(at, end), np.append(total - held / 2, total[-1]))

    @property
    def edge(self) -> float:
        """The furthest visible distance; 0 for an empty side."""
        return float(self.distance[-1]) if self.distance.size else 0.0

    @property
    def total(self) -> float:
        """USD in all; 0 for an empty side."""
        return float(self.notional[-1]) if self.notional.size else 0.0

    @classmethod
    def total_of(cls, ladders: Sequence[SideDepth]) -> SideDepth:
        """Several books as one, in any order; beyond its own edge a book adds nothing more."""
        filled = [ladder for ladder in ladders if ladder.distance.size]
        if not filled:
            return cls(np.empty(0), np.empty(0))
        at = np.unique(np.concatenate([ladder.distance for ladder in filled]))
        # Nearer than a book's first order nothing is known to rest: a straight line to it.
        parts = [_core.Curve(ladder.distance, ladder.notional, head=1.0, tail=1.0).notional(at) for ladder in filled]
        return cls(at, strictly_ascending(np.sum(np.sort(parts, axis=0), axis=0)))


def strictly_ascending(total: Floats) -> Floats:
    """Cumulative depth made strictly ascending: where nothing rests it grows by a millionth of a millionth."""
    return np.asarray(
        np.maximum.accumulate(total) * (1 + _RELATIVE_INCREMENT * np.arange(total.size)), dtype=np.float64
    )


@dataclass(frozen=True, eq=False, slots=True)
class RestingOrders:
    """Resting orders of both sides as they came: prices in quote currency, notional in USD; not yet trusted."""

    bid_price: Floats
    bid_usd: Floats
    ask_price: Floats
    ask_usd: Floats


def clean_book(orders: RestingOrders, *, where: str) -> tuple[float, SideDepth, SideDepth, dict[str, int]]:
    """Make a book of orders: mid price, both ladders, and what was left out, by reason.

    Left out: prices or sizes that are not finite and above 0 (``invalid``), asks beyond twice the mid (``far``), and
    where bids stand above asks, as few orders as make the book open again (``crossed``).

    Raises:
        InputError: Nothing is left of either side.
    """
    dropped: dict[str, int] = {}

    def keep(price: Floats, usd: Floats, good: npt.NDArray[np.bool_], reason: str) -> tuple[Floats, Floats]:
        lost = int(good.size - np.count_nonzero(good))
        if lost:
            dropped[reason] = dropped.get(reason, 0) + lost
        return price[good], usd[good]

    def valid(price: Floats, usd: Floats) -> npt.NDArray[np.bool_]:
        return np.isfinite(price) & (price > 0) & np.isfinite(usd) & (usd > 0)

    bid, bid_usd = keep(orders.bid_price, orders.bid_usd, valid(orders.bid_price, orders.bid_usd), "invalid")
    ask, ask_usd = keep(orders.ask_price, orders.ask_usd, valid(orders.ask_price, orders.ask_usd), "invalid")
    if bid.size and ask.size and bid.max() >= ask.min():
        split = _uncrossing_price(bid, ask)
        bid, bid_usd = keep(bid, bid_usd, bid < split, "crossed")
        ask, ask_usd = keep(ask, ask_usd, ask >= split, "crossed")
    if not bid.size and not ask.size:
        raise InputError("depth", where, "no usable order", "orders with prices and sizes above 0", "nothing computed")
    # A one-sided book keeps its side; its best price stands for the mid.
    mid = float(np.mean([side.max() if low else side.min() for side, low in ((bid, True), (ask, False)) if side.size]))
    ask, ask_usd = keep(ask, ask_usd, ask <= mid * (1 + _MAX_ASK_DISTANCE), "far")
    return (
        mid,
        SideDepth.cumulate(1 - bid / mid, bid_usd),
        SideDepth.cumulate(ask / mid - 1, ask_usd),
        dropped,
    )


def _uncrossing_price(bid: Floats, ask: Floats) -> float:
    """The price that leaves out the fewest orders when bids must lie below it and asks at or above it."""
    at = np.unique(np.append(ask, np.nextafter(bid, np.inf)))
    lost_bids = bid.size - np.searchsorted(np.sort(bid), at, side="left")
    lost_asks = np.searchsorted(np.sort(ask), at, side="left")
    return float(at[np.argmin(lost_bids + lost_asks)])
