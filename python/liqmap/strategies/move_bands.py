"""Move bands: classes of expected move in dollars (legacy scheme) and in σ, which is independent of the price."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from liqmap.maps.clusters import BANDS

if TYPE_CHECKING:
    from liqmap.maps.clusters import Band

__all__ = ["LEGACY_USD", "SIGMA_LIMITS", "legacy_band", "sigma_band"]

LEGACY_USD = (200.0, 500.0, 1000.0)
"""Legacy scheme: low below $200, medium to $500, high to $1,000, extreme above. The same dollars were 0.9, 2.2 and
4.4 % at a price of 22,500 and are 0.2, 0.5 and 1 % at 100,000."""

SIGMA_LIMITS = (0.48, 1.2, 2.4)
"""The same three moves in standard deviations of 12-hour moves, at the price of 22,500 and the volatility of 50 % for
which the legacy scheme was defined: $200 / 22,500 = 0.89 % = 0.48 · 50 % · √(12 / 8760)."""


def legacy_band(usd: float) -> Band:
    """Legacy move band of an expected move in quote currency per coin.

    Example:
        >>> [legacy_band(usd) for usd in (199, 200, 500, 1000, 1001)]
        ['low', 'medium', 'high', 'high', 'extreme']
    """
    return "high" if usd == LEGACY_USD[-1] else BANDS[bisect_right(LEGACY_USD, usd)]


def sigma_band(sigmas: float) -> Band:
    """Move band of an expected move in standard deviations of 12-hour moves.

    Example:
        >>> [sigma_band(x) for x in (0.1, 0.48, 2.0, 2.4)]
        ['low', 'medium', 'high', 'extreme']
    """
    return BANDS[bisect_right(SIGMA_LIMITS, sigmas)]
