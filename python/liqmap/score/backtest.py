"""Backtests: the tests of a plan, with their score tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe import DEFAULT_RECIPE
from liqmap.score.calibrate import calibrate
from liqmap.score.default_recipe_eval import evaluate_default_recipe
from liqmap.score.evaluation import Evaluation, score_tables
from liqmap.score.periods import match_periods

if TYPE_CHECKING:
    from collections.abc import Iterable

    from liqmap._base.provenance import JSON
    from liqmap.history.store import Store
    from liqmap.positions.engine.calibration import Calibration
    from liqmap.score.default_recipe_eval import Correlation
    from liqmap.score.evaluation import ScoreRow
    from liqmap.score.plan import ScoreTest

__all__ = ["BacktestResult", "run_backtests"]


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """Result of one test.

    Attributes:
        test: The test.
        periods: Number of fitted and of evaluated periods.
        hours: Length of a period.
        warm_up_days: Days between the first bar and the first fitted or evaluated period.
        realised: USD liquidated in the evaluation span, longs first.
        tables: ``skill``; for a calibrated recipe also ``harder`` and, if requested, ``placebo``.
        correlations: Rank correlations, for the default recipe only.
        calibration: The fit; ``None`` for the default recipe.
        mapped: Mapped share of open interest at the end of the fitted span, longs first; ``None`` if not known.
    """

    test: ScoreTest
    periods: tuple[int, int]
    hours: float
    warm_up_days: float
    realised: tuple[float, float]
    tables: dict[str, tuple[ScoreRow, ...]]
    correlations: tuple[Correlation, ...]
    calibration: Calibration | None
    mapped: tuple[float, float] | None

    @property
    def demonstrated(self) -> tuple[bool, bool]:
        """Whether price + map beats price alone in 95 % of the resamples, longs first."""
        row = next(row for row in self.tables["skill"] if row.name == "price + map")
        return row.low[0] > 0, row.low[1] > 0

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
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


def run_backtests(store: Store, tests: Iterable[ScoreTest]) -> tuple[BacktestResult, ...]:
    """Run the tests in order.

    Raises:
        NotFoundError: The history lacks data that a test needs.
        InputError: A span has no realised liquidations on a side.
    """
    return tuple(_run_test(store, test) for test in tests)


def _run_test(store: Store, test: ScoreTest) -> BacktestResult:
    fitted, judged = test.span("fitted"), test.span("judged")
    end = max(fitted[1], judged[1])
    bars = store.market_bars(test.instrument, end, interval_s=test.interval_s, price_source=test.price_source)
    start = min(fitted[0], judged[0])
    periods = match_periods(bars, store.liquidations(test.feed, start, end))
    evaluation = Evaluation(bars, periods, periods.between(*fitted), periods.between(*judged))
    correlations: tuple[Correlation, ...] = ()
    calibration = None
    if test.recipe == "default":
        tables, correlations = evaluate_default_recipe(
            evaluation, store.tiers(test.instrument, at=fitted[1]), DEFAULT_RECIPE
        )
    else:
        tables = score_tables(evaluation, placebos=test.placebos)
        calibration = _calibration(store, test)
    realised = periods.realised[evaluation.judged].sum(axis=0)
    return BacktestResult(
        test=test,
        periods=(len(evaluation.fitted), len(evaluation.judged)),
        hours=periods.hours,
        warm_up_days=(start - int(bars.ts[0])) / 86_400e6,
        realised=(float(realised[0]), float(realised[1])),
        tables=tables,
        correlations=correlations,
        calibration=calibration,
        mapped=None if calibration is None else _mapped_shares(store, calibration),
    )


def _calibration(store: Store, test: ScoreTest) -> Calibration:
    start, end = test.span("fitted")
    bars = store.market_bars(test.instrument, end, interval_s=test.interval_s, price_source=test.price_source)
    return calibrate(bars, store.liquidations(test.feed, start, end), feed=test.feed, start=start, end=end)


def _mapped_shares(store: Store, fitted: Calibration) -> tuple[float, float] | None:
    """Mapped share of open interest at the end of the fitted span; None without open interest."""
    name, end = fitted.instrument, fitted.end
    bars = store.market_bars(name, end, interval_s=fitted.interval_s, price_source=fitted.price_source)
    if not (bars.oi_base > 0).any():
        return None
    run = prepare_run(bars, store.tiers(name, at=end), fitted.kernel, instrument=name, at=end)
    run.advance_to(len(bars))
    ledger, interest = run.ledger(), run.bars.open_interest[-1]
    return ledger.long.mapped / interest, ledger.short.mapped / interest
