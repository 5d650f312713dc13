"""What the history knew of one instrument at a time: all that a map is made from."""

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
    source: (f"the {name} price stands in for the mark price",)
    for source, name in (("last", "last traded"), ("index", "index"), ("spot", "spot"))
}
"""What is said of bars that are not of the mark price, by their source."""


@dataclass(frozen=True, eq=False)
class MapInputs:
    """Everything read, nothing modelled yet.

    Attributes:
        about: The instrument.
        at: As-of time, UTC microseconds.
        mark: The last price known then.
        bars, tiers: What the model grows from; ``None`` and empty where there are no bars.
        recipe, parameters, said: How unseen positions are modelled, and what is to be said about it.
        seen: Observed positions, if there are any.
        open_interest: On record, for an instrument without bars; coin.
        inputs: Hashes of what was read.
        notes: One sentence each.
    """

    about: Instrument
    at: Instant
    mark: float
    bars: MarketBars | None
    tiers: list[Tier]
    recipe: AnyRecipe
    parameters: dict[str, JSON]
    said: tuple[str, ...]
    seen: ObservedPositions | None
    open_interest: float | None
    inputs: dict[str, JSON]
    notes: tuple[str, ...]


def read_map_inputs(store: Store, instrument: str, at: Instant | None, recipe: AnyRecipe | None) -> MapInputs:
    """Read what was known by ``at``; at the end of the last bar if left out.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    about = store.instrument(instrument)
    try:
        bars = store.market_bars(instrument, until=_ANY_TIME if at is None else at)
    except NotFoundError:
        if last_snapshot_time(store, instrument, _ANY_TIME if at is None else at) is None:
            raise
        return _observed_only(store, about, at)
    moment = _map_time(bars, instrument, at)
    used, parameters, said = select_recipe(store, bars, moment, recipe)
    span = (int(bars.ts[-1]) - int(bars.ts[0])) / 86_400e6
    return MapInputs(
        about=about,
        at=moment,
        mark=float(bars.close[-1]),
        bars=bars,
        tiers=store.tiers(instrument, at=moment),
        recipe=used,
        parameters=parameters,
        said=said,
        seen=read_observed(store, instrument, moment),
        open_interest=None,
        inputs=store.input_hashes(instrument, until=moment),
        notes=(
            f"the model has seen {span:.1f} days; positions older than that are on no map",
            *_PRICE_SOURCE_NOTES.get(bars.price_source, ()),
        ),
    )


def _observed_only(store: Store, about: Instrument, at: Instant | None) -> MapInputs:
    """An instrument without bars: its mark came with the positions, and nothing is modelled."""
    instrument = about.name
    last = last_snapshot_time(store, instrument, _ANY_TIME if at is None else at)
    moment = at if at is not None or last is None else last
    seen = read_observed(store, instrument, moment) if moment is not None else None
    if moment is None or seen is None or seen.mark_price is None:
        found = "neither bars nor a mark price with its positions" if last is not None else "neither bars nor positions"
        raise NotFoundError("map", instrument, found, "bars, or positions not older than a day", "no map made")
    stored = store.open_interest(instrument, until=moment)
    note = f"there are no bars: the mark price is the one that came with the positions, {iso(seen.as_of)}"
    return MapInputs(
        about=about,
        at=moment,
        mark=seen.mark_price,
        bars=None,
        tiers=[],
        recipe=DEFAULT_RECIPE,
        parameters={},
        said=(),
        seen=seen,
        open_interest=None if stored is None else stored.coin(seen.mark_price),
        inputs=store.input_hashes(instrument, until=moment),
        notes=(note,),
    )


def _map_time(bars: MarketBars, instrument: str, at: Instant | None) -> Instant:
    """The instant of the map: asked for, or the end of the last bar; the history has to reach it."""
    if not len(bars):
        when = "at any time" if at is None else f"at {iso(at)}"
        raise NotFoundError("map", instrument, f"no bar {when}", "bars that end by then", "no map made")
    last_end = int(bars.end[-1])
    if at is None:
        return last_end
    if at >= last_end + bars.interval_s * 1_000_000:
        found = f"{iso(at)}, after the last bar ends at {iso(last_end)}"
        raise NotFoundError("map", instrument, found, "a time the history has", "no map made", field="at")
    return at
