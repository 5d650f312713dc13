"""Depth: the order book as cumulative notional by distance from the middle, per side."""

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
"""Exponent of cumulative depth outside what is visible: between the .72 and .78 fitted to Binance's bands."""

_NEAR = 0.05
"""How far the price may have gone since the book was seen."""


@dataclass(frozen=True, eq=False, slots=True)
class Depth:
    """A measured book, of one instrument or merged over several; itself an impact law, the book walk.

    Between visible distances ``D(x)`` is a power law (a line in log-log); nearer than the first it follows ``head``;
    beyond the last it follows ``tail``, and a cascade that needs more than ``reach`` allows is ``depth_exhausted``.

    Attributes:
        instruments: Whose books these are.
        at: UTC microseconds of the oldest of them.
        mid: Middle price, quote currency.
        bid: Below the mid.
        ask: Above it.
        head: Exponent nearer than the first visible distance.
        tail: Exponent beyond the last visible distance.
        reach: Furthest distance a cascade may use; ``None``: what is visible and no more.
        dropped: Orders left out, by reason.
        multiplier: What the visible notional is multiplied with.
        moved_from: The mid at which the book was measured, where it has been moved to another price.
        scaled_by: Why it was multiplied, in words, where there is more to say than the number.
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
        """A book from its orders; bad ones are left out and counted (see :func:`liqmap.stress.book_side.clean_book`).

        Raises:
            InputError: No usable order.
        """
        mid, bid, ask, dropped = clean_book(orders, where=instrument)
        return cls((instrument,), at, mid, bid, ask, dropped=dropped)

    @classmethod
    def of_bands(cls, instrument: str, at: Instant, mid: float, bands: Mapping[float, float]) -> Depth:
        """A book from cumulative bands, as Binance publishes them: percent from the mid (bids negative) → USD.

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

        def ladder(sign: int) -> SideDepth:
            side = values[np.sign(values[:, 0]) == sign]
            side = side[np.argsort(np.abs(side[:, 0]))]
            if np.any(np.diff(side[:, 1]) < 0):
                found = f"{side[:, 1].tolist()} at {side[:, 0].tolist()} %"
                raise InputError("depth", instrument, found, "depth that grows outwards", "nothing computed")
            return SideDepth(np.abs(side[:, 0]) / 100, strictly_ascending(side[:, 1]))

        return cls((instrument,), at, mid, ladder(-1), ladder(1))

    @property
    def name(self) -> str:
        """``book``."""
        return "book"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Whose book, how far it is visible, what was changed and what left out."""
        said = [f"depth: book of {', '.join(self.instruments)}"]
        said.append(f"visible to {self.bid.edge:.2%} below and {self.ask.edge:.2%} above the mid")
        if self.reach is not None:
            said.append(f"beyond it depth grows as distance^{self.tail:g} up to {self.reach:.0%}")
        if self.multiplier != 1.0:
            said.append(" ".join(filter(None, (self.scaled_by, f"×{self.multiplier:.4g}"))))
        if self.moved_from is not None:
            said.append(f"measured at {self.moved_from:,.2f}, its relative shape moved to {self.mid:,.2f}")
        if self.dropped:
            said.append("left out: " + ", ".join(f"{n} {reason}" for reason, n in sorted(self.dropped.items())))
        return ("; ".join(said),)

    def ladder(self, side: BookSide) -> SideDepth:
        """One side, before the multiplier."""
        return self.bid if side == "bid" else self.ask

    def curve(self, side: BookSide) -> _core.Curve:
        """``D(x)`` of one side.

        Raises:
            InputError: The side is empty: a one-sided book cannot take this flow.
        """
        ladder = self.ladder(side)
        if ladder.distance.size == 0:
            where = ", ".join(self.instruments)
            raise InputError("depth", where, f"no {side}s", "a book with both sides", "nothing computed")
        return _core.Curve(
            ladder.distance, ladder.notional * self.multiplier, head=self.head, tail=self.tail, reach=self.reach
        )

    def within(self, side: BookSide, distance: float) -> float:
        """USD between the mid and a distance."""
        return float(self.curve(side).notional(np.array([distance]))[0])

    def holds(self, price: float) -> bool:
        """Whether a price lies inside the visible book, or so near the mid that the book's shape still speaks of it."""
        below, above = max(self.bid.edge, _NEAR), max(self.ask.edge, _NEAR)
        return self.mid * (1 - below) <= price <= self.mid * (1 + above)

    def scaled(self, multiplier: float) -> Depth:
        """The same book, ``multiplier`` times as deep.

        Raises:
            InputError: A multiplier that is not a finite number above 0.
        """
        if not (np.isfinite(multiplier) and multiplier > 0):
            raise InputError("depth", "multiplier", repr(multiplier), "a finite number above 0", "nothing computed")
        return replace(self, multiplier=self.multiplier * multiplier)

    def extended(self, reach: float, tail: float = BETA) -> Depth:
        """The same book, with a stated power law beyond what is visible, up to ``reach``."""
        return replace(self, reach=reach, tail=tail)

    def moved(self, mid: float) -> Depth:
        """The same relative shape around another price; the assumptions say so."""
        return replace(self, mid=mid, moved_from=self.mid if self.moved_from is None else self.moved_from)

    @classmethod
    def merged(cls, *books: Depth) -> Depth:
        """Several venues' books as one: notional adds up at equal relative distance from each one's mid.

        Beyond its own edge a book adds nothing more, so that the sum is a lower bound there.

        Raises:
            InputError: No book.
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
            bid=SideDepth.total_of([_scaled(book.bid, book.multiplier) for book in books]),
            ask=SideDepth.total_of([_scaled(book.ask, book.multiplier) for book in books]),
            dropped=dropped,
        )


def _scaled(ladder: SideDepth, multiplier: float) -> SideDepth:
    return SideDepth(ladder.distance, ladder.notional * multiplier)
