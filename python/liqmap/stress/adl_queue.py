"""The queue of auto-deleveraging: which winners are closed first, by each venue's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RANKINGS", "deleverage_winners", "queue_percentile"]

Ranking: TypeAlias = Callable[["npt.NDArray[np.float64]", "npt.NDArray[np.float64]"], "npt.NDArray[np.float64]"]


def profit_times_leverage(
    profit: npt.NDArray[np.float64], leverage: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """BitMEX and OKX, and Bybit by its help pages: PnL share × effective leverage, or ÷ it for a loss.

    Example:
        >>> profit_times_leverage(np.array([0.5, -0.5]), np.array([10.0, 10.0])).tolist()
        [5.0, -0.05]
    """
    return np.asarray(np.where(profit > 0, profit * leverage, profit / leverage), dtype=np.float64)


def price_ratio_times_leverage(
    profit: npt.NDArray[np.float64], leverage: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Hyperliquid: ``(mark / entry) · (notional / account value)`` for a long; ``profit`` is ``mark / entry − 1``."""
    return np.asarray((1 + profit) * leverage, dtype=np.float64)


RANKINGS: dict[str, Ranking] = {
    "binance": profit_times_leverage,
    "bitmex": profit_times_leverage,
    "bybit": profit_times_leverage,
    "hyperliquid": price_ratio_times_leverage,
    "okx": profit_times_leverage,
}
"""Score of a position from its profit share and effective leverage ``|value| / (value − bankruptcy value)``, by venue.

Binance words it as unrealised profit over collateral × margin ratio: the same order where the margin ratio grows with
leverage."""


def deleverage_winners(
    size: npt.NDArray[np.float64], score: npt.NDArray[np.float64], amount: float
) -> npt.NDArray[np.float64]:
    """How much of each position is closed to take over ``amount``: highest score first, equal scores in their order.

    Args:
        size: Of each position, from 0 on.
        score: Its rank score.
        amount: To take over, from 0 on; no more than all sizes together is closed.

    Raises:
        InputError: Sizes, scores or an amount that are negative or not finite, lengths that differ.

    Example:
        >>> deleverage_winners(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0]), 25.0).tolist()
        [0.0, 20.0, 5.0]
    """
    order = _queue_order(size, score)
    if not (np.isfinite(amount) and amount >= 0):
        raise InputError("deleverage", "amount", repr(amount), "a finite number from 0 on", "nothing computed")
    ahead = np.concatenate(([0.0], np.cumsum(size[order])[:-1]))
    closed = np.zeros_like(size)
    closed[order] = np.clip(amount - ahead, 0, size[order])
    return closed


def queue_percentile(size: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Place in the queue as venues show it, percent: 20 is closed first, 100 last.

    It is the share of all size up to and with the position, rounded up to a fifth.

    Raises:
        InputError: As for :func:`deleverage_winners`.
    """
    order = _queue_order(size, score)
    share = np.cumsum(size[order]) / size.sum()
    place = np.empty(size.size, dtype=np.int64)
    # A share of exactly a fifth stays in it: the sum may be off in the last bit.
    place[order] = np.ceil(share * 5 - 1e-9) * 20
    return place


def _queue_order(size: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    if size.shape != score.shape or size.ndim != 1:
        found = f"{size.shape} sizes, {score.shape} scores"
        raise InputError("deleverage", "queue", found, "one score per size", "nothing computed")
    if not (np.all(np.isfinite(size) & (size >= 0)) and np.all(np.isfinite(score))):
        raise InputError("deleverage", "queue", "a size or score that is no number", "sizes from 0 on", "stopped")
    return np.argsort(-score, kind="stable")
