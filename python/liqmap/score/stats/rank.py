"""Rank correlation (Spearman 1904)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from liqmap.history.queries import Floats

__all__ = ["spearman"]


def spearman(a: Floats, b: Floats) -> float:
    """Spearman's rank correlation ρ: the Pearson correlation of the ranks; tied values share their mean rank.

    NaN if either input is constant.

    Example:
        >>> spearman(np.array([1.0, 2.0, 5.0]), np.array([10.0, 20.0, 30.0]))
        1.0
    """
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else float("nan")


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place], dtype=np.float64)
