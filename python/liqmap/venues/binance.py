"""Binance: ``positionRisk`` and ``leverageBracket`` of USD-M (sizes in coin, USDT) and COIN-M (contracts, coin)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from liqmap.venues.payload import (
    Cell,
    DocumentSchema,
    VenueRecord,
    cell_sum,
    is_list_of,
    magnitude,
    parse_number,
    price_or_none,
    to_cell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMAS", "bracket_records"]

_POSITIONS = "binance positionRisk"
_BRACKETS = "binance leverageBracket"
_CCXT_SYMBOL = re.compile(r"([A-Z0-9]+)/([A-Z0-9]+):([A-Z0-9]+)(?:-(\d{6}))?")


def _is_positions(doc: Any) -> bool:  # noqa: ANN401 - any JSON
    return is_list_of(doc, "symbol", "positionAmt", "entryPrice", "positionSide", "liquidationPrice")


def _positions(doc: list[dict[str, Any]], _: str | None) -> Iterator[VenueRecord]:
    for i, raw in enumerate(doc):
        row = {k: to_cell(v) for k, v in raw.items()}
        size, leg = row["positionAmt"], row["positionSide"]
        # In hedge mode the amount of the short leg is also negative, so sign and `positionSide` must agree.
        short = size is not None and size.startswith("-")
        side = {"BOTH": "short" if short else "long", "LONG": "long", "SHORT": "short"}.get(leg or "", leg)
        agrees = leg == "BOTH" or short == (leg == "SHORT")
        isolated = row.get("marginType") == "isolated" or (
            row.get("marginType") is None and (parse_number(row.get("isolatedMargin")) or 0.0) > 0
        )
        liquidation = price_or_none(row["liquidationPrice"])
        yield VenueRecord(
            f"[{i}]",
            f"binance:{row['symbol']}",
            {
                "side": side,
                "size_base": magnitude(size) if agrees else f"-{magnitude(size)}",
                "entry_price": row["entryPrice"],
                "leverage": row.get("leverage"),
                "margin_mode": "isolated" if isolated else "cross",
                "margin": _isolated_wallet(row) if isolated else None,
                "mark_price": price_or_none(row.get("markPrice")),
                "liquidation": "none" if liquidation is None else "reported",
                "liquidation_price": liquidation,
                "source": _POSITIONS,
            },
            contracts=("size_base",) if "notionalValue" in row else (),
            updated=row.get("updateTime"),
            is_empty=parse_number(size) == 0,
        )


def _isolated_wallet(row: dict[str, Cell]) -> Cell:
    """Return the isolated wallet; older responses have only the margin, which includes unrealised profit."""
    wallet, profit = row.get("isolatedWallet"), row.get("unRealizedProfit")
    negative = None if profit is None else profit[1:] if profit.startswith("-") else f"-{profit}"
    return cell_sum(row.get("isolatedMargin"), negative) if wallet is None else wallet


def _is_brackets(doc: Any) -> bool:  # noqa: ANN401
    return is_list_of(doc, "symbol", "brackets") and all(
        is_list_of(row["brackets"], "bracket", "initialLeverage", "maintMarginRatio") for row in doc
    )


def _brackets(doc: list[dict[str, Any]], _: str | None) -> Iterator[VenueRecord]:
    for i, row in enumerate(doc):
        yield from bracket_records(f"[{i}].", str(row["symbol"]), row["brackets"])


def bracket_records(place: str, symbol: str, brackets: list[dict[str, Any]]) -> Iterator[VenueRecord]:
    """Yield the tiers of a Binance or ccxt symbol (``BTC/USDT:USDT-260925``); COIN-M notional is in coin."""
    name = _CCXT_SYMBOL.fullmatch(symbol)
    if name is not None and name[2] == name[3]:
        symbol = f"{name[1]}{name[2]}" + (f"_{name[4]}" if name[4] else "")
    for n, raw in enumerate(brackets):
        row = {k: to_cell(v) for k, v in raw.items()}
        floor = row.get("notionalFloor", row.get("qtyFloor", row.get("qtylFloor")))  # Binance misspells the last key
        yield VenueRecord(
            f"{place}brackets[{n}]",
            f"binance:{symbol}",
            {
                "tier": row["bracket"],
                "notional_floor": floor,
                "notional_cap": row.get("notionalCap", row.get("qtyCap")),
                "max_leverage": row["initialLeverage"],
                "mmr": row["maintMarginRatio"],
                "deduction": row.get("cum"),
                "source": _BRACKETS,
            },
        )


SCHEMAS = (
    DocumentSchema(_POSITIONS, "positions", _is_positions, _positions),
    DocumentSchema(_BRACKETS, "margin_tiers", _is_brackets, _brackets, covers_venue=True),
)
