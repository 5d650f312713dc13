"""The inputs of a map: everything the history held of one instrument at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import Instant, iso
from liqmap.positions.engine.recipe import DEFAULT_RECIPE
from liqmap.positions.engine.recipe_selection import select_recipe
from liqmap.positions.observed import last_snapshot_time, read_observed

if TYPE_CHECKING:
    from liqmap._base.instruments import Instrument
    from liqmap._base.provenance import JSON
    from liqmap.history.queries import MarketBars, Tier
    from liqmap.history.store import Store
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.positions.observed import ObservedPositions

__all__ = ["MapInputs", "read_map_inputs"]

_ANY_TIME: Instant = 2**62

_PRICE_SOURCE_NOTES = {
    source: (f"the {name} price is used as a fallback for the mark price",)
    for source, name in (("last", "last traded"), ("index", "index"), ("spot", "spot"))
}
"""Notes on bars that are not of the mark price, by price source."""


@dataclass(frozen=True, eq=False)
class MapInputs:
    """Inputs of a map as read from the history, before the engine run.

    Attributes:
        about: The instrument.
        at: As-of time, UTC microseconds.
        mark: The latest price at that time.
        bars: Market bars for the cohort engine; ``None`` if there are none.
        tiers: Margin tiers; empty if there are no bars.
        recipe: The recipe for modelled positions.
        parameters: Parameters of the recipe, for the provenance.
        recipe_notes: Assumptions of the recipe, one sentence each.
        observed: Observed positions; ``None`` if there are none.
        open_interest: Stored open interest of an instrument without bars, coin.
        inputs: Hashes of the data that was read.
        notes: Assumptions about the inputs, one sentence each.
    """

    about: Instrument
    at: Instant
    mark: float
    bars: MarketBars | None
    tiers: list[Tier]
    recipe: AnyRecipe
    parameters: dict[str, JSON]
    recipe_notes: tuple[str, ...]
    observed: ObservedPositions | None
    open_interest: float | None
    inputs: dict[str, JSON]
    notes: tuple[str, ...]


def read_map_inputs(store: Store, instrument: str, at: Instant | None, recipe: AnyRecipe | None) -> MapInputs:
    """Read the inputs known by ``at``, by default the end of the last bar.

    Raises:
        NotFoundError: The history does not have the instrument, or has no data of it at that time.
    """
    about = store.instrument(instrument)
    try:
        bars = store.market_bars(instrument, until=_ANY_TIME if at is None else at)
    except NotFoundError:
        if last_snapshot_time(store, instrument, _ANY_TIME if at is None else at) is None:
            raise
        return _observed_only(store, about, at)
    moment = _map_time(bars, instrument, at)
    used, parameters, recipe_notes = select_recipe(store, bars, moment, recipe)
    span = (int(bars.ts[-1]) - int(bars.ts[0])) / 86_400e6
    return MapInputs(
        about=about,
        at=moment,
        mark=float(bars.close[-1]),
        bars=bars,
        tiers=store.tiers(instrument, at=moment),
        recipe=used,
        parameters=parameters,
        recipe_notes=recipe_notes,
        observed=read_observed(store, instrument, moment),
        open_interest=None,
        inputs=store.input_hashes(instrument, until=moment),
        notes=(
            f"the bars cover {span:.1f} days; positions opened before them are not on the map",
            *_PRICE_SOURCE_NOTES.get(bars.price_source, ()),
        ),
    )


def _observed_only(store: Store, about: Instrument, at: Instant | None) -> MapInputs:
    """Inputs of an instrument without bars: the mark comes with the positions, and no position is modelled."""
    instrument = about.name
    last = last_snapshot_time(store, instrument, _ANY_TIME if at is None else at)
    moment = at if at is not None or last is None else last
    observed = read_observed(store, instrument, moment) if moment is not None else None
    if moment is None or observed is None or observed.mark_price is None:
        found = "neither bars nor positions with a mark price" if last is not None else "neither bars nor positions"
        raise NotFoundError("map", instrument, found, "bars, or positions not older than a day", "no map made")
    stored = store.open_interest(instrument, until=moment)
    note = f"there are no bars: the mark price comes from the observed positions of {iso(observed.as_of)}"
    return MapInputs(
        about=about,
        at=moment,
        mark=observed.mark_price,
        bars=None,
        tiers=[],
        recipe=DEFAULT_RECIPE,
        parameters={},
        recipe_notes=(),
        observed=observed,
        open_interest=None if stored is None else stored.coin(observed.mark_price),
        inputs=store.input_hashes(instrument, until=moment),
        notes=(note,),
    )


def _map_time(bars: MarketBars, instrument: str, at: Instant | None) -> Instant:
    """The time of the map: the requested one, validated, or the end of the last bar."""
    if not len(bars):
        when = "at any time" if at is None else f"at {iso(at)}"
        raise NotFoundError("map", instrument, f"no bar {when}", "bars that end by then", "no map made")
    last_end = int(bars.end[-1])
    if at is None:
        return last_end
    if at >= last_end + bars.interval_s * 1_000_000:
        found = f"{iso(at)}, after the last bar ends at {iso(last_end)}"
        raise NotFoundError("map", instrument, found, "a time within the history", "no map made", field="at")
    return at
