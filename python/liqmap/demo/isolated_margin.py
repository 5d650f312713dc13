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
    """A margin table, lowest tier first.

    Attributes:
        cap: Largest notional of each tier, USD.
        max_leverage: Highest leverage of each tier.
        rate: Maintenance margin rate of each tier.
        deduction: What keeps maintenance continuous across tiers, USD: ``c_n = c_{n−1} + floor_n · (m_n − m_{n−1})``.
    """

    cap: Floats
    max_leverage: Floats
    rate: Floats
    deduction: Floats

    @classmethod
    def of(cls, tiers: Sequence[Tier]) -> MarginTable:
        """The table of an instrument in columns.

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
        """The leverage wanted, or the most that the tier of this notional allows."""
        tier = np.searchsorted(self.cap[:-1], notional)
        return np.asarray(np.minimum(leverage, self.max_leverage[tier]), dtype=np.float64)


def contract_rules() -> CatalogueEntry:
    """Contract and margin tiers of the simulated market: those of a real one.

    Raises:
        NotFoundError: The catalogue has lost it.
    """
    entry = find_entry(RULES_INSTRUMENT)
    if entry is None:
        raise NotFoundError(
            "demo", RULES_INSTRUMENT, "nothing in the catalogue", "its margin tiers", "nothing simulated"
        )
    return entry


def liquidation_price(
    side: npt.NDArray[np.int64], size: Floats, entry: Floats, margin: Floats, tiers: MarginTable
) -> Floats:
    """The mark at which maintenance margin is no longer covered; NaN where no price above 0 does that.

    A tier ``(m, c)`` is hit at ``L = (s·q·E − M − c) / (q·(s − m))`` (isolated, linear, no closing fee). Maintenance is
    the largest of ``m·q·L − c`` over the tiers, since rates rise and the deductions join them: so a long is liquidated
    at the highest of the tiers' prices and a short at the lowest, without asking which tier the notional is in.

    Args:
        side: +1 long, −1 short.
        size: Coin.
        entry: Entry price, USD.
        margin: Isolated margin without unrealised profit, USD.
        tiers: The venue's table.

    Example:
        >>> one, tiers = np.ones(2), MarginTable.of(contract_rules().tiers)
        >>> liquidation_price(np.array([1, -1]), one, 100_000 * one, 1_000 * one, tiers).round(1).tolist()
        [99397.6, 100597.6]
    """
    held = (side * size * entry - margin)[:, None] - tiers.deduction
    # Mirrored, a short's lowest price is the highest: one maximum serves both sides.
    mirrored = held / (size[:, None] * (1.0 - side[:, None] * tiers.rate))
    price = side * mirrored.max(axis=1)
    price[price <= 0] = np.nan
    return np.asarray(price, dtype=np.float64)
