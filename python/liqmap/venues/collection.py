"""Margin tiers of several venues in one JSON object, each under a key with venue, contract and date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from liqmap.venues.binance import bracket_records
from liqmap.venues.bybit import risk_records
from liqmap.venues.payload import DocumentSchema, VenueRecord, is_list_of, to_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMAS"]

_NAME = "margin tier collection"
_TIER = ("tier", "riskLimitValue", "maxLeverage", "maintenanceMargin")
_BYBIT = re.compile(r"bybit_([A-Z0-9]+)_\w+")
_HYPERLIQUID = re.compile(r"hyperliquid_([A-Za-z0-9]+)_(\d{4}-\d{2}-\d{2})")


def _is_collection(doc: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(doc, dict) or not isinstance(doc.get("binance_usdm"), dict):
        return False
    brackets = doc["binance_usdm"].values()
    return (
        all(is_list_of(rows, "bracket", "initialLeverage", "maintMarginRatio") for rows in brackets)
        and all(is_list_of(rows, *_TIER) for name, rows in doc.items() if _BYBIT.fullmatch(name))
        and all(is_list_of(rows, "maxLeverage") for name, rows in doc.items() if _HYPERLIQUID.fullmatch(name))
    )


def _records(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    for symbol, rows in doc["binance_usdm"].items():
        yield from bracket_records(f"binance_usdm.{symbol}.", symbol, rows)
    for name, rows in doc.items():
        if (of := _BYBIT.fullmatch(name)) is not None:
            placed = [{"place": f"{name}[{i}]", **row} for i, row in enumerate(rows)]
            yield from risk_records(f"bybit:{of[1]}", placed, name, None)
        elif (of := _HYPERLIQUID.fullmatch(name)) is not None:
            yield from _hyperliquid(name, f"hyperliquid:{of[1]}", of[2], rows)


def _hyperliquid(name: str, instrument: str, day: str, rows: list[dict[str, Any]]) -> Iterator[VenueRecord]:
    for n, row in enumerate(rows):
        cells = {
            "tier": str(n + 1),
            "notional_floor": to_cell(row.get("lowerBound")),
            "notional_cap": to_cell(rows[n + 1].get("lowerBound")) if n + 1 < len(rows) else None,
            "max_leverage": to_cell(row["maxLeverage"]),
            "mmr": to_cell(row.get("mmr")),
            "deduction": to_cell(row.get("deduction")),
            "source": f"{name}: {day}",
        }
        yield VenueRecord(f"{name}[{n}]", instrument, cells)


SCHEMAS = (DocumentSchema(_NAME, "margin_tiers", _is_collection, _records, covers_venue=True),)
