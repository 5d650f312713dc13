"""Runs of the cohort engine, and the population of modelled positions they end with."""

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
    from liqmap.positions.engine.opening_flow import EngineBars
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
"""Assumed leverages, or distances calibrated on realised liquidations."""


@dataclass(frozen=True, eq=False)
class Population:
    """Modelled positions after the last bar.

    Attributes:
        leverages: Leverage of each bracket that the venue offers.
        price: Liquidation price of each level; longs below the last close, shorts above.
        coin: Coin closed at each level.
        side: 1 long, −1 short.
        bracket: Index into ``leverages``.
        ledger: Opened, closed, liquidated and open contracts of each side, in coin.
        bars: Input of the engine.
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
        """Return the levels as an Arrow table for :func:`liqmap.histogram`: ``price, notional, side, bracket``.

        Args:
            share: Factors on the notional of longs and of shorts.
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
    """Return levels as an Arrow table for :func:`liqmap.histogram`: ``price, notional, side, bracket``."""
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
    """A cohort engine with its input.

    Attributes:
        engine: The cohort engine, in Rust.
        bars: Input of the engine.
        leverages: Leverage of each of the engine's rows, ascending; a leverage has one row per size class.
        rows: Brackets of the engine; see :class:`liqmap._core.Cohorts`.
        step: Width of the engine's bins in log price.
        assumptions: One sentence each.
        processed: Number of bars processed so far.
        rescaled: Number of those bars in which mapped positions were rescaled to fit open interest.
    """

    engine: _core.Cohorts
    bars: EngineBars
    leverages: tuple[float, ...]
    rows: npt.NDArray[np.float64]
    step: float
    assumptions: tuple[str, ...]
    processed: int = 0
    rescaled: int = 0

    @property
    def half_lives(self) -> npt.NDArray[np.float64]:
        """Hours after which half of each row's positions have been closed voluntarily."""
        return self.rows[:, 4]

    @cached_property
    def checkpoints(self) -> CheckpointCache:
        """Checkpoints shared with other runs on the same inputs."""
        return checkpoint_cache(self.rows, self.step, self.bars)

    def advance_to(self, stop: int) -> None:
        """Process bars until ``stop`` bars are done, starting from the latest usable checkpoint.

        ``stop`` must not be less than the number of bars processed so far.
        """
        resumed = self.checkpoints.latest(stop)
        if resumed is not None and resumed.processed > self.processed:
            self.engine = _core.Cohorts.from_bytes(resumed.engine)
            self.processed, self.rescaled = resumed.processed, resumed.rescaled
        checkpoint = stop // CHECKPOINT_BARS * CHECKPOINT_BARS
        if checkpoint > self.processed:
            self.advance(self.processed, checkpoint)
            self.checkpoints.save(self.processed, self.rescaled, self.engine)
        if stop > self.processed:
            self.advance(self.processed, stop)

    def advance(self, start: int, stop: int) -> tuple[npt.NDArray[np.float64], int]:
        """Process bars ``start`` to ``stop``.

        Returns:
            Predicted liquidations in USD, shape ``(bars, 2, brackets)``, and the number of rescaled bars.
        """
        usd, rescaled = self.feed(self.engine, start, stop)
        self.processed, self.rescaled = stop, self.rescaled + rescaled
        return usd, rescaled

    def feed(
        self, engine: _core.Cohorts, start: int, stop: int, *, open_interest: npt.NDArray[np.float64] | None = None
    ) -> tuple[npt.NDArray[np.float64], int]:
        """Feed bars ``start`` to ``stop`` to an engine; ``open_interest`` replaces that of the bars."""
        bars = self.bars
        span = slice(start, stop)
        return engine.advance(
            bars.hours[span],
            bars.low[span],
            bars.high[span],
            bars.close[span],
            bars.open_interest[span] if open_interest is None else open_interest,
            bars.long_flow[span],
            bars.short_flow[span],
        )

    def ledger(self) -> Ledger:
        """Return the ledger of both sides so far, in coin."""
        long, short = (SideLedger(*account) for account in self.engine.accounts())
        return Ledger(long=long, short=short)


@lru_cache(maxsize=4)
def cached_engine_bars(bars: MarketBars, recipe: AnyRecipe, instrument: str) -> EngineBars:
    """Return the engine's input, cached: map, heatmap, tracks and scorecard of one time share it.

    Raises:
        NotFoundError: No bar has open interest, or the recipe needs volume and no bar has it.
    """
    return recipe.engine_bars(bars, instrument=instrument)


def prepare_run(bars: MarketBars, tiers: list[Tier], recipe: AnyRecipe, *, instrument: str, at: Instant) -> EngineRun:
    """Prepare an engine run over these bars; no bar is processed yet.

    Args:
        bars: All bars known at ``at``, in order of time.
        tiers: The venue's margin tiers at ``at``, or the earliest known ones.
        recipe: Parameters of the modelled positions.
        instrument: ``venue:SYMBOL``, for the margin rule and for messages.
        at: UTC microseconds.

    Raises:
        NotFoundError: No open interest, no tier, or no bracket that the venue offers.
    """
    inputs = cached_engine_bars(bars, recipe, instrument)
    brackets = recipe.brackets(tiers, instrument, float(inputs.close[-1]))
    if not brackets.leverages:
        raise NotFoundError("map", instrument, "no leverage bracket", "a bracket the venue offers", "no map made")
    return EngineRun(
        engine=_core.Cohorts(brackets.rows, recipe.step),
        bars=inputs,
        leverages=brackets.leverages,
        rows=brackets.rows,
        step=recipe.step,
        assumptions=(*inputs.assumptions, *_tier_notes(tiers, at), *_rule_notes(instrument)),
    )


class EngineObserver(Protocol):
    """Measures intermediate states of an engine run."""

    def observe(self, run: EngineRun, /) -> None:
        """Advance the run to the bars of interest and measure it; the run's input must not be changed."""
        ...


def run_engine(run: EngineRun, observer: EngineObserver | None = None) -> Population:
    """Run the cohort engine over all bars.

    Raises:
        InputError: A bar has invalid prices, open interest or flow.
    """
    if observer is not None:
        observer.observe(run)
    run.advance_to(len(run.bars.end))
    leverages, of_row = np.unique(run.leverages, return_inverse=True)
    price, coin, side, bracket = run.engine.levels()
    return Population(
        leverages=tuple(leverages.tolist()),
        price=price,
        coin=coin,
        side=side,
        bracket=of_row.astype(np.uint8)[bracket],
        ledger=run.ledger(),
        bars=run.bars,
        assumptions=(*run.assumptions, *_rescaled_notes(run.rescaled)),
    )


def _tier_notes(tiers: list[Tier], at: Instant) -> tuple[str, ...]:
    since = min(tier.valid_from for tier in tiers)
    if since <= at:
        return ()
    return (f"margin tiers are those of {iso(since)[:10]}, the earliest known",)


def _rule_notes(instrument: str) -> tuple[str, ...]:
    if margin_rule_of(instrument) == instrument:
        return ()
    return ("the venue's margin rule is unknown: the plain formula of a linear contract is used instead",)


def _rescaled_notes(rescaled: int) -> tuple[str, ...]:
    if not rescaled:
        return ()
    return (f"in {rescaled} bars mapped positions were rescaled to fit open interest",)
