"""Impact laws: price displacement by forced flow, behind one interface.

A law is a cumulative depth curve ``D(x)``, the USD that move the price by a fraction ``x``; its inverse ``D⁻¹(Q)`` is
the impact. A measured order book (:class:`liqmap.stress.depth.Depth`) is also a law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap._base.number_format import usd
from liqmap.stress.intraday_depth import hour_factor

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.stress.types import BookSide

__all__ = ["REACH", "STRESSED", "Law", "Linear", "PowerLaw", "SquareRoot", "fallback_law"]


REACH = 0.25
"""Limit of an assumed law's validity, as a fraction of the price; beyond it a cascade is ``depth_exhausted``."""

STRESSED = 0.1
"""Remaining share of depth in a stressed book: −90 % was reported for the largest venues on 2025-10-10 (FTI)."""

_FITTED_AT = (11 * 60 + 7) * 60 * 1_000_000
"""11:07 UTC, when the bands of :class:`PowerLaw` were published."""


class Law(Protocol):
    """Interface of an impact law."""

    @property
    def name(self) -> str:
        """Name in tables: ``book``, ``power_law``, ``square_root``, ``linear``."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions of the law, one sentence each."""

    def curve(self, side: BookSide) -> _core.Curve:
        """Return ``D(x)`` of one side: bids absorb forced sales, asks forced purchases; ``x`` fraction, ``D`` USD."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """``D(x) = d1 · (x / 1 %)^beta`` on each side.

    The defaults are fits to Binance's BTCUSDT perpetual bands of 1 to 5 % (``bookDepth``, 2025-05-19, published in
    binance-public-data #431; worst error 4.3 % of depth on the bid side).

    Attributes:
        bid: USD within 1 % below the mid, and the exponent.
        ask: The same above it.
        reach: Displacement, as a fraction, beyond which the law does not apply.
        source: Source of the parameters, shown among the assumptions.

    Example:
        >>> law = PowerLaw(bid=(600e6, 0.75), ask=(600e6, 0.75))
        >>> round(float(law.curve("bid").displacement(np.array([500e6]))[0]) * 1e4)  # bp
        78
    """

    bid: tuple[float, float] = (192.8e6, 0.776)
    ask: tuple[float, float] = (178.7e6, 0.720)
    reach: float = REACH
    source: str = "power-law depth fitted to Binance BTCUSDT perpetual bands of 1–5 %, 2025-05-19"

    @property
    def name(self) -> str:
        """``power_law``."""
        return "power_law"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Source and reach."""
        return (f"depth: {self.source}; not applied beyond {self.reach:.0%}",)

    def curve(self, side: BookSide) -> _core.Curve:
        """Return the side's curve."""
        d1, beta = self.bid if side == "bid" else self.ask
        return _power_curve(0.01, d1, beta, self.reach)


@dataclass(frozen=True, slots=True)
class SquareRoot:
    """``I(Q) = y · sigma · sqrt(Q / volume)``: the square-root law of metaorder impact.

    The exponent ½ was measured on Bitcoin over four decades of size (Donier and Bonart, arXiv 1412.4503). It applies to
    orders executed over time; a cascade is faster, so for large flows this law is the mild end of the law range.

    Attributes:
        sigma: Daily volatility of the price, as a fraction.
        volume: Daily turnover, USD.
        y: Prefactor, of order 1.
        reach: Displacement, as a fraction, beyond which the law does not apply.
    """

    sigma: float = 0.025
    volume: float = 60e9
    y: float = 1.0
    reach: float = REACH

    @property
    def name(self) -> str:
        """``square_root``."""
        return "square_root"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The three parameters."""
        return (f"square root: Y {self.y:g}, daily volatility {self.sigma:.2%}, daily turnover {usd(self.volume)}",)

    def curve(self, side: BookSide) -> _core.Curve:
        """Return the same curve for both sides."""
        del side
        return _power_curve(self.y * self.sigma, self.volume, 2.0, self.reach)


@dataclass(frozen=True, slots=True)
class Linear:
    """``I(Q) = Q / depth``: Kyle's law; ``depth`` USD move the price by its own size (a fraction of 1).

    Attributes:
        depth: USD per unit of relative displacement, such as 100 × the USD that move the price by 1 %.
        reach: Displacement, as a fraction, beyond which the law does not apply.
    """

    depth: float
    reach: float = REACH

    @property
    def name(self) -> str:
        """``linear``."""
        return "linear"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The depth parameter."""
        return (f"linear impact: ${self.depth / 1e8:g}M per 1 %",)

    def curve(self, side: BookSide) -> _core.Curve:
        """Return the same curve for both sides."""
        del side
        return _power_curve(1.0, self.depth, 1.0, self.reach)


def fallback_law(at: Instant, why: str = "none in the history at that time") -> PowerLaw:
    """Return the law used if no order book is available; ``why`` is stated among its assumptions.

    The fits of :class:`PowerLaw` are from 11:07 UTC, the deepest hour of the day; they are rescaled to the hour of
    ``at`` (:func:`liqmap.stress.intraday_depth.hour_factor`).
    """
    default = PowerLaw()
    factor = hour_factor(at) / hour_factor(_FITTED_AT)
    return PowerLaw(
        bid=(default.bid[0] * factor, default.bid[1]),
        ask=(default.ask[0] * factor, default.ask[1]),
        source=f"{why}; fallback: {default.source}, ×{factor:.2f} for the hour of the day",
    )


def _power_curve(x: float, notional: float, beta: float, reach: float) -> _core.Curve:
    if not 0 < reach <= 1:
        raise InputError("depth", "reach", repr(reach), "a fraction above 0, at most 1", "nothing computed")
    return _core.Curve(np.array([x]), np.array([notional]), head=beta, tail=beta, reach=reach)
