"""The auto-deleveraging queue: the order in which profitable positions are closed, by each venue's rule."""

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
    """Score of BitMEX and OKX, and of Bybit by its help pages: PnL ratio × effective leverage, or ÷ it for a loss.

    Example:
        >>> profit_times_leverage(np.array([0.5, -0.5]), np.array([10.0, 10.0])).tolist()
        [5.0, -0.05]
    """
    return np.asarray(np.where(profit > 0, profit * leverage, profit / leverage), dtype=np.float64)


def price_ratio_times_leverage(
    profit: npt.NDArray[np.float64], leverage: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Score of Hyperliquid, for a long ``(mark / entry) · (notional / account value)``.

    ``profit`` is ``mark / entry − 1``.
    """
    return np.asarray((1 + profit) * leverage, dtype=np.float64)


RANKINGS: dict[str, Ranking] = {
    "binance": profit_times_leverage,
    "bitmex": profit_times_leverage,
    "bybit": profit_times_leverage,
    "hyperliquid": price_ratio_times_leverage,
    "okx": profit_times_leverage,
}
"""Score by venue, from the profit ratio and the effective leverage ``|value| / (value − bankruptcy value)``.

Binance defines it as unrealised profit over collateral × margin ratio, which gives the same order if the margin ratio
grows with leverage."""


def deleverage_winners(
    size: npt.NDArray[np.float64], score: npt.NDArray[np.float64], amount: float
) -> npt.NDArray[np.float64]:
    """Return the size closed of each position to take over ``amount``: highest score first, ties in input order.

    Args:
        size: Size of each position, at least 0.
        score: Score of each position.
        amount: Size to take over, at least 0; limited to the sum of all sizes.

    Raises:
        InputError: A size, score or amount that is negative or not finite, or different lengths.

    Example:
        >>> deleverage_winners(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0]), 25.0).tolist()
        [0.0, 20.0, 5.0]
    """
    order = _queue_order(size, score)
    if not (np.isfinite(amount) and amount >= 0):
        raise InputError("deleverage", "amount", repr(amount), "a finite number of at least 0", "nothing computed")
    ahead = np.concatenate(([0.0], np.cumsum(size[order])[:-1]))
    closed = np.zeros_like(size)
    closed[order] = np.clip(amount - ahead, 0, size[order])
    return closed


def queue_percentile(size: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the place in the queue as venues display it, percent: 20 is closed first, 100 last.

    It is the cumulative share of size up to and including the position, rounded up to a multiple of 20 %.

    Raises:
        InputError: As for :func:`deleverage_winners`.
    """
    order = _queue_order(size, score)
    share = np.cumsum(size[order]) / size.sum()
    place = np.empty(size.size, dtype=np.int64)
    # The tolerance keeps a share of exactly 20 % in its class despite rounding errors of the sum.
    place[order] = np.ceil(share * 5 - 1e-9) * 20
    return place


def _queue_order(size: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    if size.shape != score.shape or size.ndim != 1:
        found = f"{size.shape} sizes, {score.shape} scores"
        raise InputError("deleverage", "queue", found, "one score per size", "nothing computed")
    if not (np.all(np.isfinite(size) & (size >= 0)) and np.all(np.isfinite(score))):
        raise InputError("deleverage", "queue", "an invalid size or score", "sizes of at least 0", "nothing computed")
    return np.argsort(-score, kind="stable")
