"""Trading levels from a history: from its map, order book and bars, and the maps of the week before."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from liqmap._base.errors import NotFoundError
from liqmap.maps.build import build_map
from liqmap.maps.build_market import build_market, is_market
from liqmap.maps.market import MarketMap
from liqmap.maps.snapshots import snapshot_run
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.price_series import spot_series
from liqmap.strategies.trading_levels import TradingLevels, trading_levels
from liqmap.stress.depth_from_history import merged_depth_from_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.snapshots import MapSnapshot
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.strategies.stops import OwnPosition

__all__ = ["levels_from_history", "levels_of_map"]

PAST_DAYS = 7
_DAY = 86_400_000_000


def levels_from_history(
    store: Store,
    name: str,
    at: Instant | None,
    *,
    recipe: AnyRecipe | None = None,
    own: OwnPosition | None = None,
    past_days: int = PAST_DAYS,
) -> TradingLevels:
    """Apply all rules to the map of an instrument or market; see `liqmap.strategies.trading_levels.trading_levels`.

    Raises:
        NotFoundError: The history lacks the instrument or market, or bars of it at that time.
        InputError: Fewer than two hours of bars.
    """
    build = build_market if is_market(name) else build_map
    of = build(store, name, at=at, recipe=recipe)
    return levels_of_map(store, of, recipe=recipe, own=own, past_days=past_days)


def levels_of_map(
    store: Store,
    of: LiquidationMap,
    *,
    recipe: AnyRecipe | None = None,
    own: OwnPosition | None = None,
    past_days: int = PAST_DAYS,
) -> TradingLevels:
    """Apply all rules to an existing map.

    The conditions of a market are those of its spot series, and its order book is the sum of its instruments' books.

    Raises:
        NotFoundError: No bars of its instrument at that time.
        InputError: Fewer than two hours of bars.
    """
    days = [of.at - back * _DAY for back in range(past_days, 0, -1)]
    past: Sequence[LiquidationMap | MapSnapshot]
    if isinstance(of, MarketMap):
        members = [part.instrument for part in of.parts]
        bars, _ = spot_series(store, of, members)
        past = _past_market_maps(store, of.instrument, days, recipe)
    else:
        members = [of.instrument]
        bars = store.market_bars(of.instrument, until=of.at)
        past = snapshot_run(store, of.instrument).maps(store, days, bars, recipe)
    depth = merged_depth_from_history(store, members, of.at)
    return trading_levels(of, depth, conditions=Conditions.of_bars(bars), past=past, own=own)


def _past_market_maps(
    store: Store, market: str, days: Sequence[Instant], recipe: AnyRecipe | None
) -> tuple[LiquidationMap, ...]:
    """The market's maps at earlier times; times before the start of the history are skipped."""
    found: list[LiquidationMap] = []
    for day in days:
        with suppress(NotFoundError):
            found.append(build_market(store, market, at=day, recipe=recipe))
    return tuple(found)
