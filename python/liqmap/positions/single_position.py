"""The liquidation price of one position by its venue's rule, and the margin that moves it."""

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
    """An isolated position, held or hypothetical.

    Attributes:
        instrument: The contract.
        side: ``long`` or ``short``.
        entry_price: Quote currency.
        size_base: Coin; of an inverse contract its face value over the entry price.
        leverage: As set at the venue, or ``None``.
        margin: Settlement currency, without unrealised profit; ``notional / leverage`` if ``None``.
    """

    instrument: Instrument
    side: Side
    entry_price: float
    size_base: float
    leverage: float | None = None
    margin: float | None = None

    @property
    def own_margin(self) -> float:
        """Isolated margin, settlement currency; 0 if neither margin nor leverage is given."""
        if self.margin is not None:
            return self.margin
        return self.notional / self.leverage if self.leverage else 0.0

    @property
    def notional(self) -> float:
        """Notional at entry, settlement currency."""
        linear = self.instrument.payoff == "linear"
        return self.size_base * self.entry_price if linear else self.size_base


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The liquidation price of a position.

    Attributes:
        position: The position.
        margin: Margin used for the price, settlement currency.
        liquidation_price: Quote currency; ``None`` if it is never liquidated.
        bankruptcy_price: Quote currency, the price at which the margin is used up; ``None`` likewise.
        distance: ``liquidation_price / entry_price − 1``.
        tier: The margin tier at the liquidation price.
        tiers_from: UTC microseconds from which that tier table is valid.
    """

    position: Position
    margin: float
    liquidation_price: float | None
    bankruptcy_price: float | None
    distance: float | None
    tier: Tier
    tiers_from: Instant

    def to_dict(self) -> dict[str, JSON]:
        """Return plain data."""
        position = self.position
        return {
            "instrument": position.instrument.name,
            "side": position.side,
            "entry_price": position.entry_price,
            "size_base": position.size_base,
            "leverage": position.leverage,
            "margin": self.margin,
            "settle": position.instrument.settle,
            "liquidation_price": self.liquidation_price,
            "bankruptcy_price": self.bankruptcy_price,
            "distance": self.distance,
            "tier": {k: v for k, v in asdict(self.tier).items() if k != "valid_from"} | {"since": iso(self.tiers_from)},
        }


def price_position(position: Position, tiers: Sequence[Tier], *, at: Instant | None = None) -> WhatIf:
    """Compute the liquidation price of one position by its venue's rule.

    Args:
        position: Isolated.
        tiers: The instrument's tier table.
        at: UTC microseconds at which the table must be valid; not checked if ``None``.

    Raises:
        InputError: An invalid number, leverage above the tier's maximum, or size above the last tier.
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
        raise NotFoundError("position", name, found, f"a table valid at {iso(at)}", "nothing computed")
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
    """Describe the values that a position in these tiers may have, for error messages."""
    last = tiers[-1].notional_cap
    upper = "" if last is None else f", size within the last tier's {last:,.0f}"
    return (
        f"size and entry above 0, leverage from 1 to {max(t.max_leverage for t in tiers):g} as its tier allows{upper}"
    )


def margin_for(position: Position, tiers: Sequence[Tier], price: float) -> float | None:
    """Return the margin that puts the liquidation price at ``price`` or beyond, settlement currency.

    More margin always moves the price away from the entry, so the margin is found by repeated subdivision, with 64
    candidates per round, to a relative precision of 1e-12.

    Returns:
        ``None`` if no margin up to three times the notional suffices (a short's price has no upper bound).
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
    """Return liquidation price, bankruptcy price, tier and reason for each margin."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when a position is priced

    instrument, count = position.instrument, len(margins)
    text, number = DataType.utf8(), DataType.float64()
    positions = Table.from_pydict(
        {
            "instrument": Array([instrument.name] * count, text),
            "side": Array([position.side] * count, text),
            "size_base": Array([position.size_base] * count, number),
            "entry_price": Array([position.entry_price] * count, number),
            "leverage": Array([position.leverage] * count, number),
            "margin": Array(list(margins), number),
        }
    )
    contract = Table.from_pydict(
        {
            "instrument": Array([instrument.name], text),
            "payoff": Array([instrument.payoff], text),
            "tick_size": Array([instrument.tick_size], number),
        }
    )
    out = liquidation_prices(positions, tier_table(instrument.name, tiers), contract)
    names = ("liquidation_price", "bankruptcy_price", "tier", "reason")
    return list(zip(*(out[name].to_pylist() for name in names), strict=True))


def _describe(position: Position, reason: str) -> str:
    leverage = "" if position.leverage is None else f" at {position.leverage:g}x"
    return f"{reason}: {position.side} {position.size_base:g} from {position.entry_price:g}{leverage}"
