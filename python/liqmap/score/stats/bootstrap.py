"""Stationary block bootstrap: what neighbouring hours share stays together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import Floats

__all__ = ["counts", "draws", "gain"]


def draws(periods: int, block: float, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of resampled periods: blocks of geometric length with mean ``block``, wrapped at the end.

    Returns:
        Shape ``(resamples, periods)`` (Politis and Romano 1994, "The stationary bootstrap").
    """
    random = np.random.default_rng(seed)
    shape = (resamples, periods)
    jump = random.random(shape) < 1 / block
    jump[:, 0] = True
    at = np.broadcast_to(np.arange(periods), shape)
    begun = np.maximum.accumulate(np.where(jump, at, 0), axis=1)
    target = random.integers(0, periods, shape)
    return np.asarray((np.take_along_axis(target, begun, axis=1) + at - begun) % periods, dtype=np.int64)


@lru_cache(maxsize=8)
def counts(periods: int, block: float, resamples: int, seed: int) -> Floats:
    """How often each period was drawn, shape ``(resamples, periods)``."""
    drawn = draws(periods, block, resamples, seed)
    made = np.stack([np.bincount(row, minlength=periods) for row in drawn]).astype(np.float64)
    made.flags.writeable = False  # kept for the next to ask
    return made


def gain(losses: Floats, base: Floats, *, block: float, resamples: int = 2_000, seed: int = 1) -> tuple[float, float]:
    """90 % interval of the share of the base's loss that is gone, ``1 − Σ losses / Σ base``; same blocks for both."""
    times = counts(len(losses), block, resamples, seed)
    gains = 1 - (times @ losses) / (times @ base)
    low, high = np.quantile(gains, [0.05, 0.95])
    return float(low), float(high)
