"""The scorecard: every test of a plan, with its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe import DEFAULT_RECIPE
from liqmap.score.calibrate import calibrate
from liqmap.score.default_recipe_eval import assumed
from liqmap.score.evaluation import Trial, hourly
from liqmap.score.periods import match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap._base.provenance import JSON
    from liqmap.history.store import Store
    from liqmap.positions.engine.calibration import Calibration
    from liqmap.score.default_recipe_eval import Correlation
    from liqmap.score.evaluation import Row
    from liqmap.score.plan import Test

__all__ = ["Card", "score"]


@dataclass(frozen=True, slots=True)
class Card:
    """What one test came to.

    Attributes:
        test: What was asked.
        periods: How many were fitted and judged.
        hours: Length of a period.
        warm_up_days: Between the first bar and the first fitted period.
        realised: USD liquidated in the judged span, longs first.
        tables: ``skill``, and where asked for ``harder`` and ``placebo``.
        correlations: Rank correlations, for a recipe as it stands.
        calibration: What was fitted, where something was.
        mapped: Share of open interest on the map at the end of the fitted span, longs first, where it is known.
    """

    test: Test
    periods: tuple[int, int]
    hours: float
    warm_up_days: float
    realised: tuple[float, float]
    tables: dict[str, tuple[Row, ...]]
    correlations: tuple[Correlation, ...]
    calibration: Calibration | None
    mapped: tuple[float, float] | None

    @property
    def demonstrated(self) -> tuple[bool, bool]:
        """Whether price + map beats price alone with 95 % of the resamples, longs first."""
        row = next(row for row in self.tables["skill"] if row.name == "price + map")
        return row.low[0] > 0, row.low[1] > 0

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        return {
            "test": self.test.model_dump(mode="json"),
            "periods": {"fitted": self.periods[0], "judged": self.periods[1]},
            "hours": self.hours,
            "warm_up_days": self.warm_up_days,
            "realised_usd": {"long": self.realised[0], "short": self.realised[1]},
            "demonstrated": dict(zip(("long", "short"), self.demonstrated, strict=True)),
            "tables": {name: [row.to_dict() for row in rows] for name, rows in self.tables.items()},
            "correlations": [c.to_dict() for c in self.correlations],
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "mapped_share": None if self.mapped is None else {"long": self.mapped[0], "short": self.mapped[1]},
        }


def score(store: Store, tests: Iterable[Test]) -> tuple[Card, ...]:
    """Run the tests, one after the other.

    Raises:
        NotFoundError: The history does not hold what a test needs.
        InputError: Nothing was liquidated in a span.
    """
    return tuple(_run(store, test) for test in tests)


def _run(store: Store, test: Test) -> Card:
    fitted, judged = test.span("fitted"), test.span("judged")
    end = max(fitted[1], judged[1])
    bars = store.market_bars(test.instrument, end, interval_s=test.interval_s, price_source=test.price_source)
    start = min(fitted[0], judged[0])
    periods = match(bars, store.liquidations(test.feed, start, end))
    trial = Trial(bars, periods, periods.between(*fitted), periods.between(*judged))
    correlations: tuple[Correlation, ...] = ()
    calibration = None
    if test.recipe == "default":
        tables, correlations = assumed(trial, store.tiers(test.instrument, at=fitted[1]), DEFAULT_RECIPE)
    else:
        tables = hourly(trial, placebos=test.placebos)
        calibration = _calibration(store, test)
    realised = periods.realised[trial.judged].sum(axis=0)
    return Card(
        test=test,
        periods=(len(trial.fitted), len(trial.judged)),
        hours=periods.hours,
        warm_up_days=(start - int(bars.ts[0])) / 86_400e6,
        realised=(float(realised[0]), float(realised[1])),
        tables=tables,
        correlations=correlations,
        calibration=calibration,
        mapped=None if calibration is None else _mapped(store, calibration),
    )


def _calibration(store: Store, test: Test) -> Calibration:
    start, end = test.span("fitted")
    bars = store.market_bars(test.instrument, end, interval_s=test.interval_s, price_source=test.price_source)
    return calibrate(bars, store.liquidations(test.feed, start, end), feed=test.feed, start=start, end=end)


def _mapped(store: Store, fitted: Calibration) -> tuple[float, float] | None:
    """Share of open interest that is on the map when the fitted span ends; None where open interest is not known."""
    name, end = fitted.instrument, fitted.end
    bars = store.market_bars(name, end, interval_s=fitted.interval_s, price_source=fitted.price_source)
    if not (bars.oi_base > 0).any():
        return None
    nursery = prepare_run(bars, store.tiers(name, at=end), fitted.kernel, instrument=name, at=end)
    nursery.reach(len(bars))
    ledger, interest = nursery.ledger(), nursery.bars.open_interest[-1]
    return ledger.long.mapped / interest, ledger.short.mapped / interest
