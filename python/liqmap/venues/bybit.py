"""Bybit: ``position/list``, a position with its wallet as sent by the private stream, and ``market/risk-limit``.

Linear sizes are in coin, inverse sizes in USD. The cross liquidation price of a unified account depends on the wallet,
which ``position/list`` does not contain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap.venues.payload import (
    Cell,
    DocumentSchema,
    VenueRecord,
    is_list_of,
    parse_number,
    price_or_none,
    product,
    to_cell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMAS", "risk_records"]

_POSITIONS = "bybit position/list"
_STREAM = "bybit position and wallet"
_RISK = "bybit risk-limit"
_RISK_PAGE = "bybit margin parameters"
_SIDES = {"Buy": "long", "Sell": "short"}


def _is_positions(doc: Any) -> bool:  # noqa: ANN401 - any JSON
    result = doc.get("result") if isinstance(doc, dict) else None
    return (
        isinstance(result, dict)
        and result.get("category") in ("linear", "inverse")
        and is_list_of(result.get("list"), "symbol", "side", "size", "avgPrice", "liqPrice")
    )


def _positions(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    inverse = doc["result"]["category"] == "inverse"
    for i, raw in enumerate(doc["result"]["list"]):
        row = {k: to_cell(v) for k, v in raw.items()}
        mode = {"0": "cross", "1": "isolated"}.get(row.get("tradeMode") or "", row.get("tradeMode"))
        yield VenueRecord(
            f"result.list[{i}]",
            f"bybit:{row['symbol']}",
            {**_position_cells(row, row["avgPrice"]), "margin_mode": mode, "source": _POSITIONS},
            contracts=("size_base",) if inverse else (),
            at=to_cell(doc.get("time")),
            updated=row.get("updatedTime"),
            is_empty=parse_number(row["size"]) == 0,
        )


def _position_cells(row: dict[str, Cell], entry: Cell) -> dict[str, Cell]:
    liquidation = price_or_none(row["liqPrice"], 0.5)
    return {
        "side": _SIDES.get(row["side"] or "", row["side"]),
        "size_base": row["size"],
        "entry_price": entry,
        "leverage": row.get("leverage"),
        "mark_price": price_or_none(row.get("markPrice")),
        "liquidation": "none" if liquidation is None else "reported",
        "liquidation_price": liquidation,
    }


def _is_stream(doc: Any) -> bool:  # noqa: ANN401
    return (
        isinstance(doc, dict)
        and is_list_of([doc.get("position")], "symbol", "side", "size", "entryPrice", "liqPrice")
        and is_list_of([doc.get("wallet")], "totalMarginBalance", "totalMaintenanceMargin")
    )


def _stream(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    row, wallet = ({k: to_cell(v) for k, v in doc[part].items()} for part in ("position", "wallet"))
    yield VenueRecord(
        "position",
        f"bybit:{row['symbol']}",
        {
            **_position_cells(row, row["entryPrice"]),
            "margin_mode": "cross",
            "margin": wallet["totalMarginBalance"],
            "maintenance": wallet["totalMaintenanceMargin"],
            "source": _STREAM,
        },
        updated=row.get("updatedTime"),
        is_empty=parse_number(row["size"]) == 0,
    )


def _is_risk(doc: Any) -> bool:  # noqa: ANN401
    result = doc.get("result") if isinstance(doc, dict) else None
    return isinstance(result, dict) and is_list_of(
        result.get("list"), "id", "symbol", "riskLimitValue", "maintenanceMargin", "initialMargin", "maxLeverage"
    )


def _risk(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    rows = [{**row, "tier": row["id"], "place": f"result.list[{i}]"} for i, row in enumerate(doc["result"]["list"])]
    symbols = dict.fromkeys(str(row["symbol"]) for row in rows)
    for symbol in symbols:
        of_symbol = [row for row in rows if row["symbol"] == symbol]
        yield from risk_records(f"bybit:{symbol}", of_symbol, _RISK, to_cell(doc.get("time")))


def _is_page(doc: Any) -> bool:  # noqa: ANN401
    return is_list_of(doc, "tier", "riskLimitValue", "maxLeverage", "maintenanceMargin") and not any(
        "symbol" in row for row in doc
    )


def _page(doc: list[dict[str, Any]], instrument: str | None) -> Iterator[VenueRecord]:
    """Yield the tiers of the web page, which does not name its instrument; the requested instrument is used."""
    rows = [{**row, "place": f"[{i}]"} for i, row in enumerate(doc)]
    name = instrument if instrument and instrument.startswith("bybit:") else "bybit:?"
    yield from risk_records(name, rows, _RISK_PAGE, None)


def risk_records(name: str, rows: list[dict[str, Any]], source: str, at: Cell) -> Iterator[VenueRecord]:
    """Yield tiers from their upper limits; rates are fractions or percent if initial rate × leverage is 1 or 100."""
    floor: Cell = "0"
    for raw in rows:
        row = {k: to_cell(v) for k, v in raw.items()}
        unit = parse_number(product(row.get("initialMargin"), row["maxLeverage"]))
        percent = unit is not None and 50 < unit < 200  # noqa: PLR2004 - 100 with the venue's rounding
        rate = parse_number(row["maintenanceMargin"])
        yield VenueRecord(
            str(row["place"]),
            name,
            {
                "tier": row["tier"],
                "notional_floor": floor,
                "notional_cap": row["riskLimitValue"],
                "max_leverage": row["maxLeverage"],
                "mmr": repr(rate / 100) if percent and rate is not None else row["maintenanceMargin"],
                "deduction": row.get("mmDeduction"),
                "source": source,
            },
            at=at,
        )
        floor = row["riskLimitValue"]


SCHEMAS = (
    DocumentSchema(_POSITIONS, "positions", _is_positions, _positions),
    DocumentSchema(_STREAM, "positions", _is_stream, _stream),
    DocumentSchema(_RISK, "margin_tiers", _is_risk, _risk, covers_venue=True),
    DocumentSchema(_RISK_PAGE, "margin_tiers", _is_page, _page),
)
