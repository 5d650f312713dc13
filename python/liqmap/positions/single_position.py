"""One position as its venue would see it: where it is liquidated, and what margin would move that."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.timestamps import iso
from liqmap.positions.margin import liquidation_prices, tier_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.instruments import Instrument, Side
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.venues.catalogue import Tier

__all__ = ["Position", "WhatIf", "margin_for", "price_position"]

_FIELD_BY_REASON = {
    "side": "side",
    "size is not": "size",
    "entry": "entry",
    "leverage is below": "leverage",
    "leverage is above": "leverage",
    "size is above": "size",
    "neither": "leverage",
}
_SEARCH_ROUNDS, _SEARCH_POINTS = 9, 64


@dataclass(frozen=True, slots=True)
class Position:
    """An isolated position that somebody holds or thinks of.

    Attributes:
        instrument: The contract.
        side: ``long`` or ``short``.
        entry_price: Quote currency.
        size_base: Coin; of an inverse contract its face value over the entry price.
        leverage: As set at the venue, or ``None``.
        margin: Settlement currency, without profit; ``notional / leverage`` if ``None``.
    """

    instrument: Instrument
    side: Side
    entry_price: float
    size_base: float
    leverage: float | None = None
    margin: float | None = None

    @property
    def own_margin(self) -> float:
        """The margin behind it, settlement currency; 0 where neither margin nor leverage says."""
        if self.margin is not None:
            return self.margin
        return self.notional / self.leverage if self.leverage else 0.0

    @property
    def notional(self) -> float:
        """At entry, settlement currency."""
        linear = self.instrument.payoff == "linear"
        return self.size_base * self.entry_price if linear else self.size_base


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Where a position is liquidated.

    Attributes:
        position: The question.
        margin: What it was priced with, settlement currency.
        liquidation_price: Quote currency; ``None`` where it is never liquidated.
        bankruptcy_price: Quote currency, where its own margin is used up; ``None`` likewise.
        distance: ``liquidation_price / entry_price − 1``.
        tier: The tier at the liquidation price.
        tiers_from: UTC microseconds since when that tier table is known.
    """

    position: Position
    margin: float
    liquidation_price: float | None
    bankruptcy_price: float | None
    distance: float | None
    tier: Tier
    tiers_from: Instant

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        asked = self.position
        return {
            "instrument": asked.instrument.name,
            "side": asked.side,
            "entry_price": asked.entry_price,
            "size_base": asked.size_base,
            "leverage": asked.leverage,
            "margin": self.margin,
            "settle": asked.instrument.settle,
            "liquidation_price": self.liquidation_price,
            "bankruptcy_price": self.bankruptcy_price,
            "distance": self.distance,
            "tier": {k: v for k, v in asdict(self.tier).items() if k != "valid_from"} | {"since": iso(self.tiers_from)},
        }


def price_position(position: Position, tiers: Sequence[Tier], *, at: Instant | None = None) -> WhatIf:
    """Price one position by its venue's rule.

    Args:
        position: Isolated.
        tiers: The instrument's table.
        at: The table has to be known by then, UTC microseconds; any table will do if left out.

    Raises:
        InputError: A number that makes no sense, leverage above the tier's maximum, size above the last tier.
        NotFoundError: No tier table, or none valid at that time.

    Example:
        >>> from liqmap.venues.catalogue import find_entry
        >>> entry = find_entry("binance:BTCUSDT")
        >>> found = price_position(Position(entry.instrument, "long", 65_000.0, 0.5, leverage=100.0), entry.tiers)
        >>> round(found.liquidation_price, 2), round(found.bankruptcy_price, 2), found.tier.tier
        (64608.43, 64350.0, 1)
    """
    name = position.instrument.name
    if not tiers:
        raise NotFoundError("position", name, "no margin tiers", "a tier table in the history", "nothing computed")
    since = max(tier.valid_from for tier in tiers)
    if at is not None and since > at:
        found = f"the earliest tier table is of {iso(since)}"
        raise NotFoundError("position", name, found, f"one valid at {iso(at)}", "nothing computed")
    price, bankruptcy, tier, reason = _price_with_margins(position, tiers, [position.margin])[0]
    if reason is not None and not reason.startswith("margin covers"):
        field = next((to for start, to in _FIELD_BY_REASON.items() if reason.startswith(start)), None)
        raise InputError("position", name, _describe(position, reason), expected_inputs(tiers), "no price", field=field)
    return WhatIf(
        position=position,
        margin=position.own_margin,
        liquidation_price=price,
        bankruptcy_price=bankruptcy,
        distance=None if price is None else price / position.entry_price - 1,
        tier=next((t for t in tiers if t.tier == tier), tiers[0]),
        tiers_from=since,
    )


def expected_inputs(tiers: Sequence[Tier]) -> str:
    """What a position in these tiers has to be."""
    last = tiers[-1].notional_cap
    upper = "" if last is None else f", size within the last tier's {last:,.0f}"
    return (
        f"size and entry above 0, leverage from 1 to {max(t.max_leverage for t in tiers):g} as its tier allows{upper}"
    )


def margin_for(position: Position, tiers: Sequence[Tier], price: float) -> float | None:
    """The margin that puts the liquidation price at ``price`` or beyond, settlement currency, to one part in 10^12.

    More margin always moves it away from the entry, so it is sought by narrowing down: 64 margins at once.

    Returns:
        ``None`` where no margin up to three times the notional does it (a short's price can be as far as one likes).
    """
    low, high = position.own_margin, 3 * position.notional + position.own_margin

    def beyond(found: float | None) -> bool:
        if found is None:
            return True
        return found <= price if position.side == "long" else found >= price

    if not beyond(_price_with_margins(position, tiers, [high])[0][0]):
        return None
    if beyond(_price_with_margins(position, tiers, [low])[0][0]):
        return low
    for _ in range(_SEARCH_ROUNDS):
        tried = [low + (high - low) * i / _SEARCH_POINTS for i in range(_SEARCH_POINTS + 1)]
        first = next(i for i, row in enumerate(_price_with_margins(position, tiers, tried)) if beyond(row[0]))
        low, high = tried[first - 1], tried[first]
    return high


def _price_with_margins(
    position: Position, tiers: Sequence[Tier], margins: Sequence[float | None]
) -> list[tuple[float | None, float | None, int | None, str | None]]:
    """Liquidation price, bankruptcy price, tier and reason under each margin."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when it is asked for

    about, many = position.instrument, len(margins)
    text, number = DataType.utf8(), DataType.float64()
    asked = Table.from_pydict(
        {
            "instrument": Array([about.name] * many, text),
            "side": Array([position.side] * many, text),
            "size_base": Array([position.size_base] * many, number),
            "entry_price": Array([position.entry_price] * many, number),
            "leverage": Array([position.leverage] * many, number),
            "margin": Array(list(margins), number),
        }
    )
    contract = Table.from_pydict(
        {
            "instrument": Array([about.name], text),
            "payoff": Array([about.payoff], text),
            "tick_size": Array([about.tick_size], number),
        }
    )
    out = liquidation_prices(asked, tier_table(about.name, tiers), contract)
    names = ("liquidation_price", "bankruptcy_price", "tier", "reason")
    return list(zip(*(out[name].to_pylist() for name in names), strict=True))


def _describe(position: Position, reason: str) -> str:
    leverage = "" if position.leverage is None else f" at {position.leverage:g}x"
    return f"{reason}: {position.side} {position.size_base:g} from {position.entry_price:g}{leverage}"
