"""Dated futures page: basis to spot, its z-score, and overlap of liquidation levels with perpetuals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from liqmap._base.number_format import percent
from liqmap.maps.export import csv_text
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.text import sentences

if TYPE_CHECKING:
    from liqmap.public import History
    from liqmap.report.facts import Facts
    from liqmap.strategies.basis import Basis, DatedBasis

__all__ = ["PAGE"]

_UNUSUAL = 2.0
_FILL = (
    "Load bars of a dated future with `liqmap load FILE --db FILE --instrument venue:SYMBOL`. If the catalogue lacks "
    "the contract, first load a row of kind `dated` with its expiry into `instruments`."
)


def _read(history: History, facts: Facts) -> Basis | MissingData:
    base = facts.about.base
    if not any(one.kind == "dated" and one.base == base for one in history.instruments()):
        return MissingData(f"The history contains no dated future on {base}.", _FILL)
    return history.basis(base, facts.map.at)


def _build(_: Facts, found: Basis | MissingData) -> PageContent | MissingData:
    if isinstance(found, MissingData):
        return found
    if not found.dated:
        held = "; ".join(f"{name}: {why}" for name, why in found.left_out.items())
        return MissingData(f"No dated future on {found.market} can be compared{f' ({held})' if held else ''}.", _FILL)
    text = json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return PageContent(
        heading=_heading(found.dated[0]),
        lede=_lede(found),
        values={"found": found},
        files={"basis.json": f"{text}\n".encode(), "basis.csv": _csv(found).encode()},
    )


def _heading(nearest: DatedBasis) -> str:
    """Basis of the nearest contract and its z-score."""
    above = "above" if nearest.basis >= 0 else "below"
    head = f"{nearest.instrument} trades {percent(abs(nearest.basis), 2)} {above} spot"
    if nearest.z is None:
        return head
    usual = (
        "within its normal range" if abs(nearest.z) < _UNUSUAL else f"{abs(nearest.z):.1f} deviations from the median"
    )
    return f"{head}, {usual}"


def _lede(found: Basis) -> str:
    first, yearly, paid = found.dated[0], "", ""
    if first.annual is not None:
        yearly = f"Annualised: {percent(first.annual, signed=True)}, expiry {sentences.day(first.expiry)}. "
    if found.funding is not None:
        paid = f"Perpetual funding: {percent(found.funding, signed=True)} annualised."
    return f"{yearly}{paid}".strip() or f"Spot price: {found.spot_from}."


def _csv(found: Basis) -> str:
    head = ["market", "instrument", "expiry_us", "days", "price", "basis", "annual", "annual_simple", "z", "carry_gap"]
    lines = [
        [
            *(found.market, one.instrument, one.expiry, one.days, one.price, one.basis),
            *(one.annual, one.annual_simple, one.z, one.carry_gap),
        ]
        for one in found.dated
    ]
    return csv_text(head, lines)


PAGE = Page("basis", "Dated futures", _build, read=_read)
