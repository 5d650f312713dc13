"""Hyperliquid: ``clearinghouseState`` of an account, a public excerpt of many accounts, margin tables from ``meta``.

Sizes are signed, in coin. Equity and maintenance margin of a cross account come from the document; the margin of an
isolated position is its raw USD plus its signed size times the entry price.
"""

from __future__ import annotations

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
    product,
    quotient,
    to_cell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMAS"]

_STATE = "hyperliquid clearinghouseState"
_SNAPSHOT = "hyperliquid snapshot"
_META = "hyperliquid meta"
_SUMMARIES = ("crossMarginSummary", "marginSummary")
_NO_POSITION = "hyperliquid:-"
_SINGLE_TIER_LIMIT = 50  # a margin table id below this number is itself the maximum leverage of a single tier


def _is_state(doc: Any) -> bool:  # noqa: ANN401 - any JSON
    return (
        isinstance(doc, dict)
        and isinstance(doc.get("assetPositions"), list)
        and any(isinstance(doc.get(name), dict) for name in _SUMMARIES)
        and all(isinstance(e, dict) and isinstance(e.get("position"), dict) for e in doc["assetPositions"])
    )


def _state(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    summary = next(doc[name] for name in _SUMMARIES if isinstance(doc.get(name), dict))
    if not doc["assetPositions"]:
        yield VenueRecord("assetPositions", _NO_POSITION, {}, at=to_cell(doc.get("time")), is_empty=True)
    equity, maintenance = to_cell(summary.get("accountValue")), to_cell(doc.get("crossMaintenanceMarginUsed"))
    for i, entry in enumerate(doc["assetPositions"]):
        position = entry["position"]
        size, price = to_cell(position.get("szi")), to_cell(position.get("entryPx"))
        leverage = position.get("leverage") if isinstance(position.get("leverage"), dict) else {}
        mode = to_cell(leverage.get("type"))
        isolated = mode == "isolated"
        yield VenueRecord(
            f"assetPositions[{i}].position",
            f"hyperliquid:{position.get('coin')}",
            {
                **_size_cells(size, price, to_cell(leverage.get("value")), mode),
                "margin": cell_sum(to_cell(leverage.get("rawUsd")), product(size, price)) if isolated else equity,
                "maintenance": None if isolated else maintenance,
                "mark_price": quotient(to_cell(position.get("positionValue")), magnitude(size)),
                **_liquidation_cells(to_cell(position.get("liquidationPx"))),
                "source": _STATE,
            },
            at=to_cell(doc.get("time")),
            is_empty=parse_number(size) == 0,
        )


def _size_cells(size: Cell, price: Cell, leverage: Cell, mode: Cell) -> dict[str, Cell]:
    return {
        "side": "short" if size is not None and size.startswith("-") else "long",
        "size_base": magnitude(size),
        "entry_price": price,
        "leverage": leverage,
        "margin_mode": mode,
    }


def _liquidation_cells(liquidation: Cell) -> dict[str, Cell]:
    price = price_or_none(liquidation)
    return {"liquidation": "none" if price is None else "reported", "liquidation_price": price}


def _is_snapshot(doc: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(doc, dict)
        and "generated_at_unix" in doc
        and is_list_of(doc.get("accounts"), "a", "p")
        and all(isinstance(a["p"], list) for a in doc["accounts"])
        and all(isinstance(p, list) and len(p) == len(_PACKED_FIELDS) for a in doc["accounts"] for p in a["p"])
    )


_PACKED_FIELDS = ("coin", "side", "size", "entry", "liquidation", "notional", "leverage", "mode")


def _snapshot(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    """Yield positions of accounts ``{"a": address, "p": […]}``, each a list as in ``_PACKED_FIELDS``, side L or S."""
    for i, account in enumerate(doc["accounts"]):
        at = to_cell(doc["generated_at_unix"])
        if not account["p"]:
            yield VenueRecord(f"accounts[{i}]", _NO_POSITION, {}, account=to_cell(account["a"]), at=at, is_empty=True)
        for j, packed in enumerate(account["p"]):
            position = dict(zip(_PACKED_FIELDS, map(to_cell, packed), strict=True))
            yield VenueRecord(
                f"accounts[{i}].p[{j}]",
                f"hyperliquid:{position['coin']}",
                {
                    **_size_cells(position["size"], position["entry"], position["leverage"], position["mode"]),
                    "side": {"L": "long", "S": "short"}.get(position["side"] or "", position["side"]),
                    "size_base": position["size"],
                    "mark_price": quotient(position["notional"], position["size"]),
                    **_liquidation_cells(position["liquidation"]),
                    "source": _SNAPSHOT,
                },
                account=to_cell(account["a"]),
                at=at,
                is_empty=parse_number(position["size"]) == 0,
            )


def _is_meta(doc: Any) -> bool:  # noqa: ANN401
    doc = doc[0] if isinstance(doc, list) and doc else doc
    if not isinstance(doc, dict) or not is_list_of(doc.get("universe"), "name", "maxLeverage"):
        return False
    tables = doc.get("marginTables", [])
    pairs = isinstance(tables, list) and all(isinstance(t, list) and len(t) == 2 for t in tables)  # noqa: PLR2004
    return pairs and all(
        isinstance(t[1], dict) and is_list_of(t[1].get("marginTiers"), "lowerBound", "maxLeverage") for t in tables
    )


def _meta(doc: Any, _: str | None) -> Iterator[VenueRecord]:  # noqa: ANN401
    """Yield margin tiers; the maintenance rate is half of the initial rate at the tier's maximum leverage."""
    doc = doc[0] if isinstance(doc, list) else doc
    tables = {to_cell(number): table["marginTiers"] for number, table in doc.get("marginTables", [])}
    for i, coin in enumerate(doc["universe"]):
        which = to_cell(coin.get("marginTableId"))
        one = [{"lowerBound": "0", "maxLeverage": coin["maxLeverage"]}]
        simple = which is None or (parse_number(which) or _SINGLE_TIER_LIMIT) < _SINGLE_TIER_LIMIT
        tiers = tables.get(which) or (one if simple else [{}])
        for n, tier in enumerate(tiers, 1):
            yield VenueRecord(
                f"universe[{i}] tier {n}",
                f"hyperliquid:{coin['name']}",
                {
                    "tier": str(n),
                    "notional_floor": to_cell(tier.get("lowerBound")),
                    "notional_cap": to_cell(tiers[n]["lowerBound"]) if n < len(tiers) else None,
                    "max_leverage": to_cell(tier.get("maxLeverage")),
                    "mmr": quotient("0.5", to_cell(tier.get("maxLeverage"))),
                    "source": _META,
                },
            )


SCHEMAS = (
    DocumentSchema(_STATE, "positions", _is_state, _state, covers_venue=True),
    DocumentSchema(_SNAPSHOT, "positions", _is_snapshot, _snapshot, covers_venue=True),
    DocumentSchema(_META, "margin_tiers", _is_meta, _meta, covers_venue=True),
)
