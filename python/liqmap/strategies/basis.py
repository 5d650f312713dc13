"""Dated futures against perpetuals: basis, its z-score, its gap to funding, and co-located liquidation levels."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.strategies.colocation import Colocation

__all__ = ["Basis", "DatedBasis", "annual_basis", "z_score"]

MIN_DAYS = 1.0
"""Within a day of expiry one basis point is an annual rate of 4 % or more, so no rate is given."""
MIN_READINGS = 100
"""Minimum number of values for a median and its deviation."""
_MAD_TO_SIGMA = 1.4826
_YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class DatedBasis:
    """One dated contract.

    Attributes:
        instrument: ``venue:SYMBOL``.
        expiry: UTC microseconds.
        days: Days until expiry.
        price: Last price, quote currency.
        basis: ``F / S − 1``.
        annual: ``ln(F / S) / τ``, τ in years of 365 days; ``None`` within a day of expiry.
        annual_simple: ``(F / S − 1) / τ``; ``None`` within a day of expiry.
        z: ``(b − median) / (1.4826 · MAD)`` of ``annual`` over the last 30 days; ``None`` with too few values.
        readings: Number of these values.
        carry_gap: ``annual`` minus the perpetual's funding per year; ``None`` if either is missing.
        colocation: Comparison of its map with that of the perpetuals, on the spot-equivalent axis; ``None`` without
            a map of the contract.
        why: Reasons for each ``None``, one sentence each.
    """

    instrument: str
    expiry: Instant
    days: float
    price: float
    basis: float
    annual: float | None
    annual_simple: float | None
    z: float | None
    readings: int
    carry_gap: float | None
    colocation: Colocation | None
    why: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Basis:
    """A market's dated futures against its perpetuals.

    Attributes:
        market: The base asset.
        at: UTC microseconds.
        spot: Reference price of the basis, quote currency.
        spot_from: Source of the spot price: a spot or index series, or a perpetual as fallback.
        funding_from: The perpetual that provides the funding rate; ``None`` if all funding is missing.
        funding: Funding per year at the last rate, a fraction: ``rate · 8760 / interval_h``.
        dated: The contracts, nearest expiry first.
        none: Why there are no contracts, and how to add one; ``None`` if there are contracts.
        left_out: Reason for each contract that is not shown.
    """

    market: str
    at: Instant
    spot: float
    spot_from: str
    funding_from: str | None
    funding: float | None
    dated: tuple[DatedBasis, ...]
    none: str | None
    left_out: dict[str, str]

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        head: dict[str, JSON] = {
            "market": self.market,
            "at": iso(self.at),
            "spot": self.spot,
            "spot_from": self.spot_from,
            "funding_from": self.funding_from,
            "funding": self.funding,
        }
        dated: list[JSON] = [asdict(one) | {"expiry": iso(one.expiry)} for one in self.dated]
        left_out: dict[str, JSON] = dict(self.left_out)
        return head | {"dated": dated, "none": self.none, "left_out": left_out}


def annual_basis(future: float, spot: float, days: float) -> tuple[float, float]:
    """``ln(F / S) / τ`` and ``(F / S − 1) / τ``, τ = days / 365.

    Raises:
        InputError: A price or time is not a finite number above 0.

    Example:
        >>> [round(rate, 4) for rate in annual_basis(32_350.84, 32_182.72, 63.56)]
        [0.0299, 0.03]
    """
    for name, value in (("future", future), ("spot", spot), ("days", days)):
        if not (math.isfinite(value) and value > 0):
            raise InputError("levels", name, repr(value), "a finite number above 0", "no basis")
    years = days / _YEAR_DAYS
    return math.log(future / spot) / years, (future / spot - 1) / years


def z_score(values: npt.NDArray[np.float64], least: int = MIN_READINGS) -> float | None:
    """Robust z-score of the last value, ``(b − median) / (1.4826 · MAD)``; the factor makes MAD a normal σ.

    Returns:
        ``None`` with fewer than ``least`` values, or if more than half of them are equal.

    Example:
        >>> round(z_score(np.array([0.0, 1.0, 2.0, 3.0, 7.0]), least=5), 3)
        3.372
    """
    if values.size < least:
        return None
    median = float(np.median(values))
    deviation = _MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    return (float(values[-1]) - median) / deviation if deviation > 0 else None
