"""The population of modelled positions of one instrument, as of one instant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from liqmap import _core
from liqmap._base.errors import NotFoundError
from liqmap._base.ledger import Ledger, SideLedger
from liqmap._base.timestamps import iso
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe
from liqmap.positions.engine.checkpoints import CHECKPOINT_BARS, CheckpointCache, checkpoint_cache
from liqmap.positions.engine.recipe import Recipe
from liqmap.positions.liquidation_distance import margin_rule_of

if TYPE_CHECKING:
    import arro3.core
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.positions.engine.inputs import EngineBars
    from liqmap.venues.catalogue import Tier

__all__ = [
    "AnyRecipe",
    "EngineObserver",
    "EngineRun",
    "Population",
    "cached_engine_bars",
    "level_table",
    "prepare_run",
    "run_engine",
]

AnyRecipe: TypeAlias = Recipe | CalibratedRecipe
"""Assumed leverages, or distances that were calibrated on realised liquidations."""


@dataclass(frozen=True, eq=False)
class Population:
    """Modelled positions after the last bar.

    Attributes:
        leverages: Leverage of each bracket that the venue offers.
        price: Liquidation price of each level; longs below the last close, shorts above.
        coin: What is closed there.
        side: 1 long, −1 short.
        bracket: Index into ``leverages``.
        ledger: Where every contract went, in coin.
        bars: What the engine was fed.
        assumptions: One sentence each.
    """

    leverages: tuple[float, ...]
    price: npt.NDArray[np.float64]
    coin: npt.NDArray[np.float64]
    side: npt.NDArray[np.int8]
    bracket: npt.NDArray[np.uint8]
    ledger: Ledger
    bars: EngineBars
    assumptions: tuple[str, ...]

    def levels(self, share: tuple[float, float] = (1.0, 1.0)) -> arro3.core.Table:
        """The levels as an Arrow table for :func:`liqmap.histogram`: ``price, notional, side, bracket``.

        ``share`` of every long and of every short is taken.
        """
        return level_table(
            self.price, self.coin * self.price * np.where(self.side > 0, *share), self.side, self.bracket
        )


def level_table(
    price: npt.NDArray[np.float64],
    notional: npt.NDArray[np.float64],
    side: npt.NDArray[np.int8],
    bracket: npt.NDArray[np.uint8],
) -> arro3.core.Table:
    """Levels as an Arrow table for :func:`liqmap.histogram`: ``price, notional, side, bracket``."""
    from arro3.core import Array, Table  # noqa: PLC0415 - Arrow loads only when levels are binned

    return Table.from_pydict(
        {
            "price": Array.from_numpy(price),
            "notional": Array.from_numpy(notional),
            "side": Array.from_numpy(side),
            "bracket": Array.from_numpy(bracket),
        }
    )


@dataclass(eq=False)
class EngineRun:
    """An engine, and all that it is to be fed.

    Attributes:
        engine: The cohort engine, in Rust.
        bars: What it is fed.
        leverages: Leverage of each of the engine's rows, ascending; a leverage has a row per class of size.
        rows: What the engine was made of; see :class:`liqmap._core.Cohorts`.
        step: Width of the engine's bins in log price.
        assumptions: One sentence each.
        fed: Bars that it has been fed.
        rescaled: Bars in which mapped positions were cut down to open interest.
    """

    engine: _core.Cohorts
    bars: EngineBars
    leverages: tuple[float, ...]
    rows: npt.NDArray[np.float64]
    step: float
    assumptions: tuple[str, ...]
    fed: int = 0
    rescaled: int = 0

    @property
    def half_lives(self) -> npt.NDArray[np.float64]:
        """Hours after which half of each row has been closed by choice."""
        return self.rows[:, 4]

    @cached_property
    def line(self) -> CheckpointCache:
        """Where others have been that were fed the same."""
        return checkpoint_cache(self.rows, self.step, self.bars)

    def reach(self, stop: int) -> None:
        """Bring the engine to after ``stop`` bars, no fewer than it has been fed, from the nearest state known."""
        near = self.line.nearest(stop)
        if near is not None and near.fed > self.fed:
            self.engine, self.fed, self.rescaled = _core.Cohorts.from_bytes(near.engine), near.fed, near.rescaled
        milestone = stop // CHECKPOINT_BARS * CHECKPOINT_BARS
        if milestone > self.fed:
            self.advance(self.fed, milestone)
            self.line.keep(self.fed, self.rescaled, self.engine)
        if stop > self.fed:
            self.advance(self.fed, stop)

    def advance(self, start: int, stop: int) -> tuple[npt.NDArray[np.float64], int]:
        """Feed it bars ``start`` to ``stop``; returns predicted USD ``(bars, 2, brackets)`` and rescaled bars."""
        usd, rescaled = self.feed(self.engine, start, stop)
        self.fed, self.rescaled = stop, self.rescaled + rescaled
        return usd, rescaled

    def feed(
        self, engine: _core.Cohorts, start: int, stop: int, *, open_interest: npt.NDArray[np.float64] | None = None
    ) -> tuple[npt.NDArray[np.float64], int]:
        """Feed these bars to an engine, with another open interest if one is given."""
        fed = self.bars
        cut = slice(start, stop)
        return engine.advance(
            fed.hours[cut],
            fed.low[cut],
            fed.high[cut],
            fed.close[cut],
            fed.open_interest[cut] if open_interest is None else open_interest,
            fed.long_flow[cut],
            fed.short_flow[cut],
        )

    def ledger(self) -> Ledger:
        """Where every contract went so far, in coin."""
        long, short = (SideLedger(*account) for account in self.engine.accounts())
        return Ledger(long=long, short=short)


@lru_cache(maxsize=4)
def cached_engine_bars(bars: MarketBars, recipe: AnyRecipe, instrument: str) -> EngineBars:
    """What an engine is fed, kept: a map, a heatmap, tracks and a scorecard of one time are made from the same.

    Raises:
        NotFoundError: There is no bar with open interest, or no volume that the recipe needs.
    """
    return recipe.feed(bars, instrument=instrument)


def prepare_run(bars: MarketBars, tiers: list[Tier], recipe: AnyRecipe, *, instrument: str, at: Instant) -> EngineRun:
    """An engine for these bars, not yet fed.

    Args:
        bars: Everything known at ``at``, in order of time.
        tiers: The venue's margin tiers at ``at``, or the earliest known ones.
        recipe: What is assumed about unseen positions.
        instrument: For messages.
        at: UTC microseconds.

    Raises:
        NotFoundError: No open interest, no tier, or no bracket that the venue offers.
    """
    fed = cached_engine_bars(bars, recipe, instrument)
    brackets = recipe.brackets(tiers, instrument, float(fed.close[-1]))
    if not brackets.leverages:
        raise NotFoundError("map", instrument, "no leverage bracket", "a bracket the venue offers", "no map made")
    return EngineRun(
        engine=_core.Cohorts(brackets.rows, recipe.step),
        bars=fed,
        leverages=brackets.leverages,
        rows=brackets.rows,
        step=recipe.step,
        assumptions=(*fed.assumptions, *_tier_notes(tiers, at), *_rule_notes(instrument)),
    )


class EngineObserver(Protocol):
    """Who looks at the engine on the way."""

    def observe(self, nursery: EngineRun) -> None:
        """Bring the engine to wherever there is something to see; what it is fed is to be left as it is."""
        ...


def run_engine(nursery: EngineRun, witness: EngineObserver | None = None) -> Population:
    """Run the cohort engine over all bars.

    Raises:
        InputError: A bar that makes no sense.
    """
    if witness is not None:
        witness.observe(nursery)
    nursery.reach(len(nursery.bars.end))
    leverages, of_row = np.unique(nursery.leverages, return_inverse=True)
    price, coin, side, bracket = nursery.engine.levels()
    return Population(
        leverages=tuple(leverages.tolist()),
        price=price,
        coin=coin,
        side=side,
        bracket=of_row.astype(np.uint8)[bracket],
        ledger=nursery.ledger(),
        bars=nursery.bars,
        assumptions=(*nursery.assumptions, *_rescaled_notes(nursery.rescaled)),
    )


def _tier_notes(tiers: list[Tier], at: Instant) -> tuple[str, ...]:
    since = min(tier.valid_from for tier in tiers)
    if since <= at:
        return ()
    return (f"margin tiers are those of {iso(since)[:10]}, the earliest known",)


def _rule_notes(instrument: str) -> tuple[str, ...]:
    if margin_rule_of(instrument) == instrument:
        return ()
    return ("the venue's margin rule is not known: the plain formula of a linear contract stands in for it",)


def _rescaled_notes(rescaled: int) -> tuple[str, ...]:
    if not rescaled:
        return ()
    return (f"in {rescaled} bars mapped positions were cut down to the open interest",)
