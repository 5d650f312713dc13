"""Bands of expected move: in dollars as the legacy scheme has them, and in σ, which does not age."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from liqmap.maps.clusters import BANDS

if TYPE_CHECKING:
    from liqmap.maps.clusters import Band

__all__ = ["LEGACY_USD", "SIGMAS", "legacy_band", "sigma_band"]

LEGACY_USD = (200.0, 500.0, 1000.0)
"""The seed's table, which ages: low below $200, medium to $500, high to $1,000, extreme above. At a price of 22,500
that was 0.9, 2.2 and 4.4 %; at 100,000 it is 0.2, 0.5 and 1 %."""

SIGMAS = (0.48, 1.2, 2.4)
"""The same three moves in standard deviations of 12 hours, at the price of 22,500 and the volatility of 50 % that
they came from: $200 / 22,500 = 0.89 % = 0.48 · 50 % · √(12 / 8760)."""


def legacy_band(usd: float) -> Band:
    """The seed's band of an expected move in quote currency per coin.

    Example:
        >>> [legacy_band(usd) for usd in (199, 200, 500, 1000, 1001)]
        ['low', 'medium', 'high', 'high', 'extreme']
    """
    return "high" if usd == LEGACY_USD[-1] else BANDS[bisect_right(LEGACY_USD, usd)]


def sigma_band(sigmas: float) -> Band:
    """The band of an expected move in standard deviations of 12 hours' moves.

    Example:
        >>> [sigma_band(x) for x in (0.1, 0.48, 2.0, 2.4)]
        ['low', 'medium', 'high', 'extreme']
    """
    return BANDS[bisect_right(SIGMAS, sigmas)]
