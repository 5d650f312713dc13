"""Depth: the order book as cumulative notional by distance from the middle, per side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.clock import Instant
    from liqmap.stress.impact import BookSide

__all__ = ["BETA", "Depth", "Ladder"]

BETA = 0.75
"""Exponent of cumulative depth outside what is visible: between the .72 and .78 fitted to Binance's bands."""


@dataclass(frozen=True, eq=False, slots=True)
class Ladder:
    """One side of a book, cumulated outwards.

    Attributes:
        distance: Fraction of the mid price, ascending, above 0.
        notional: USD between the mid and each distance, strictly ascending.
    """

    distance: npt.NDArray[np.float64]
    notional: npt.NDArray[np.float64]

    @classmethod
    def cumulate(cls, distance: npt.NDArray[np.float64], notional: npt.NDArray[np.float64]) -> Ladder:
        """Orders at distances (any order, repeats allowed) as a ladder."""
        at, where = np.unique(distance, return_inverse=True)
        held = np.bincount(where, weights=notional, minlength=at.size)
        filled = held > 0
        return cls(at[filled], np.cumsum(held[filled]))

    @property
    def edge(self) -> float:
        """The furthest visible distance."""
        return float(self.distance[-1])


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
        dropped: Levels left out, by reason.
        multiplier: What the visible notional was multiplied with.
    """

    instruments: tuple[str, ...]
    at: Instant
    mid: float
    bid: Ladder
    ask: Ladder
    head: float = BETA
    tail: float = BETA
    reach: float | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    multiplier: float = 1.0

    @property
    def name(self) -> str:
        """``book``."""
        return "book"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Whose book, how far it is visible, what was left out."""
        edge = f"visible to {self.bid.edge:.2%} below and {self.ask.edge:.2%} above the mid"
        beyond = (
            "" if self.reach is None else f"; beyond it depth grows as distance^{self.tail:g} up to {self.reach:.0%}"
        )
        scale = "" if self.multiplier == 1.0 else f"; ×{self.multiplier:g}"
        left = sum(self.dropped.values())
        dropped = f"; {left} levels left out ({', '.join(sorted(self.dropped))})" if left else ""
        return (f"depth: book of {', '.join(self.instruments)}, {edge}{beyond}{scale}{dropped}",)

    def ladder(self, side: BookSide) -> Ladder:
        """One side."""
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

    def scaled(self, multiplier: float) -> Depth:
        """The same book, ``multiplier`` times as deep.

        Raises:
            InputError: A multiplier that is not a finite number above 0.
        """
        if not (np.isfinite(multiplier) and multiplier > 0):
            raise InputError("depth", "multiplier", repr(multiplier), "a finite number above 0", "nothing computed")
        return replace(self, multiplier=self.multiplier * multiplier)
