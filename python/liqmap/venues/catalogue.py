"""Catalogue of bundled instruments and margin tiers, with source and date; one TOML file per venue.

An entry is copied into a history when its instrument first appears there; after that only the history is used.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from liqmap._base.instruments import Instrument
from liqmap._base.timestamps import Instant, parse_instant

__all__ = ["CatalogueEntry", "Tier", "find_entry", "instrument_names"]


@dataclass(frozen=True, slots=True)
class Tier:
    """One margin tier of a dated table.

    Attributes:
        notional_floor: Lower limit, USD.
        notional_cap: Upper limit, USD; ``None`` if unknown.
        max_leverage: Maximum leverage in the tier.
        mmr: Maintenance margin rate, a fraction of notional.
        deduction: USD subtracted from the maintenance margin, which makes it continuous across tiers.
        valid_from: Start of the table's validity, UTC microseconds.
        source: Origin of the table.
        tier: Tier number; 1 for the smallest positions.
    """

    notional_floor: float
    notional_cap: float | None
    max_leverage: float
    mmr: float
    deduction: float
    valid_from: Instant
    source: str
    tier: int


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Catalogue data of one instrument."""

    instrument: Instrument
    tiers: tuple[Tier, ...]


def find_entry(name: str) -> CatalogueEntry | None:
    """Return the catalogue entry of an instrument, or ``None``.

    Example:
        >>> entry = find_entry("okx:BTC-USDT-SWAP")
        >>> entry.instrument.contract_size, entry.tiers[0].mmr
        (0.01, 0.004)
    """
    return _load_catalogue().get(name)


def instrument_names() -> tuple[str, ...]:
    """Return the names of all instruments in the catalogue."""
    return tuple(sorted(_load_catalogue()))


@cache
def _load_catalogue() -> dict[str, CatalogueEntry]:
    folder = resources.files("liqmap.venues") / "catalogue"
    venues = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        if file.name.endswith(".toml")
    }
    tables = {
        f"{venue}:{name}": _tiers(table)
        for venue, data in venues.items()
        for name, table in data.get("tiers", {}).items()
    }
    entries = (
        _entry(f"{venue}:{symbol}", facts, tables)
        for venue, data in venues.items()
        for symbol, facts in data["instruments"].items()
    )
    return {entry.instrument.name: entry for entry in entries}


def _entry(name: str, facts: dict[str, Any], tables: dict[str, tuple[Tier, ...]]) -> CatalogueEntry:
    facts = dict(facts)
    tiers = facts.pop("tiers", None)
    expiry = facts.pop("expiry", None)
    instrument = Instrument(name=name, expiry=None if expiry is None else parse_instant(expiry), **facts)
    return CatalogueEntry(instrument, () if tiers is None else tables[tiers])


def _tiers(table: dict[str, Any]) -> tuple[Tier, ...]:
    """Read rows of ``[cap, max leverage, maintenance rate]``; the floor of a tier is the cap of the previous one.

    The deduction follows from the rates: ``c_n = c_(n−1) + floor_n · (m_n − m_(n−1))``, so that maintenance margin
    is continuous. A cap of 0 means that the upper limit is unknown.
    """
    rows: list[Tier] = []
    floor = deduction = 0.0
    for number, (cap, leverage, mmr) in enumerate(table["rows"], 1):
        if rows:
            deduction = round(deduction + floor * (mmr - rows[-1].mmr), 6)
        rows.append(
            Tier(
                notional_floor=floor,
                notional_cap=float(cap) or None,
                max_leverage=float(leverage),
                mmr=float(mmr),
                deduction=deduction,
                valid_from=parse_instant(table["valid_from"]),
                source=table["source"],
                tier=number,
            )
        )
        floor = float(cap)
    return tuple(rows)
