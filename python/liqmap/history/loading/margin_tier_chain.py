"""Margin tier tables from venues: checks that tiers are contiguous, and computes their deductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.venues.payload import Cell, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["fill_deductions"]

_TOLERANCE = 1e-6


def fill_deductions(where: str, rows: Iterable[tuple[int, str, dict[str, Cell]]]) -> None:
    """Compute missing deductions: ``c_n = c_{n−1} + floor_n · (m_n − m_{n−1})``.

    Given deductions must equal the computed ones, or all be 0 for a venue whose rate applies to the whole position;
    any other value indicates a missing tier.

    Raises:
        InputError: A table does not start at 0, has a gap, or has an inconsistent deduction.
    """
    tables: dict[tuple[Cell, Cell], list[tuple[int, str, dict[str, Cell]]]] = {}
    for row in rows:
        tables.setdefault((row[2]["instrument"], row[2]["valid_from"]), []).append(row)
    for table in tables.values():
        _fill_table(where, table)


def _fill_table(where: str, table: list[tuple[int, str, dict[str, Cell]]]) -> None:
    no_deductions = all(parse_number(cells["deduction"]) == 0 for _, _, cells in table if "deduction" in cells)
    no_deductions = no_deductions and all("deduction" in cells for _, _, cells in table)
    cap: float | None = 0.0
    deduction = rate = tier = 0.0
    for row, place, cells in table:
        floor, mmr, this = (parse_number(cells[name]) for name in ("notional_floor", "mmr", "tier"))
        if floor is None or mmr is None or this is None:
            return  # staging rejects the invalid number

        def invalid(field: str, found: str, expected: str, row: int = row, place: str = place) -> InputError:
            return InputError("load", where, found, expected, "nothing stored", row=row, field=f"{place} {field}")

        if cap is None or abs(floor - cap) > _TOLERANCE * max(floor, cap):
            raise invalid("notional_floor", f"{floor:g}", f"{cap or 0:g}, the end of the previous tier")
        deduction = 0.0 if no_deductions else deduction + floor * (mmr - rate)
        given = parse_number(cells.get("deduction"))
        if given is None and tier and this != tier + 1:
            raise invalid("tier", f"tier {this:g} after {tier:g}", "every tier")
        if given is not None and abs(given - deduction) > _TOLERANCE * deduction + 1:
            raise invalid(
                "deduction", f"{given:g}", f"{deduction:g}, computed from the previous tiers: a tier is missing"
            )
        cells["deduction"] = repr(deduction) if given is None else cells["deduction"]
        cap, rate, tier = parse_number(cells["notional_cap"]), mmr, this
