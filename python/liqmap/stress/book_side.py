"""One side of an order book as cumulative depth, and validation of raw orders."""

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
"""Asks beyond twice the mid are ignored: some venues hold large asks at 1,000,000 that are no liquidity."""

_MIN_DISTANCE = 1e-6
"""Minimum distance from the mid; distances must be above 0 because logarithms are taken."""

_DISTANCE_DIGITS = 9
_DISTANCE_STEP = 1e-9
"""Distances are multiples of 1e-9: two that differ only in the last bit would give an infinite slope."""

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
    def from_orders(cls, distance: Floats, notional: Floats) -> SideDepth:
        """Cumulate orders at distances (in any order, repeats allowed).

        Half of an order's notional counts at its own distance, so that a full book and a few wide bands at their mean
        prices follow one rule. All notional counts from half a gap beyond the last order on.

        Example:
            >>> bands = SideDepth.from_orders(np.array([0.005, 0.015]), np.array([100.0, 60.0]))
            >>> bands.distance.round(3).tolist(), bands.notional.tolist()
            ([0.005, 0.015, 0.02], [50.0, 130.0, 160.0])
        """
        rounded = np.maximum(np.round(distance, _DISTANCE_DIGITS), _MIN_DISTANCE)
        at, index = np.unique(rounded, return_inverse=True)
        resting = np.bincount(index, weights=notional, minlength=at.size)
        at, resting = at[resting > 0], resting[resting > 0]
        if at.size == 0:
            return cls(np.empty(0), np.empty(0))
        total = np.cumsum(resting)
        gap = at[-1] - at[-2] if at.size > 1 else at[-1]
        end = np.round(at[-1] + max(gap / 2, _DISTANCE_STEP), _DISTANCE_DIGITS)
        return cls(np.append(at, end), np.append(total - resting / 2, total[-1]))

    @property
    def edge(self) -> float:
        """The greatest visible distance; 0 for an empty side."""
        return float(self.distance[-1]) if self.distance.size else 0.0

    @property
    def total(self) -> float:
        """Total USD; 0 for an empty side."""
        return float(self.notional[-1]) if self.notional.size else 0.0

    @classmethod
    def merged(cls, sides: Sequence[SideDepth]) -> SideDepth:
        """Add the same side of several books, in any order; beyond its own edge a book adds no depth."""
        filled = [side for side in sides if side.distance.size]
        if not filled:
            return cls(np.empty(0), np.empty(0))
        at = np.unique(np.concatenate([side.distance for side in filled]))
        # Between the mid and a book's first order, depth grows linearly.
        parts = [_core.Curve(side.distance, side.notional, head=1.0, tail=1.0).notional(at) for side in filled]
        return cls(at, strictly_ascending(np.sum(np.sort(parts, axis=0), axis=0)))


def strictly_ascending(total: Floats) -> Floats:
    """Make cumulative depth strictly ascending: without orders it grows by a relative 1e-12 per distance."""
    return np.asarray(
        np.maximum.accumulate(total) * (1 + _RELATIVE_INCREMENT * np.arange(total.size)), dtype=np.float64
    )


@dataclass(frozen=True, eq=False, slots=True)
class RestingOrders:
    """Resting orders of both sides before validation: prices in quote currency, notional in USD."""

    bid_price: Floats
    bid_usd: Floats
    ask_price: Floats
    ask_usd: Floats


def clean_book(orders: RestingOrders, *, where: str) -> tuple[float, SideDepth, SideDepth, dict[str, int]]:
    """Validate orders and return mid price, both sides, and the number of rejected orders by reason.

    Rejected are prices or sizes that are not finite and above 0 (``invalid``), asks beyond twice the mid (``far``) and,
    if the best bid is not below the best ask, the fewest orders whose removal uncrosses the book (``crossed``).

    Args:
        orders: Raw orders.
        where: Source of the orders, for error messages.

    Raises:
        InputError: Neither side has a valid order.
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
        raise InputError("depth", where, "no valid order", "orders with prices and sizes above 0", "nothing computed")
    # The best price of a one-sided book serves as the mid.
    mid = float(np.mean([side.max() if low else side.min() for side, low in ((bid, True), (ask, False)) if side.size]))
    ask, ask_usd = keep(ask, ask_usd, ask <= mid * (1 + _MAX_ASK_DISTANCE), "far")
    return (
        mid,
        SideDepth.from_orders(1 - bid / mid, bid_usd),
        SideDepth.from_orders(ask / mid - 1, ask_usd),
        dropped,
    )


def _uncrossing_price(bid: Floats, ask: Floats) -> float:
    """Return the price that rejects the fewest orders if bids must be below it and asks at or above it."""
    at = np.unique(np.append(ask, np.nextafter(bid, np.inf)))
    lost_bids = bid.size - np.searchsorted(np.sort(bid), at, side="left")
    lost_asks = np.searchsorted(np.sort(ask), at, side="left")
    return float(at[np.argmin(lost_bids + lost_asks)])
