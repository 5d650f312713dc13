"""Correction of throttled feeds, which report at most one liquidation per second and symbol; a lower bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from liqmap.history.queries import Floats, Liquidations
    from liqmap.score.periods import Periods

__all__ = ["correct_throttling", "throttle_multiplier"]

_MAX_BUSY = 0.999
_SECOND = 1_000_000


def throttle_multiplier(busy: Floats) -> Floats:
    """Ratio of all liquidations to reported ones of a throttled feed with reports in a share ``busy`` of the seconds.

    For a Poisson process of rate λ per second, ``busy = 1 − exp(−λ)`` and the multiplier is ``λ / busy``. Real
    liquidations are clustered in time, so this is a lower bound. Without an idle second λ is not identified; ``busy``
    is therefore capped at 99.9 % (×6.9).

    Raises:
        InputError: A share outside 0 to 1.

    Example:
        >>> throttle_multiplier(np.array([0.05, 0.2, 0.5, 0.8, 0.95])).round(2).tolist()
        [1.03, 1.12, 1.39, 2.01, 3.15]
    """
    if not ((busy >= 0) & (busy <= 1)).all():
        raise InputError("calibrate", "busy", "a share outside 0 to 1", "shares of seconds", "stopped")
    share = np.minimum(busy, _MAX_BUSY)
    return np.divide(-np.log1p(-share), share, out=np.ones_like(share), where=share > 0)


def correct_throttling(liquidations: Liquidations, periods: Periods) -> Floats:
    """Realised USD per period and side, with throttled single events corrected; windowed amounts are unchanged.

    The venue's limit applies to both sides together, so both get the same multiplier.
    """
    events = (liquidations.feed == "throttled") & (liquidations.window_s == 0)
    seconds = np.unique(liquidations.ts[events] // _SECOND * _SECOND)
    place = np.searchsorted(periods.start, seconds, side="right") - 1
    inside = (place >= 0) & (seconds < periods.start[place] + periods.length_us)
    busy = np.bincount(place[inside], minlength=len(periods)) * _SECOND / periods.length_us
    return np.asarray(periods.realised * throttle_multiplier(busy)[:, None], dtype=np.float64)
