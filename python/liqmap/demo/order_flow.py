"""New positions of the accounts: side, size, leverage and lifetime."""

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
        is_taker: Whether a market order follows the last move (taker) or a resting order takes the other side (maker).
        side: +1 long, −1 short.
        slippage: Difference of the entry price from the mark, as a fraction; above 0 is worse: takers pay, makers
            receive.
        size: Factor on the account's typical position.
        leverage: Requested leverage.
        extra_margin: Margin above the initial margin, as a share of it.
        lifetime: Minutes until the scheduled exit.
    """

    is_taker: npt.NDArray[np.bool_]
    side: Ints
    slippage: Floats
    size: Floats
    leverage: Floats
    extra_margin: Floats
    lifetime: Ints


@dataclass(eq=False, slots=True)
class OrderFlow:
    """Random draws of new positions; a minute needs only a dozen, so they are drawn in chunks."""

    rng: np.random.Generator
    settings: Settings
    _chunk: NewPositions | None = None
    _side_draws: Floats = field(default_factory=lambda: np.empty(0))
    _next_row: int = 0

    def draw(self, count: int, trend: float) -> NewPositions:
        """Positions of one minute.

        Takers follow the trend and use the retail leverage mix; makers trade against it with less leverage.

        Args:
            count: Number of positions.
            trend: Return of the last half hour in units of its volatility.
        """
        if self._chunk is None or self._next_row + count > len(self._side_draws):
            self._chunk = self._draw_chunk(_CHUNK_SIZE + count)
            self._next_row = 0
        window = slice(self._next_row, self._next_row + count)
        self._next_row += count
        chunk, s = self._chunk, self.settings
        is_taker = chunk.is_taker[window]
        odds = np.where(
            is_taker,
            _logistic(s.long_bias + s.taker_trend_response * trend),
            _logistic(s.long_bias - s.maker_trend_response * trend),
        )
        return NewPositions(
            is_taker=is_taker,
            side=np.where(self._side_draws[window] < odds, 1, -1),
            slippage=chunk.slippage[window],
            size=chunk.size[window],
            leverage=chunk.leverage[window],
            extra_margin=chunk.extra_margin[window],
            lifetime=chunk.lifetime[window],
        )

    def draw_lifetimes(self, leverage: Floats) -> Ints:
        """Minutes until the scheduled exit, log-normal with a median that falls with leverage."""
        s = self.settings
        median = s.lifetime_hours * _MINUTES_PER_HOUR * (10 / leverage) ** s.lifetime_power
        drawn = median * np.exp(s.lifetime_spread * self.rng.standard_normal(len(leverage)))
        return np.maximum(drawn, 1.0).astype(np.int64)

    def _draw_chunk(self, count: int) -> NewPositions:
        s, rng = self.settings, self.rng
        is_taker = rng.random(count) < s.taker_share
        taste = rng.random(count)
        leverage = np.where(is_taker, _leverage_at(s.taker_leverage, taste), _leverage_at(s.maker_leverage, taste))
        self._side_draws = rng.random(count)
        return NewPositions(
            is_taker=is_taker,
            side=np.zeros(count, dtype=np.int64),
            slippage=np.where(is_taker, s.max_slippage, -s.max_slippage) * rng.random(count),
            size=np.exp(s.trade_spread * rng.standard_normal(count)),
            leverage=leverage,
            extra_margin=np.maximum(0.0, 1 - rng.random(count) / s.extra_margin_share),
            lifetime=self.draw_lifetimes(leverage),
        )


def _leverage_at(shares: LeverageShares, uniform: Floats) -> Floats:
    leverage, share = zip(*shares, strict=True)
    edges = np.cumsum(share)[:-1]
    return np.array(leverage, dtype=np.float64)[np.searchsorted(edges, uniform, side="right")]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))
