"""Run the simulated market and keep its public data and its true positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.demo.open_positions import OpenPositions
from liqmap.demo.settings import Settings
from liqmap.demo.simulated_market import SimulatedMarket
from liqmap.demo.volatility import MINUTES_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from liqmap.demo.recorder import Recorder

__all__ = ["MAX_DAYS", "Simulation", "simulate"]

MAX_DAYS = 500
_MINUTE = 60_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Simulation:
    """A finished simulation.

    Attributes:
        seed, days, settings: Inputs; equal inputs give equal bytes.
        recorder: Public data.
        truth: All open positions at the requested times and at the end.
    """

    seed: int
    days: int
    settings: Settings
    recorder: Recorder
    truth: tuple[OpenPositions, ...]

    @property
    def start(self) -> int:
        """Start of the record, UTC microseconds."""
        return self.settings.start

    @property
    def end(self) -> int:
        """End of the record, UTC microseconds."""
        return self.settings.start + self.days * MINUTES_PER_DAY * _MINUTE


def simulate(
    seed: int,
    days: int,
    settings: Settings | None = None,
    *,
    truth_every_days: int | None = None,
    on_day: Callable[[], object] = lambda: None,
) -> Simulation:
    """Simulate a market.

    Args:
        seed: Seed of the random generator, 0 or above.
        days: Recorded days, after a burn-in that is discarded.
        settings: Parameters of the market; the default settings if omitted.
        truth_every_days: Interval, in days, at which all open positions are kept; they are always kept at the end.
        on_day: Called after every simulated day, including the burn-in.

    Raises:
        InputError: The seed is below 0, or the days are outside 1 to 500.
    """
    if seed < 0:
        raise InputError("demo", "seed", repr(seed), "a whole number from 0", "stopped")
    if not 1 <= days <= MAX_DAYS:
        raise InputError("demo", "days", repr(days), f"1 to {MAX_DAYS}", "stopped")
    settings = settings or Settings()
    market = SimulatedMarket.new(seed, days, settings)
    truth: list[OpenPositions] = []
    for day in range(1 - settings.burn_in_days, days + 1):
        for _ in range(MINUTES_PER_DAY):
            market.step()
        requested = truth_every_days is not None and day > 0 and day % truth_every_days == 0
        if requested or day == days:
            truth.append(OpenPositions.of(market, settings.start + day * MINUTES_PER_DAY * _MINUTE))
        on_day()
    return Simulation(seed=seed, days=days, settings=settings, recorder=market.recorder, truth=tuple(truth))
