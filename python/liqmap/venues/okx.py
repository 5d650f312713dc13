"""OKX: ``account/positions`` and ``public/position-tiers``; sizes are in contracts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from liqmap.venues.payload import (
    Cell,
    DocumentSchema,
    VenueRecord,
    is_list_of,
    magnitude,
    parse_number,
    price_or_none,
    to_cell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMAS"]

_POSITIONS = "okx account/positions"
_TIERS = "okx position-tiers"
_TAKER_FEE = 0.0005  # taker fee, included in OKX's margin ratio in addition to maintenance margin


def _is_positions(doc: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(doc, dict) and is_list_of(doc.get("data"), "instId", "posSide", "mgnMode", "pos", "avgPx")


def _positions(doc: dict[str, Any], _: str | None) -> Iterator[VenueRecord]:
    rows = [{k: to_cell(v) for k, v in row.items()} for row in doc["data"]]
    pushed = [t for t in (row.get("pTime") for row in rows) if parse_number(t) is not None]
    equities = _cross_equities(rows)
    for i, row in enumerate(rows):
        size, side = row["pos"], row["posSide"]
        if side == "net":
            side = "short" if size is not None and size.startswith("-") else "long"
            size = magnitude(size)
        liquidation = price_or_none(row.get("liqPx"))
        isolated = row["mgnMode"] == "isolated"
        margin, maintenance = (row.get("margin"), None) if isolated else equities.get(i, (None, None))
        yield VenueRecord(
            f"data[{i}]",
            f"okx:{row['instId']}",
            {
                "side": side,
                "size_base": size,
                "entry_price": row["avgPx"],
                "leverage": row.get("lever"),
                "margin_mode": row["mgnMode"],
                "margin": margin,
                "maintenance": maintenance,
                "mark_price": price_or_none(row.get("markPx")),
                "liquidation": "none" if liquidation is None else "reported",
                "liquidation_price": liquidation,
                "source": _POSITIONS,
            },
            contracts=("size_base",),
            # uTime is the last change of the position, not the time of the response.
            at=max(pushed, key=lambda t: parse_number(t) or 0.0) if pushed else None,
            updated=row.get("uTime"),
            is_empty=parse_number(size) == 0,
        )


def _cross_equities(rows: list[dict[str, Cell]]) -> dict[int, tuple[Cell, Cell]]:
    """Map each cross row to the equity of its currency and the maintenance of the other positions in that currency.

    ``equity = mgnRatio · Σ(mmr + notional · fee)`` with ``notional = imr · lever``, for the margin of one currency. A
    ratio shared by several currencies applies to all of them together, so no equity per currency can be derived.
    """
    required: dict[int, float] = {}
    currencies: defaultdict[Cell, list[int]] = defaultdict(list)
    ratios: defaultdict[Cell, set[Cell]] = defaultdict(set)
    for i, row in enumerate(rows):
        if row["mgnMode"] != "cross" or parse_number(row["pos"]) == 0:
            continue
        currencies[row.get("ccy")].append(i)
        ratios[row.get("mgnRatio")].add(row.get("ccy"))
        maintenance, initial, leverage = (parse_number(row.get(name)) for name in ("mmr", "imr", "lever"))
        if maintenance is not None and initial is not None and leverage is not None:
            required[i] = maintenance + initial * leverage * _TAKER_FEE
    found: dict[int, tuple[Cell, Cell]] = {}
    for members in currencies.values():
        shared = {rows[i].get("mgnRatio") for i in members}
        ratio = parse_number(next(iter(shared)))
        one_currency = len(shared) == 1 and len(ratios[next(iter(shared))]) == 1
        if one_currency and ratio is not None and required.keys() >= set(members):
            total = sum(required[i] for i in members)
            found |= {i: (repr(ratio * total), repr(total - required[i])) for i in members}
    return found


def _is_tiers(doc: Any) -> bool:  # noqa: ANN401
    return isinstance(doc, dict) and is_list_of(
        doc.get("data"), "instFamily", "tier", "minSz", "maxSz", "mmr", "maxLever"
    )


def _tiers(doc: dict[str, Any], instrument: str | None) -> Iterator[VenueRecord]:
    """Yield the tiers of a family; the response lacks the kind of contract, so the instrument must be requested."""
    for i, row in enumerate(doc["data"]):
        family = to_cell(row["instFamily"])
        matches = instrument is not None and family is not None and instrument.startswith(f"okx:{family}-")
        yield VenueRecord(
            f"data[{i}]",
            instrument if matches and instrument is not None else f"okx:{family}-?",
            {
                "tier": to_cell(row["tier"]),
                "notional_floor": to_cell(row["minSz"]),
                "notional_cap": to_cell(row["maxSz"]),
                "max_leverage": to_cell(row["maxLever"]),
                "mmr": to_cell(row["mmr"]),
                "deduction": "0",  # the rate of the tier applies to the whole position
                "source": _TIERS,
            },
            contracts=("notional_floor", "notional_cap"),
        )


SCHEMAS = (
    DocumentSchema(_POSITIONS, "positions", _is_positions, _positions),
    DocumentSchema(_TIERS, "margin_tiers", _is_tiers, _tiers),
)
