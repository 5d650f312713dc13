"""How far from its entry a position of a given leverage is liquidated, by the venue's rule in its first tier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap.positions.margin import liquidation_prices, tier_table
from liqmap.venues.catalogue import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Brackets", "liquidation_distances", "margin_rule_of"]

PLAIN_RULE = "sim:plain"
"""Stands for a venue whose rule is not known: the plain linear formula, without a fee."""
_MIN_SIZE = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class Brackets:
    """What the cohort engine is told of its brackets.

    Attributes:
        leverages: By which a map names them, ascending; more than one row may bear the same.
        rows: Per row: long distance, short distance, share of the long flow, of the short flow, half-life in hours.
    """

    leverages: tuple[float, ...]
    rows: npt.NDArray[np.float64]


def liquidation_distances(
    leverages: Sequence[float],
    tiers: Sequence[Tier],
    instrument: str = PLAIN_RULE,
    *,
    size: float = _MIN_SIZE,
    price: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Distances of an isolated position whose margin is ``notional / leverage``, as fractions of its entry.

    By the venue's own rule (:func:`liqmap.positions.margin.liquidation_prices`), in the tier of its size.

    Args:
        leverages: As set at the venue.
        tiers: The instrument's tier table.
        instrument: ``venue:SYMBOL``, for the venue's rule and the payoff; a venue whose rule is not known gets the
            plain linear one, ``L = E·(1 ∓ 1/leverage) / (1 ∓ m)``.
        size: Notional at entry, USD; next to nothing, so the first tier, if left out.
        price: Of the entry, for venues that count their tiers in coin. The nearest power of two is taken, so that the
            ratios have the same bits at every price.

    Returns:
        Shape ``(brackets, 2)``: below the entry for longs, above it for shorts. A leverage that the venue does not
        offer at that size, or whose margin the maintenance rate already eats, gets NaN; so does a side that is never
        liquidated.

    Raises:
        NotFoundError: There is no tier.

    Example:
        >>> from liqmap.venues.catalogue import find_entry
        >>> for name in ("binance:BTCUSDT", "okx:BTC-USDT-SWAP"):
        ...     print((100 * liquidation_distances([10, 100, 200], find_entry(name).tiers, name)).round(2).tolist())
        [[9.64, 9.56], [0.6, 0.6], [nan, nan]]
        [[9.59, 9.51], [0.55, 0.55], [nan, nan]]
    """
    if not tiers:
        raise NotFoundError("map", "margin_tiers", "no tier", "the venue's margin tiers", "no map made")
    prices = _relative_prices(
        margin_rule_of(instrument), tuple(leverages), tuple(tiers), size, 2.0 ** round(math.log2(price))
    )
    away = np.stack([1 - prices[0], prices[1] - 1], axis=1)
    return np.where((away > 0) & (away[:, :1] < 1), away, np.nan)


@cache
def margin_rule_of(instrument: str) -> str:
    """The instrument whose rule is taken: itself, or one that stands for venues whose rule is not known.

    Example:
        >>> margin_rule_of("okx:BTC-USD-SWAP"), margin_rule_of("kraken:PF_XBTUSD")
        ('okx:BTC-USD-SWAP', 'sim:plain')
    """
    tier = Tier(0.0, None, 10.0, 0.01, 0.0, 0, "any", 1)
    return PLAIN_RULE if np.isnan(_relative_prices(instrument, (2.0,), (tier,), _MIN_SIZE, 1.0)).all() else instrument


@lru_cache(maxsize=256)
def _relative_prices(
    name: str, leverages: tuple[float, ...], tiers: tuple[Tier, ...], size: float, entry: float
) -> npt.NDArray[np.float64]:
    """Liquidation prices over the entry of longs, then shorts, shape ``(2, leverages)``; NaN where there is none.

    Kept, since maps of one history ask for the same ones again and again.
    """
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when it is asked for

    many = len(leverages)
    asked = Table.from_pydict(
        {
            "instrument": Array([name] * (2 * many), DataType.utf8()),
            "side": Array.from_numpy(np.repeat(np.array([1, -1], dtype=np.int8), many)),
            "size_base": Array.from_numpy(np.full(2 * many, size / entry)),
            "entry_price": Array.from_numpy(np.full(2 * many, entry)),
            "leverage": Array.from_numpy(np.tile(np.asarray(leverages, dtype=np.float64), 2)),
        }
    )
    found = liquidation_prices(asked, tier_table(name, tiers))["liquidation_price"].to_pylist()
    prices = np.array([np.nan if price is None else price / entry for price in found]).reshape(2, many)
    prices.setflags(write=False)
    return prices
