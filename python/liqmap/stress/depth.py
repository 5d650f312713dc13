"""Depth: the order book as cumulative notional in USD by distance from the mid, per side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.book_side import RestingOrders, SideDepth, clean_book, strictly_ascending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liqmap._base.timestamps import Instant
    from liqmap.stress.types import BookSide

__all__ = ["BETA", "Depth"]

BETA = 0.75
"""Exponent of cumulative depth outside the visible book: between .72 and .78, which were fitted to Binance's depth."""

_COVERED_DISTANCE = 0.05
"""A book covers prices at least this far from its mid, even if its visible orders end nearer."""


@dataclass(frozen=True, eq=False, slots=True)
class Depth:
    """A measured order book of one instrument, or merged over several; also an impact law (book walk).

    Between visible distances ``D(x)`` is a power law (linear in log-log), before the first it follows ``head`` and
    beyond the last ``tail``. A cascade that needs more depth than ``reach`` allows is ``depth_exhausted``.

    Attributes:
        instruments: Names of the instruments.
        at: UTC microseconds of the oldest book.
        mid: Middle price, quote currency.
        bid: Below the mid.
        ask: Above it.
        head: Exponent nearer than the first visible distance.
        tail: Exponent beyond the last visible distance.
        reach: Greatest distance a cascade may use; ``None``: the visible book only.
        dropped: Number of rejected orders by reason.
        multiplier: Factor on the visible notional.
        moved_from: The mid at which the book was measured, if it has been moved to another price.
        scaled_by: Reason for the multiplier, if there is one to state.
    """

    instruments: tuple[str, ...]
    at: Instant
    mid: float
    bid: SideDepth
    ask: SideDepth
    head: float = BETA
    tail: float = BETA
    reach: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    multiplier: float = 1.0
    moved_from: float | None = None
    scaled_by: str | None = None

    @classmethod
    def of_orders(cls, instrument: str, at: Instant, orders: RestingOrders) -> Depth:
        """Make a book from orders; invalid ones are rejected and counted (:func:`liqmap.stress.book_side.clean_book`).

        Raises:
            InputError: No valid order.
        """
        mid, bid, ask, dropped = clean_book(orders, where=instrument)
        return cls((instrument,), at, mid, bid, ask, dropped=dropped)

    @classmethod
    def of_bands(cls, instrument: str, at: Instant, mid: float, bands: Mapping[float, float]) -> Depth:
        """Make a book from cumulative depth as Binance publishes it: percent from the mid (bids negative) → USD.

        Raises:
            InputError: A mid, percentage or notional that is not a finite number, or depth that shrinks outwards.

        Example:
            >>> book = Depth.of_bands("binance:BTCUSDT", 0, 103_000.0, {-1: 191.4e6, -2: 331.5e6, 1: 176.6e6})
            >>> round(book.within("bid", 0.01)), book.bid.edge
            (191400000, 0.02)
        """
        values = np.array([[p, usd] for p, usd in bands.items()], dtype=np.float64).reshape(-1, 2)
        ok = np.all(np.isfinite(values)) and np.all(values[:, 1] > 0) and np.all(values[:, 0] != 0)
        if not (ok and np.isfinite(mid) and mid > 0):
            raise InputError(
                "depth", instrument, f"{dict(bands)} at {mid}", "percent → USD above 0", "nothing computed"
            )

        def one_side(sign: int) -> SideDepth:
            side = values[np.sign(values[:, 0]) == sign]
            side = side[np.argsort(np.abs(side[:, 0]))]
            if np.any(np.diff(side[:, 1]) < 0):
                found = f"{side[:, 1].tolist()} at {side[:, 0].tolist()} %"
                raise InputError("depth", instrument, found, "depth that grows outwards", "nothing computed")
            return SideDepth(np.abs(side[:, 0]) / 100, strictly_ascending(side[:, 1]))

        return cls((instrument,), at, mid, one_side(-1), one_side(1))

    @property
    def name(self) -> str:
        """``book``."""
        return "book"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Source, visible range, modifications and rejected orders of the book."""
        notes = [f"depth: book of {', '.join(self.instruments)}"]
        notes.append(f"visible to {self.bid.edge:.2%} below and {self.ask.edge:.2%} above the mid")
        if self.reach is not None:
            notes.append(f"beyond it depth grows as distance^{self.tail:g} up to {self.reach:.0%}")
        if self.multiplier != 1.0:
            notes.append(" ".join(filter(None, (self.scaled_by, f"×{self.multiplier:.4g}"))))
        if self.moved_from is not None:
            notes.append(f"measured at {self.moved_from:,.2f}, its relative shape moved to {self.mid:,.2f}")
        if self.dropped:
            notes.append("rejected: " + ", ".join(f"{n} {reason}" for reason, n in sorted(self.dropped.items())))
        return ("; ".join(notes),)

    def ladder(self, side: BookSide) -> SideDepth:
        """Return one side, before the multiplier."""
        return self.bid if side == "bid" else self.ask

    def curve(self, side: BookSide) -> _core.Curve:
        """Return ``D(x)`` of one side.

        Raises:
            InputError: The side has no orders, so it cannot absorb any flow.
        """
        visible = self.ladder(side)
        if visible.distance.size == 0:
            where = ", ".join(self.instruments)
            raise InputError("depth", where, f"no {side}s", "a book with both sides", "nothing computed")
        return _core.Curve(
            visible.distance, visible.notional * self.multiplier, head=self.head, tail=self.tail, reach=self.reach
        )

    def within(self, side: BookSide, distance: float) -> float:
        """Return the USD between the mid and a distance (fraction)."""
        return float(self.curve(side).notional(np.array([distance]))[0])

    def covers(self, price: float) -> bool:
        """Whether a price lies inside the visible book, or within 5 % of the mid."""
        below, above = max(self.bid.edge, _COVERED_DISTANCE), max(self.ask.edge, _COVERED_DISTANCE)
        return self.mid * (1 - below) <= price <= self.mid * (1 + above)

    holds = covers
    """Former name of :meth:`covers`, kept for one release."""

    def scaled(self, multiplier: float) -> Depth:
        """Return the same book, ``multiplier`` times as deep.

        Raises:
            InputError: A multiplier that is not a finite number above 0.
        """
        if not (np.isfinite(multiplier) and multiplier > 0):
            raise InputError("depth", "multiplier", repr(multiplier), "a finite number above 0", "nothing computed")
        return replace(self, multiplier=self.multiplier * multiplier)

    def extended(self, reach: float, tail: float = BETA) -> Depth:
        """Return the same book with a power law beyond the visible orders, up to ``reach``."""
        return replace(self, reach=reach, tail=tail)

    def moved(self, mid: float) -> Depth:
        """Return the same relative shape around another price; the shift is stated among the assumptions."""
        return replace(self, mid=mid, moved_from=self.mid if self.moved_from is None else self.moved_from)

    @classmethod
    def merged(cls, *books: Depth) -> Depth:
        """Merge books of several venues: notional is added at equal relative distance from each mid.

        Beyond its own edge a book adds no depth, so the sum is a lower bound there.

        Raises:
            InputError: No book is given.
        """
        if not books:
            raise InputError("depth", "books", "none", "at least one book", "nothing computed")
        if len(books) == 1:
            return books[0]
        dropped: dict[str, int] = {}
        for book in books:
            for reason, n in book.dropped.items():
                dropped[reason] = dropped.get(reason, 0) + n
        return cls(
            instruments=tuple(name for book in books for name in book.instruments),
            at=min(book.at for book in books),
            mid=float(np.mean([book.mid for book in books])),
            bid=SideDepth.merged([_scaled(book.bid, book.multiplier) for book in books]),
            ask=SideDepth.merged([_scaled(book.ask, book.multiplier) for book in books]),
            dropped=dropped,
        )


def _scaled(side: SideDepth, multiplier: float) -> SideDepth:
    return SideDepth(side.distance, side.notional * multiplier)
