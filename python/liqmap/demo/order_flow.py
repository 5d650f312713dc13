"""Who comes into the market, on which side, how large, with how much leverage, for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from liqmap.demo.accounts import Ints
    from liqmap.demo.isolated_margin import Floats
    from liqmap.demo.settings import LeverageShares, Settings

__all__ = ["NewPositions", "OrderFlow"]

_CHUNK_SIZE = 100_000
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, eq=False, slots=True)
class NewPositions:
    """New positions of one minute, as columns.

    Attributes:
        chases: Whether a market order follows the last move (a taker), or a resting one meets it (a maker).
        side: +1 long, −1 short.
        slip: How much worse than the mark the entry price is, a fraction: takers pay, makers receive.
        size: Factor on the account's typical position.
        leverage: Wanted.
        padding: Margin above what the leverage asks for, as a share of it.
        life: Minutes until the account means to leave.
    """

    is_taker: npt.NDArray[np.bool_]
    side: Ints
    slip: Floats
    size: Floats
    leverage: Floats
    padding: Floats
    life: Ints


@dataclass(eq=False, slots=True)
class OrderFlow:
    """Draws positions; a minute needs only a dozen, so they are made in bulk and dealt out."""

    rng: np.random.Generator
    settings: Settings
    _chunk: NewPositions | None = None
    _side_draws: Floats = field(default_factory=lambda: np.empty(0))
    _next_row: int = 0

    def draw(self, count: int, trend: float) -> NewPositions:
        """Positions of one minute.

        Chasers go with the trend and take the retail mix of leverage; the others lean against it with less.

        Args:
            count: How many.
            trend: Return of the last half hour in units of its volatility.
        """
        if self._chunk is None or self._next_row + count > len(self._side_draws):
            self._chunk = self._draw_chunk(_CHUNK_SIZE + count)
            self._next_row = 0
        window = slice(self._next_row, self._next_row + count)
        self._next_row += count
        bulk, s = self._chunk, self.settings
        chases = bulk.is_taker[window]
        odds = np.where(chases, _logistic(s.long_bias + s.chase * trend), _logistic(s.long_bias - s.fade * trend))
        return NewPositions(
            is_taker=chases,
            side=np.where(self._side_draws[window] < odds, 1, -1),
            slip=bulk.slip[window],
            size=bulk.size[window],
            leverage=bulk.leverage[window],
            padding=bulk.padding[window],
            life=bulk.life[window],
        )

    def life(self, leverage: Floats) -> Ints:
        """Minutes until positions at this leverage are meant to end."""
        s = self.settings
        median = s.life_hours * _MINUTES_PER_HOUR * (10 / leverage) ** s.life_power
        drawn = median * np.exp(s.life_spread * self.rng.standard_normal(len(leverage)))
        return np.maximum(drawn, 1.0).astype(np.int64)

    def _draw_chunk(self, count: int) -> NewPositions:
        s, rng = self.settings, self.rng
        chases = rng.random(count) < s.chasers
        taste = rng.random(count)
        leverage = np.where(chases, _leverage_at(s.taker_leverage, taste), _leverage_at(s.maker_leverage, taste))
        self._side_draws = rng.random(count)
        return NewPositions(
            is_taker=chases,
            side=np.zeros(count, dtype=np.int64),
            slip=np.where(chases, s.slip, -s.slip) * rng.random(count),
            size=np.exp(s.trade_spread * rng.standard_normal(count)),
            leverage=leverage,
            padding=np.maximum(0.0, 1 - rng.random(count) / s.padded),
            life=self.life(leverage),
        )


def _leverage_at(shares: LeverageShares, uniform: Floats) -> Floats:
    leverage, share = zip(*shares, strict=True)
    edges = np.cumsum(share)[:-1]
    return np.array(leverage, dtype=np.float64)[np.searchsorted(edges, uniform, side="right")]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
