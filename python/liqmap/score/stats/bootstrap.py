"""Stationary block bootstrap, which keeps the dependence between neighbouring periods.

Politis and Romano (1994), "The stationary bootstrap", Journal of the American Statistical Association 89, 1303–1313.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.history.queries import Floats

__all__ = ["bootstrap_counts", "bootstrap_indices", "gain_interval"]


def bootstrap_indices(periods: int, block: float, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of resampled periods: circular blocks of geometric length with mean ``block``.

    Returns:
        Shape ``(resamples, periods)``.
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
def bootstrap_counts(periods: int, block: float, resamples: int, seed: int) -> Floats:
    """Number of times each period is drawn, shape ``(resamples, periods)``; cached and read-only."""
    drawn = bootstrap_indices(periods, block, resamples, seed)
    counts = np.stack([np.bincount(row, minlength=periods) for row in drawn]).astype(np.float64)
    counts.flags.writeable = False
    return counts


def gain_interval(
    losses: Floats, base: Floats, *, block: float, resamples: int = 2_000, seed: int = 1
) -> tuple[float, float]:
    """90 % percentile interval of the gain ``1 − Σ losses / Σ base``; both are resampled with the same blocks."""
    times = bootstrap_counts(len(losses), block, resamples, seed)
    gains = 1 - (times @ losses) / (times @ base)
    low, high = np.quantile(gains, [0.05, 0.95])
    return float(low), float(high)
