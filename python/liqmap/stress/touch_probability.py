"""Touch probability: the probability that price reaches a level within a horizon, from realised volatility.

Realised volatility already contains past cascades. Touch probability therefore belongs to the *distance* of a level and
must not be multiplied with a probability of its threshold (:mod:`liqmap.stress.thresholds`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["HORIZONS_H", "ewma_volatility", "touch_probability"]

HORIZONS_H = (4.0, 12.0, 24.0)
"""Horizons shown on pages, hours."""

_BROADIE_GLASSERMAN_KOU = 0.5826
"""``−ζ(½)/√(2π)``: apparent shift of a barrier, in σ√Δt, if the price is observed only every Δt."""

_HOURS_PER_YEAR = 8760.0


def touch_probability(distance: float, volatility: float, hours: float, *, every_hours: float = 0.0) -> float:
    """Return the probability that a driftless price returns by ``distance`` at some time within ``hours``.

    ``2·N(−a / (σ√T))`` with ``a = |ln(1 + distance)|`` (reflection principle). A price that is observed only every Δt
    touches less often: ``a`` grows by ``0.5826·σ√Δt`` (Broadie, Glasserman and Kou 1997).

    Args:
        distance: Signed relative distance of the level, such as ``-0.02``; above −1.
        volatility: Annual, as a fraction.
        hours: The horizon.
        every_hours: Time between observations; 0 for continuous observation.

    Raises:
        InputError: A distance of −100 % or less; a volatility or horizon that is not above 0.

    Example:
        >>> round(touch_probability(-0.01, 0.5, 12), 4), round(touch_probability(-0.01, 0.5, 12, every_hours=1 / 60), 4)
        (0.5871, 0.5722)
    """
    if not (math.isfinite(distance) and distance > -1):
        raise InputError("touch", "distance", repr(distance), "a fraction above -1", "nothing computed")
    for name, value in (("volatility", volatility), ("hours", hours)):
        if not (math.isfinite(value) and value > 0):
            raise InputError("touch", name, repr(value), "a finite number above 0", "nothing computed")
    per_root_hour = volatility / math.sqrt(_HOURS_PER_YEAR)
    log_distance = abs(math.log1p(distance))
    if log_distance == 0:
        return 1.0
    log_distance += _BROADIE_GLASSERMAN_KOU * per_root_hour * math.sqrt(every_hours)
    return math.erfc(log_distance / (per_root_hour * math.sqrt(hours)) / math.sqrt(2))


def ewma_volatility(close: npt.NDArray[np.float64], interval_s: int, *, half_life_h: float = 24.0) -> float:
    """Return annual volatility from closes: exponentially weighted mean of squared log returns.

    Args:
        close: Prices at the end of each bar, oldest first, at least two.
        interval_s: Seconds per bar.
        half_life_h: Age in hours at which a return has half the weight.

    Raises:
        InputError: Fewer than two prices, or a price that is not a finite number above 0.

    Example:
        >>> round(ewma_volatility(np.array([100.0, 101.0, 100.0, 101.0]), 3600), 3)
        0.931
    """
    if close.size < 2 or not np.all(np.isfinite(close) & (close > 0)):  # noqa: PLR2004 - a return needs two prices
        raise InputError(
            "touch", "close", f"{close.size} prices", "two or more, finite and above 0", "nothing computed"
        )
    returns = np.diff(np.log(close))
    age_h = np.arange(returns.size - 1, -1, -1) * interval_s / 3600
    weight = 0.5 ** (age_h / half_life_h)
    per_bar = float((weight * returns**2).sum() / weight.sum())
    return math.sqrt(per_bar * _HOURS_PER_YEAR * 3600 / interval_s)
