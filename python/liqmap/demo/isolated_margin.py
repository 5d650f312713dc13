"""Isolated margin of a linear contract under a venue's tiers, vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from liqmap._base.errors import NotFoundError
from liqmap.demo.settings import RULES_INSTRUMENT
from liqmap.venues.catalogue import find_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap.venues.catalogue import CatalogueEntry, Tier

__all__ = ["MarginTable", "contract_rules", "liquidation_price"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarginTable:
    """Margin tiers as columns, lowest tier first.

    Attributes:
        cap: Largest notional of each tier, USD.
        max_leverage: Highest leverage of each tier.
        rate: Maintenance margin rate of each tier.
        deduction: Makes maintenance margin continuous across tiers, USD: ``c_n = c_{n−1} + floor_n · (m_n − m_{n−1})``.
    """

    cap: Floats
    max_leverage: Floats
    rate: Floats
    deduction: Floats

    @classmethod
    def of(cls, tiers: Sequence[Tier]) -> MarginTable:
        """Convert the tiers of an instrument to columns.

        Example:
            >>> MarginTable.of(contract_rules().tiers).deduction[:3].tolist()
            [0.0, 300.0, 1500.0]
        """
        return cls(
            cap=np.array([np.inf if tier.notional_cap is None else tier.notional_cap for tier in tiers]),
            max_leverage=np.array([tier.max_leverage for tier in tiers]),
            rate=np.array([tier.mmr for tier in tiers]),
            deduction=np.array([tier.deduction for tier in tiers]),
        )

    def cap_leverage(self, notional: Floats, leverage: Floats) -> Floats:
        """Limit the requested leverage to the maximum of the tier of this notional."""
        tier = np.searchsorted(self.cap[:-1], notional)
        return np.asarray(np.minimum(leverage, self.max_leverage[tier]), dtype=np.float64)


def contract_rules() -> CatalogueEntry:
    """Contract and margin tiers of the simulated market, copied from a real instrument.

    Raises:
        NotFoundError: The catalogue does not contain the instrument.
    """
    entry = find_entry(RULES_INSTRUMENT)
    if entry is None:
        raise NotFoundError("demo", RULES_INSTRUMENT, "not in the catalogue", "its margin tiers", "nothing simulated")
    return entry


def liquidation_price(
    side: npt.NDArray[np.int64], size: Floats, entry: Floats, margin: Floats, tiers: MarginTable
) -> Floats:
    """The mark at which equity equals maintenance margin; NaN if no price above 0 reaches it.

    For a tier ``(m, c)`` that is ``L = (s·q·E − M − c) / (q·(s − m))`` (isolated, linear, no closing fee). Maintenance
    margin is the maximum of ``m·q·L − c`` over the tiers, because rates rise and deductions make it continuous. A long
    is therefore liquidated at the highest price over the tiers and a short at the lowest, whatever the tier of its
    notional.

    Args:
        side: +1 long, −1 short.
        size: Size, coin.
        entry: Entry price, USD.
        margin: Isolated margin without unrealised profit, USD.
        tiers: Margin tiers of the venue.

    Example:
        >>> one, tiers = np.ones(2), MarginTable.of(contract_rules().tiers)
        >>> liquidation_price(np.array([1, -1]), one, 100_000 * one, 1_000 * one, tiers).round(1).tolist()
        [99397.6, 100597.6]
    """
    numerator = (side * size * entry - margin)[:, None] - tiers.deduction
    # The negative price of a short turns its minimum into a maximum, so that one maximum serves both sides.
    mirrored = numerator / (size[:, None] * (1.0 - side[:, None] * tiers.rate))
    price = side * mirrored.max(axis=1)
    price[price <= 0] = np.nan
    return np.asarray(price, dtype=np.float64)
