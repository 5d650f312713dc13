"""``liqmap position``: liquidation price of one position."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from liqmap import public
from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.number_format import leverage as times
from liqmap._base.number_format import percent, usd
from liqmap._base.timestamps import iso, parse_instant
from liqmap.maps.position_on_map import place_position
from liqmap.positions.single_position import Position, price_position
from liqmap.venues import catalogue

if TYPE_CHECKING:
    from liqmap._base.instruments import Instrument
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.position_on_map import PositionOnMap
    from liqmap.positions.single_position import WhatIf
    from liqmap.public import History
    from liqmap.venues.catalogue import Tier

__all__ = ["position"]


def position(
    *,
    side: Literal["long", "short"],
    entry: float,
    size: float,
    venue: str | None = None,
    instrument: str | None = None,
    leverage: float | None = None,
    margin: float | None = None,
    db: Path | None = None,
    at: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Compute the liquidation price of an isolated position, its cluster, and the margin needed to leave the cluster.

    Args:
        side: long or short.
        entry: Entry price.
        size: Size in coin (inverse contracts: face value divided by the entry price).
        venue: Venue of the BTC perpetual, as an alternative to --instrument.
        instrument: venue:SYMBOL, such as okx:BTC-USD_UM-261030.
        leverage: Leverage set at the venue.
        margin: Margin in settlement currency; size × entry / leverage by default.
        db: A history; provides the margin tiers and the map.
        at: As-of time of the margin tiers and the map, ISO 8601.
        as_json: Print one JSON object.
    """
    moment = None if at is None else parse_instant(at, stage="position")
    name = _instrument_name(venue, instrument)
    placed = None
    if db is None:
        entry_of = catalogue.find_entry(name)
        if entry_of is None:
            raise NotFoundError(
                "position", name, "not in the catalogue", "a known instrument, or --db", "nothing computed"
            )
        about, tiers = entry_of.instrument, list(entry_of.tiers)
        found = price_position(Position(about, side, entry, size, leverage, margin), tiers, at=moment)
    else:
        with public.open_history(db) as history:
            about, tiers = _instrument_and_tiers(history, name, moment)
            found = price_position(Position(about, side, entry, size, leverage, margin), tiers, at=moment)
            placed = place_position(found, _map_for(history, about, moment), tiers)
    if as_json:
        out = found.to_dict() | {"map": None if placed is None else placed.to_dict()}
        sys.stdout.write(json.dumps(out, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write(_as_text(found, placed, asked_map=db is not None))


def _instrument_name(venue: str | None, instrument: str | None) -> str:
    if instrument is not None:
        if venue is not None and not instrument.startswith(f"{venue}:"):
            raise InputError("position", "venue", repr(venue), f"the venue of {instrument}", "nothing computed")
        return instrument
    entries = [
        entry.instrument for entry in map(catalogue.find_entry, catalogue.instrument_names()) if entry is not None
    ]
    perpetuals = [i for i in entries if (i.kind, i.payoff, i.base) == ("perpetual", "linear", "BTC")]
    for one in perpetuals:
        if one.venue == venue:
            return one.name
    known = ", ".join(sorted({i.venue for i in perpetuals}))
    raise InputError("position", "venue", repr(venue), f"one of {known}; or an --instrument", "nothing computed")


def _instrument_and_tiers(history: History, name: str, at: int | None) -> tuple[Instrument, list[Tier]]:
    """Instrument and margin tiers from the history, or from the catalogue if the history lacks the instrument."""
    if any(one.name == name for one in history.instruments()):
        return history.instrument(name), history.tiers(name, at=2**62 if at is None else at)
    entry = catalogue.find_entry(name)
    if entry is None:
        raise NotFoundError(
            "position",
            name,
            "neither in the history nor in the catalogue",
            "an instrument of either",
            "nothing computed",
        )
    return entry.instrument, list(entry.tiers)


def _map_for(history: History, about: Instrument, at: int | None) -> LiquidationMap:
    """The instrument's map, or that of another contract on the same coin."""
    others = [i.name for i in history.instruments() if i.base == about.base and i.kind != "aggregate"]
    for name in sorted(others, key=lambda other: other != about.name):
        try:
            return history.map(name, at)
        except NotFoundError:
            continue
    raise NotFoundError(
        "position", about.name, f"no map of {about.base}", "bars and open interest", "position not located"
    )


def _as_text(found: WhatIf, placed: PositionOnMap | None, *, asked_map: bool) -> str:
    asked, tier = found.position, found.tier
    coin = asked.instrument.settle
    lever = "" if asked.leverage is None else f" at {times(asked.leverage)}"
    held = f"{asked.side} {asked.size_base:g} {asked.instrument.base} from {asked.entry_price:,.2f}{lever}"
    lines = [f"{asked.instrument.name}   {held}, margin {found.margin:,.2f} {coin}"]
    if found.liquidation_price is None or found.distance is None:
        lines.append("liquidation  none: the margin covers any price move")
    else:
        away = percent(found.distance, 2, signed=True)
        lines.append(f"liquidation  {found.liquidation_price:>12,.2f}   {away} from entry")
    if found.bankruptcy_price is not None:
        away = percent(found.bankruptcy_price / asked.entry_price - 1, 2, signed=True)
        lines.append(f"bankruptcy   {found.bankruptcy_price:>12,.2f}   {away} from entry")
    lines.append(
        f"tier {tier.tier}: maintenance {percent(tier.mmr, 2)}, up to {times(tier.max_leverage)}; "
        f"table of {iso(found.tiers_from)[:10]} ({tier.source})"
    )
    lines += _cluster_lines(placed, coin)
    if not asked_map:
        lines.append("pass --db to locate the position on a map")
    return "\n".join(lines) + "\n"


def _cluster_lines(placed: PositionOnMap | None, coin: str) -> list[str]:
    if placed is None:
        return []
    head = f"on the map of {placed.instrument} at {placed.at}, mark {placed.mark_price:,.1f}:"
    ahead = f"{usd(placed.ahead)} on the same side is liquidated first"
    cluster, way = placed.cluster, placed.exit
    if cluster is None or way is None:
        return [head, f"  outside all clusters; {ahead}"]
    lines = [
        head,
        f"  in the cluster {cluster.low:,.0f} … {cluster.high:,.0f} ({usd(cluster.notional)}, {cluster.band}); {ahead}",
    ]
    if way.added is None:
        return [*lines, "  no additional margin up to three times the notional moves it out of the cluster"]
    return [*lines, f"  {way.added:,.2f} {coin} additional margin moves the liquidation price out, to {way.price:,.1f}"]
