"""OKX: ``account/positions`` and ``public/position-tiers``; both count contracts."""

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
_TAKER_FEE = 0.0005  # the taker fee that its margin ratio counts beside maintenance


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
        margin, owed = (row.get("margin"), None) if row["mgnMode"] == "isolated" else equities.get(i, (None, None))
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
                "maintenance": owed,
                "mark_price": price_or_none(row.get("markPx")),
                "liquidation": "none" if liquidation is None else "reported",
                "liquidation_price": liquidation,
                "source": _POSITIONS,
            },
            contracts=("size_base",),
            # uTime is when the position last changed, not when this was taken.
            at=max(pushed, key=lambda t: parse_number(t) or 0.0) if pushed else None,
            updated=row.get("uTime"),
            flat=parse_number(size) == 0,
        )


def _cross_equities(rows: list[dict[str, Cell]]) -> dict[int, tuple[Cell, Cell]]:
    """Cross rows → equity of their currency, and what its other positions owe.

    ``equity = mgnRatio · Σ(mmr + notional · fee)`` with ``notional = imr · lever``, for one currency's margin; a ratio
    shared by several currencies is one of all of them together, from which no equity of a currency follows.
    """
    owed: dict[int, float] = {}
    currencies: defaultdict[Cell, list[int]] = defaultdict(list)
    ratios: defaultdict[Cell, set[Cell]] = defaultdict(set)
    for i, row in enumerate(rows):
        if row["mgnMode"] != "cross" or parse_number(row["pos"]) == 0:
            continue
        currencies[row.get("ccy")].append(i)
        ratios[row.get("mgnRatio")].add(row.get("ccy"))
        kept, initial, lever = (parse_number(row.get(name)) for name in ("mmr", "imr", "lever"))
        if kept is not None and initial is not None and lever is not None:
            owed[i] = kept + initial * lever * _TAKER_FEE
    found: dict[int, tuple[Cell, Cell]] = {}
    for of in currencies.values():
        shared = {rows[i].get("mgnRatio") for i in of}
        ratio = parse_number(next(iter(shared)))
        if len(shared) == 1 and ratio is not None and len(ratios[next(iter(shared))]) == 1 and owed.keys() >= set(of):
            together = sum(owed[i] for i in of)
            found |= {i: (repr(ratio * together), repr(together - owed[i])) for i in of}
    return found


def _is_tiers(doc: Any) -> bool:  # noqa: ANN401
    return isinstance(doc, dict) and is_list_of(
        doc.get("data"), "instFamily", "tier", "minSz", "maxSz", "mmr", "maxLever"
    )


def _tiers(doc: dict[str, Any], asked: str | None) -> Iterator[VenueRecord]:
    """A family's tiers are asked for per kind of contract, which the answer does not say: the instrument does."""
    for i, row in enumerate(doc["data"]):
        family = to_cell(row["instFamily"])
        mine = asked is not None and family is not None and asked.startswith(f"okx:{family}-")
        yield VenueRecord(
            f"data[{i}]",
            asked if mine and asked is not None else f"okx:{family}-?",
            {
                "tier": to_cell(row["tier"]),
                "notional_floor": to_cell(row["minSz"]),
                "notional_cap": to_cell(row["maxSz"]),
                "max_leverage": to_cell(row["maxLever"]),
                "mmr": to_cell(row["mmr"]),
                "deduction": "0",  # the tier's rate holds for the whole position
                "source": _TIERS,
            },
            contracts=("notional_floor", "notional_cap"),
        )


SCHEMAS = (
    DocumentSchema(_POSITIONS, "positions", _is_positions, _positions),
    DocumentSchema(_TIERS, "margin_tiers", _is_tiers, _tiers),
)
