"""The levels to use, from a history: its map, its book, its bars, and the maps of the week before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap.maps.build import build_map
from liqmap.maps.earlier import earlier_maps
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.levels import LevelsToUse, levels_to_use
from liqmap.stress.stored import stored_depth

if TYPE_CHECKING:
    from liqmap.clock import Instant
    from liqmap.history.store import Store
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.model import AnyRecipe
    from liqmap.strategies.stops import Own

__all__ = ["levels_on", "stored_levels"]

PAST_DAYS = 7
_DAY = 86_400_000_000


def stored_levels(
    store: Store,
    instrument: str,
    at: Instant | None,
    *,
    recipe: AnyRecipe | None = None,
    own: Own | None = None,
    past_days: int = PAST_DAYS,
) -> LevelsToUse:
    """Every rule on the instrument's map; see :func:`liqmap.strategies.levels.levels_to_use`.

    Raises:
        NotFoundError: The history does not have the instrument, or no bars of it at that time.
        InputError: Fewer than two hours of bars.
    """
    return levels_on(
        store, build_map(store, instrument, at=at, recipe=recipe), recipe=recipe, own=own, past_days=past_days
    )


def levels_on(
    store: Store,
    of: LiquidationMap,
    *,
    recipe: AnyRecipe | None = None,
    own: Own | None = None,
    past_days: int = PAST_DAYS,
) -> LevelsToUse:
    """The same on a map that is made already.

    Raises:
        NotFoundError: No bars of its instrument at that time.
        InputError: Fewer than two hours of bars.
    """
    instrument = of.instrument
    conditions = Conditions.of_bars(store.market_bars(instrument, until=of.at))
    days = [of.at - back * _DAY for back in range(1, past_days + 1)]
    past = earlier_maps(store, instrument, of.at, days, recipe=recipe)
    return levels_to_use(of, stored_depth(store, instrument, of.at), conditions=conditions, past=past, own=own)
