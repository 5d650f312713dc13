"""One side of the order book: a depth curve that forced orders consume and that refills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqmap.demo.settings import Settings

__all__ = ["OrderBookSide"]


@dataclass(slots=True)
class OrderBookSide:
    """Resting orders of one side: ``D(x) = D1 · (x / 1 %)^β`` USD within displacement ``x``.

    Forced orders of ``Q`` USD walk the book and move the price by ``D⁻¹(Q)``. Consumed depth refills with a half-life,
    so that orders in quick succession meet a thinner book.

    Attributes:
        power: β.
        decay: Share of the consumed depth that remains consumed after one minute.
        end: Largest displacement that the book covers, log price.
        consumed_usd: Consumed depth, USD.
    """

    power: float
    decay: float
    end: float
    consumed_usd: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> OrderBookSide:
        """A full book."""
        return cls(power=settings.depth_power, decay=0.5 ** (1 / settings.refill_minutes), end=settings.book_end)

    def consume(self, usd: float, depth: float) -> float:
        """Walk the book by ``usd``, given a depth of ``depth`` USD within 1 %; returns the displacement in log price.

        The displacement never exceeds ``end``: the insurance fund takes over the remainder without orders and transfers
        it to a holder of the other side.

        Example:
            >>> book = OrderBookSide(power=0.5, decay=0.5, end=0.05)
            >>> book.consume(10.0, depth=20.0), round(book.consume(10.0, depth=20.0), 6)
            (0.0025, 0.0075)
            >>> round(book.consume(1e9, depth=20.0), 6), book.consume(1e9, depth=20.0)
            (0.04, 0.0)
        """
        last = depth * (self.end / 0.01) ** self.power
        before, self.consumed_usd = min(self.consumed_usd, last), min(self.consumed_usd + usd, last)
        return 0.01 * float((self.consumed_usd / depth) ** (1 / self.power) - (before / depth) ** (1 / self.power))

    def refill(self) -> None:
        """Refill the book for one minute."""
        self.consumed_usd *= self.decay
