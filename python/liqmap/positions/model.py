"""The population of modelled positions of one instrument, as of one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core
from liqmap.clock import iso
from liqmap.errors import NotFoundError
from liqmap.ledger import Ledger, SideLedger
from liqmap.positions.distance import distances
from liqmap.positions.flow import engine_bars

if TYPE_CHECKING:
    import arro3.core
    import numpy.typing as npt

    from liqmap.clock import Instant
    from liqmap.history.read import MarketBars
    from liqmap.positions.flow import EngineBars
    from liqmap.positions.recipe import Recipe
    from liqmap.venues.catalogue import Tier

__all__ = ["Population", "grow"]


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
        predicted: USD that the model liquidated in each bar, shape ``(bars, 2, brackets)``, longs first.
        bars: What the engine was fed.
        assumptions: One sentence each.
    """

    leverages: tuple[float, ...]
    price: npt.NDArray[np.float64]
    coin: npt.NDArray[np.float64]
    side: npt.NDArray[np.int8]
    bracket: npt.NDArray[np.uint8]
    ledger: Ledger
    predicted: npt.NDArray[np.float64]
    bars: EngineBars
    assumptions: tuple[str, ...]

    def levels(self) -> arro3.core.Table:
        """The levels as an Arrow table for :func:`liqmap.histogram`: ``price, notional, side, bracket``."""
        from arro3.core import Array, Table  # noqa: PLC0415 - Arrow loads only when levels are binned

        return Table.from_pydict(
            {
                "price": Array.from_numpy(self.price),
                "notional": Array.from_numpy(self.coin * self.price),
                "side": Array.from_numpy(self.side),
                "bracket": Array.from_numpy(self.bracket),
            }
        )


def grow(bars: MarketBars, tiers: list[Tier], recipe: Recipe, *, instrument: str, at: Instant) -> Population:
    """Run the cohort engine over the bars.

    Args:
        bars: Everything known at ``at``, in order of time.
        tiers: The venue's margin tiers at ``at``, or the earliest known ones.
        recipe: What is assumed about unseen positions.
        instrument: For messages.
        at: UTC microseconds.

    Raises:
        NotFoundError: No open interest, no tier, or no bracket that the venue offers.
        InputError: A bar that makes no sense.
    """
    fed = engine_bars(bars, recipe, instrument=instrument)
    distance = distances(recipe.leverages, tiers)
    offered = np.isfinite(distance[:, 0])
    if not offered.any():
        raise NotFoundError("map", instrument, "no leverage bracket", "a bracket the venue offers", "no map made")
    flow = recipe.flow[offered] / recipe.flow[offered].sum()
    half_lives = np.asarray(recipe.half_life_hours, dtype=np.float64)[offered]
    brackets = np.column_stack([distance[offered], flow, flow, half_lives])
    engine = _core.Cohorts(np.ascontiguousarray(brackets), recipe.step)
    predicted, rescaled = engine.advance(
        fed.hours, fed.low, fed.high, fed.close, fed.open_interest, fed.long_flow, fed.short_flow
    )
    price, coin, side, bracket = engine.levels()
    long, short = (SideLedger(*account) for account in engine.accounts())
    return Population(
        leverages=tuple(float(x) for x, ok in zip(recipe.leverages, offered, strict=True) if ok),
        price=price,
        coin=coin,
        side=side,
        bracket=bracket,
        ledger=Ledger(long=long, short=short),
        predicted=predicted,
        bars=fed,
        assumptions=(*fed.assumptions, *_tier_notes(tiers, at), *_rescaled_notes(rescaled)),
    )


def _tier_notes(tiers: list[Tier], at: Instant) -> tuple[str, ...]:
    since = min(tier.valid_from for tier in tiers)
    if since <= at:
        return ()
    return (f"margin tiers are those of {iso(since)[:10]}, the earliest known",)


def _rescaled_notes(rescaled: int) -> tuple[str, ...]:
    if not rescaled:
        return ()
    return (f"in {rescaled} bars mapped positions were cut down to the open interest",)
