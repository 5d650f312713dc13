"""From the history to a map: read what was known, grow the positions, add those that were seen, bin their levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._core import __version__
from liqmap.clock import Instant, iso
from liqmap.errors import NotFoundError
from liqmap.grid import Grid
from liqmap.maps.histogram import histogram
from liqmap.maps.map import LiquidationMap
from liqmap.maps.observed import NOBODY, ObservedPart, mix, standing
from liqmap.positions.choose import choose
from liqmap.positions.model import grow
from liqmap.positions.observed import last_seen, observed
from liqmap.positions.recipe import DEFAULT
from liqmap.provenance import Provenance

if TYPE_CHECKING:
    from liqmap.history.read import MarketBars
    from liqmap.history.store import Store
    from liqmap.maps.histogram import Histogram
    from liqmap.maps.observed import Mix, Standing
    from liqmap.positions.model import AnyRecipe, Population
    from liqmap.positions.observed import Observed
    from liqmap.provenance import JSON

__all__ = ["build_map"]

_END_OF_TIME: Instant = 2**62


@dataclass(frozen=True, eq=False)
class _Known:
    """What the history knows of an instrument at a time: modelled people, observed positions, or both."""

    at: Instant
    mark: float
    open_interest: float | None
    brackets: tuple[float, ...]
    parameters: dict[str, JSON]
    notes: tuple[str, ...]
    bars: MarketBars | None
    people: Population | None
    seen: Observed | None


def build_map(
    store: Store,
    instrument: str,
    *,
    at: Instant | None = None,
    grid: Grid | None = None,
    recipe: AnyRecipe | None = None,
) -> LiquidationMap:
    """The map of one instrument as of ``at``, from nothing that was known later.

    Observed positions enter exactly; modelled cohorts fill the rest of open interest. Where there are no bars to model
    from, the observed stand alone. Without a recipe the map takes the calibration in force, else the default; see
    :func:`liqmap.positions.choose.choose`.

    Raises:
        NotFoundError: The history does not have the instrument, or nothing of it at that time.
    """
    about = store.instrument(instrument)
    known = _known(store, instrument, at, recipe)
    stood = NOBODY if known.seen is None else standing(known.seen, known.brackets, known.bars, known.mark)
    mixed = mix(known.open_interest, None if known.people is None else known.people.ledger, stood)
    axis = Grid.around(known.mark, about.tick_size) if grid is None else grid
    of_seen = binned = histogram(stood.levels(), axis, brackets=len(known.brackets))
    if known.people is not None:
        binned = of_seen + histogram(known.people.levels(mixed.share), axis, brackets=len(known.brackets))
    off_grid = binned.outside.sum(axis=1) / binned.units_per_notional
    return LiquidationMap(
        instrument=instrument,
        at=known.at,
        mark_price=known.mark,
        open_interest=mixed.open_interest,
        grid=axis,
        brackets=known.brackets,
        long=binned.long,
        short=binned.short,
        outside={"long": float(off_grid[0]), "short": float(off_grid[1])},
        ledger=mixed.ledger,
        provenance=Provenance(
            version=__version__,
            inputs=store.input_hashes(instrument, until=known.at),
            parameters=known.parameters,
            assumptions=(*mixed.notes, *known.notes),
            simulated=about.simulated,
            observed_share=_share(of_seen, binned),
        ),
        observed=None if known.seen is None else _part(of_seen, stood, mixed, known.seen.as_of),
    )


def _known(store: Store, instrument: str, at: Instant | None, recipe: AnyRecipe | None) -> _Known:
    try:
        bars = store.market_bars(instrument, until=_END_OF_TIME if at is None else at)
    except NotFoundError:
        if last_seen(store, instrument, _END_OF_TIME if at is None else at) is None:
            raise
        return _seen_alone(store, instrument, at)
    moment = _moment(bars, instrument, at)
    used, parameters, said = choose(store, bars, moment, recipe)
    people = grow(bars, store.tiers(instrument, at=moment), used, instrument=instrument, at=moment)
    span = (int(bars.ts[-1]) - int(bars.ts[0])) / 86_400e6
    return _Known(
        at=moment,
        mark=float(bars.close[-1]),
        open_interest=float(people.bars.open_interest[-1]),
        brackets=people.leverages,
        parameters=parameters,
        notes=(
            f"the model has seen {span:.1f} days; positions older than that are on no map",
            "the last traded price stands in for the mark price",
            *people.assumptions,
            *said,
        ),
        bars=bars,
        people=people,
        seen=observed(store, instrument, moment),
    )


def _seen_alone(store: Store, instrument: str, at: Instant | None) -> _Known:
    """An instrument without bars: its mark came with the positions, and nothing is modelled."""
    last = last_seen(store, instrument, _END_OF_TIME if at is None else at)
    moment = at if at is not None or last is None else last
    seen = observed(store, instrument, moment) if moment is not None else None
    if moment is None or seen is None or seen.mark_price is None:
        found = "neither bars nor a mark price with its positions" if last is not None else "neither bars nor positions"
        raise NotFoundError("map", instrument, found, "bars, or positions not older than a day", "no map made")
    stored = store.open_interest(instrument, until=moment)
    note = f"there are no bars: the mark price is the one that came with the positions, {iso(seen.as_of)}"
    return _Known(
        at=moment,
        mark=seen.mark_price,
        open_interest=None if stored is None else stored.coin(seen.mark_price),
        brackets=tuple(float(x) for x in DEFAULT.leverages),
        parameters={},
        notes=(note,),
        bars=None,
        people=None,
        seen=seen,
    )


def _part(binned: Histogram, stood: Standing, mixed: Mix, as_of: Instant) -> ObservedPart:
    held = [stood.held(side, priced=True) + stood.held(side, priced=False) for side in (1, -1)]
    long, short = (coin / mixed.open_interest if mixed.open_interest > 0 else 0.0 for coin in held)
    return ObservedPart(
        long=binned.long,
        short=binned.short,
        coverage={"long": long, "short": short},
        positions=len(stood.coin),
        as_of=as_of,
    )


def _share(part: Histogram, whole: Histogram) -> float:
    """Share of mapped notional that was observed, what lies off the grid included."""
    seen, all_of_it = (float(np.sum(h.units) + np.sum(h.outside)) for h in (part, whole))
    return seen / all_of_it if all_of_it > 0 else 0.0


def _moment(bars: MarketBars, instrument: str, at: Instant | None) -> Instant:
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
