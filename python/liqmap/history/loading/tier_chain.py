"""Margin tiers from venues: one ladder without gaps per contract, with the deductions that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.venues.payload import Cell, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["fill_deductions"]

_TOLERANCE = 1e-6


def fill_deductions(where: str, rows: Iterable[tuple[int, str, dict[str, Cell]]]) -> None:
    """Fill in deductions that a venue leaves out: ``c_n = c_{n−1} + floor_n · (m_n − m_{n−1})``.

    Where it gives them they have to be those (or all 0, on a venue whose rate holds for the whole position): another
    value means that a tier is missing.

    Raises:
        InputError: A ladder that does not start at 0, has a gap, or a deduction that does not follow.
    """
    ladders: dict[tuple[Cell, Cell], list[tuple[int, str, dict[str, Cell]]]] = {}
    for row in rows:
        ladders.setdefault((row[2]["instrument"], row[2]["valid_from"]), []).append(row)
    for ladder in ladders.values():
        _fill_ladder(where, ladder)


def _fill_ladder(where: str, ladder: list[tuple[int, str, dict[str, Cell]]]) -> None:
    plain = all(parse_number(cells["deduction"]) == 0 for _, _, cells in ladder if "deduction" in cells)
    plain = plain and all("deduction" in cells for _, _, cells in ladder)
    cap: float | None = 0.0
    deduction = rate = tier = 0.0
    for row, place, cells in ladder:
        floor, mmr, this = (parse_number(cells[name]) for name in ("notional_floor", "mmr", "tier"))
        if floor is None or mmr is None or this is None:
            return  # the judge refuses the cell that is no number

        def wrong(field: str, found: str, expected: str, row: int = row, place: str = place) -> InputError:
            return InputError("load", where, found, expected, "nothing stored", row=row, field=f"{place} {field}")

        if cap is None or abs(floor - cap) > _TOLERANCE * max(floor, cap):
            raise wrong("notional_floor", f"{floor:g}", f"{cap or 0:g}, where the tier before ends")
        deduction = 0.0 if plain else deduction + floor * (mmr - rate)
        given = parse_number(cells.get("deduction"))
        if given is None and tier and this != tier + 1:
            raise wrong("tier", f"tier {this:g} after {tier:g}", "every tier")
        if given is not None and abs(given - deduction) > _TOLERANCE * deduction + 1:
            raise wrong("deduction", f"{given:g}", f"{deduction:g}, as follows from the tiers before: one is missing")
        cells["deduction"] = repr(deduction) if given is None else cells["deduction"]
        cap, rate, tier = parse_number(cells["notional_cap"]), mmr, this
