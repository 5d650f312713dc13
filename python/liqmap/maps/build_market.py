"""Build the map of a market from a history: select the instruments, the time and the spot price."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.grid import Grid
from liqmap._base.timestamps import Instant, iso
from liqmap.history.spot_price import last_ends, spot_price
from liqmap.maps.build import map_from_inputs
from liqmap.maps.map_inputs import read_map_inputs
from liqmap.maps.market import MarketMap, add_maps

if TYPE_CHECKING:
    from liqmap._base.instruments import Instrument
    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.map_inputs import MapInputs
    from liqmap.positions.engine.population import AnyRecipe

__all__ = ["build_market", "is_market"]

USD_QUOTES = frozenset({"USD", "USDT", "USDC", "USDE", "FDUSD", "BUSD", "TUSD", "DAI"})
"""Quote currencies that are treated as USD, the unit of notional."""
_DAY = 86_400_000_000
_MAX_SPOT_AGE_US = 3_600_000_000


def is_market(name: str) -> bool:
    """Whether a name denotes a market (``BTC``) instead of an instrument (``binance:BTCUSDT``)."""
    return ":" not in name


def build_market(
    store: Store,
    market: str,
    *,
    at: Instant | None = None,
    grid: Grid | None = None,
    recipe: AnyRecipe | None = None,
) -> MarketMap:
    """Build the sum of the maps of all instruments on a base asset.

    Vendor aggregates, contracts not quoted in USD, instruments without data at that time and, if there are real
    instruments, simulated ones are left out; the map names each with the reason. Without ``at`` the map is as of the
    latest time up to which all instruments have data; instruments whose data ended more than a day before the latest
    are ignored when this time is chosen.

    Raises:
        NotFoundError: The history has no instrument on that asset, or none with data at that time.
    """
    members, left_out = _member_instruments(store, market)
    moment = _market_time(store, members) if at is None else at
    found: list[MapInputs] = []
    for about in members:
        try:
            found.append(read_map_inputs(store, about.name, moment, recipe))
        except NotFoundError as error:
            left_out[about.name] = error.found
    moment = max((source.at for source in found), default=moment)
    spot, note = _spot(store, found, moment) if found and moment is not None else (1.0, "")
    axis = _common_grid(found, spot) if grid is None and found else grid
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = list(threads.map(lambda of: _part_map(of, axis, spot), found))
    left_out |= {of.about.name: m for of, m in zip(found, made, strict=True) if isinstance(m, str)}
    parts = tuple(m for m in made if not isinstance(m, str))
    if not parts or axis is None or moment is None:
        when = "" if moment is None else f" at {iso(moment)}"
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise NotFoundError(
            "map", market, f"no instrument{when} ({why})", "an instrument with open interest", "no map made"
        )
    names = {part.instrument for part in parts}
    return add_maps(
        market,
        parts,
        at=moment,
        spot=spot,
        grid=axis,
        basis={of.about.name: of.mark / spot - 1 for of in found if of.about.name in names},
        left_out=left_out,
        notes=(note, *(f"{name} is not in the sum: {why}" for name, why in left_out.items())),
    )


def _part_map(of: MapInputs, axis: Grid | None, spot: float) -> LiquidationMap | str:
    """The instrument's map on the market's axis, or the reason why it cannot be built."""
    try:
        return map_from_inputs(of, axis, scale=spot / of.mark, compare=False)
    except NotFoundError as error:
        return error.found


def _common_grid(found: list[MapInputs], spot: float) -> Grid:
    return Grid.around(spot, min(source.about.tick_size for source in found))


def _member_instruments(store: Store, market: str) -> tuple[list[Instrument], dict[str, str]]:
    """The instruments to add, and the reason for each that is left out."""
    instruments = store.instruments()
    members = [about for about in instruments if about.base == market]
    if not members:
        known = ", ".join(sorted({about.base for about in instruments})) or "none yet"
        raise NotFoundError(
            "map", market, "no instrument on this market", f"one of the history's: {known}", "no map made"
        )
    real = any(not about.simulated and about.kind != "aggregate" for about in members)
    left_out: dict[str, str] = {}
    for about in members:
        if about.kind == "aggregate":
            left_out[about.name] = "a vendor's sum over venues, not a contract"
        elif about.simulated and real:
            left_out[about.name] = "simulated"
        elif about.quote not in USD_QUOTES:
            left_out[about.name] = f"quoted in {about.quote}"
    return [about for about in members if about.name not in left_out], left_out


def _market_time(store: Store, members: list[Instrument]) -> Instant | None:
    """Latest time up to which all instruments have data, without instruments that ended over a day before the last."""
    with store.reading() as connection:
        ends = last_ends(connection, [about.name for about in members]).values()
    return min((end for end in ends if end > max(ends) - _DAY), default=None)


def _spot(store: Store, found: list[MapInputs], at: Instant) -> tuple[float, str]:
    """The spot price, else the index price, else the mark of the instrument with the most open interest; and a note."""
    names = [source.about.name for source in found]
    with store.reading() as connection:
        result = spot_price(connection, names, at, max_age=_MAX_SPOT_AGE_US)
    if result is not None:
        name, kind, price = result
        return price, f"levels lie on a spot-equivalent axis by the {kind} price of {name}"
    largest = max(found, key=lambda source: (_open_interest_usd(source) * source.mark, source.about.name))
    return largest.mark, f"no spot price is available: levels lie on the axis of {largest.about.name}"


def _open_interest_usd(of: MapInputs) -> float:
    """Latest open interest, coin; 0 if it is missing."""
    if of.bars is None:
        return of.open_interest or 0.0
    known = of.bars.oi_base[np.isfinite(of.bars.oi_base)]
    return float(known[-1]) if len(known) else 0.0
