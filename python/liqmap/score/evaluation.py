"""Fit predictors on one span and evaluate them on a later one: price alone, map alone, both, and placebos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from liqmap.positions.engine.calibrated_recipe import DISTANCES, prior_shape, trailing_volume
from liqmap.score import placebo, price_baseline
from liqmap.score.engine_predictions import predict_unit_shares
from liqmap.score.stats import em_fit, poisson
from liqmap.score.stats.bootstrap import gain_interval
from liqmap.score.stats.em_fit import PRIOR_HOURS, FittedShares, fit_shares
from liqmap.score.stats.poisson import fit_poisson, poisson_deviance

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.score.periods import Periods

__all__ = ["Evaluation", "ScoreRow", "SideArrays", "score_tables"]

_MILLION = 1e6
_SHUFFLES = 4
_EXISTING_LEVELS_ONLY = ", existing levels only"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One predictor on the evaluation span, longs first.

    Attributes:
        name: Name of the predictor.
        deviance: Poisson deviance, millions of USD.
        gain: Share of the baseline's deviance that the predictor removes; negative if it adds deviance.
        low, high: 90 % interval of the gain (24-hour stationary block bootstrap of the evaluated periods).
        converged: Whether all fits of the predictor converged; the figures are approximate if not.
    """

    name: str
    deviance: tuple[float, float]
    gain: tuple[float, float]
    low: tuple[float, float]
    high: tuple[float, float]
    converged: tuple[bool, bool] = (True, True)

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values, by side."""
        sides: dict[str, JSON] = {}
        for s, side in enumerate(("long", "short")):
            figures = {"deviance": self.deviance, "gain": self.gain, "low": self.low, "high": self.high}
            values: dict[str, JSON] = {key: value[s] for key, value in figures.items()}
            sides[side] = values | {"converged": self.converged[s]}
        return {"name": self.name, **sides}


@dataclass(frozen=True, eq=False, slots=True)
class SideArrays:
    """Features or losses of both sides, with the convergence of the fits they come from.

    Attributes:
        long, short: One row per period.
        converged: Whether the fits converged, longs first; true for values without a fit.
    """

    long: Floats
    short: Floats
    converged: tuple[bool, bool] = (True, True)

    def of(self, side: int) -> Floats:
        """The array of a side: 0 for longs, 1 for shorts."""
        return self.short if side else self.long


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One fitted span and one evaluation span of an instrument.

    Attributes:
        bars: Bars up to the end of the evaluation span, warm-up included.
        periods: Periods with realised liquidations.
        fitted, judged: Indices of the fitted and of the evaluated periods.
        em_iterations: Limit of EM iterations of each fit of shares.
        newton_iterations: Limit of Newton steps of each regression.
    """

    bars: MarketBars
    periods: Periods
    fitted: npt.NDArray[np.intp]
    judged: npt.NDArray[np.intp]
    em_iterations: int = em_fit.MAX_ITERATIONS
    newton_iterations: int = poisson.MAX_ITERATIONS

    def realised(self, side: int) -> Floats:
        """Realised liquidations per period, millions of USD."""
        return np.asarray(self.periods.realised[:, side] / _MILLION, dtype=np.float64)

    @cached_property
    def mean_volume(self) -> Floats:
        """Trailing mean volume of each period, millions of USD; ones if all volume is missing."""
        if not np.isfinite(self.bars.volume_base).any():
            return np.ones(len(self.periods))
        volume = trailing_volume(self.bars, instrument=self.bars.instrument)
        return self.periods.gather(volume * self.bars.open) / _MILLION

    @cached_property
    def price_only(self) -> SideArrays:
        """Log features of the price-only baseline."""
        long, short = (
            price_baseline.log_features(price_baseline.new_extremes(self.bars, self.periods, side)) for side in (0, 1)
        )
        return SideArrays(long, short)

    @cached_property
    def price_and_close(self) -> SideArrays:
        """Log features of the harder baseline, which includes range and close."""
        long, short = (
            np.column_stack(
                [
                    self.price_only.of(side),
                    price_baseline.log_features(price_baseline.close_moves(self.bars, self.periods, side)),
                ]
            )
            for side in (0, 1)
        )
        return SideArrays(long, short)

    def shares(self, swept: Floats, side: int) -> FittedShares:
        """Shares fitted on the fitted span; ``swept`` is USD per bar, shape ``(bars, 2, brackets)``."""
        x = self.periods.gather(swept[:, side]) / _MILLION
        return fit_shares(
            x[self.fitted],
            self.realised(side)[self.fitted],
            self.mean_volume[self.fitted],
            prior=prior_shape(DISTANCES),
            prior_periods=PRIOR_HOURS / self.periods.hours,
            max_iterations=self.em_iterations,
        )

    def map_only(self, swept: Floats) -> SideArrays:
        """Log of the calibrated prediction, one column per side."""
        fits = [self.shares(swept, side) for side in (0, 1)]
        long, short = (
            np.log(fit.expected(self.periods.gather(swept[:, side]) / _MILLION, self.mean_volume))[:, None]
            for side, fit in enumerate(fits)
        )
        return SideArrays(long, short, (fits[0].converged, fits[1].converged))

    def losses(self, *features: SideArrays) -> SideArrays:
        """Deviance of each evaluated period under the regression on all the features."""
        losses, converged = [], []
        for side in (0, 1):
            x, y = np.column_stack([f.of(side) for f in features]), self.realised(side)
            regression = fit_poisson(x[self.fitted], y[self.fitted], max_iterations=self.newton_iterations)
            losses.append(poisson_deviance(y[self.judged], regression.predict(x[self.judged])))
            converged.append(regression.converged and all(f.converged[side] for f in features))
        return SideArrays(losses[0], losses[1], (converged[0], converged[1]))

    def row(self, name: str, *features: SideArrays, baseline: SideArrays | None = None) -> ScoreRow:
        """Score of the features, relative to the losses of price alone or of another baseline."""
        baseline = self.losses(self.price_only) if baseline is None else baseline
        losses = self.losses(*features)
        pairs = [(losses.of(side), baseline.of(side)) for side in (0, 1)]
        block = 24 / self.periods.hours
        bounds = [gain_interval(own, base, block=block) for own, base in pairs]
        totals = [float(own.sum()) for own, _ in pairs]
        gains = [1 - float(own.sum() / base.sum()) for own, base in pairs]
        return ScoreRow(
            name,
            (totals[0], totals[1]),
            (gains[0], gains[1]),
            (bounds[0][0], bounds[1][0]),
            (bounds[0][1], bounds[1][1]),
            (losses.converged[0] and baseline.converged[0], losses.converged[1] and baseline.converged[1]),
        )


def score_tables(evaluation: Evaluation, *, placebos: bool = True) -> dict[str, tuple[ScoreRow, ...]]:
    """The tables of a calibrated recipe: ``skill`` and ``harder`` (relative to a baseline with range and close).

    With ``placebos``, the table ``placebo`` scores price + map with each placebo; days are shuffled four times.
    """
    price, close = evaluation.price_only, evaluation.price_and_close
    swept = predict_unit_shares(evaluation.bars)
    existing = evaluation.map_only(swept.existing)
    whole = evaluation.map_only(swept.existing + swept.opened)
    skill = (
        evaluation.row("price alone", price),
        evaluation.row("map alone", whole),
        evaluation.row("price + map", price, whole),
        evaluation.row(f"map alone{_EXISTING_LEVELS_ONLY}", existing),
        evaluation.row(f"price + map{_EXISTING_LEVELS_ONLY}", price, existing),
    )
    base = evaluation.losses(close)
    harder = (
        evaluation.row("price, range and close", close, baseline=base),
        evaluation.row("map alone", whole, baseline=base),
        evaluation.row("price, range and close + map", close, whole, baseline=base),
        evaluation.row(f"price, range and close + map{_EXISTING_LEVELS_ONLY}", close, existing, baseline=base),
    )
    tables = {"skill": skill, "harder": harder}
    if placebos:
        tables["placebo"] = tuple(_placebo_rows(evaluation, swept.opened))
    return tables


def _placebo_rows(evaluation: Evaluation, opened: Floats) -> list[ScoreRow]:
    """Price + map with the existing levels of each placebo, with and without positions opened within the bar.

    A volume placebo replaces the volume both of its map and of the trailing mean.
    """
    placebos = {"constant volume": placebo.constant_volume(evaluation.bars)}
    placebos |= {
        f"shuffled days {seed}": placebo.shuffled_days(evaluation.bars, seed=seed) for seed in range(1, _SHUFFLES + 1)
    }
    rows = []
    for name, bars in placebos.items():
        fake, swept = replace(evaluation, bars=bars), predict_unit_shares(bars)
        whole, existing = fake.map_only(swept.existing + swept.opened), fake.map_only(swept.existing)
        rows.append(fake.row(f"price + {name}", fake.price_only, whole))
        rows.append(fake.row(f"price + {name}{_EXISTING_LEVELS_ONLY}", fake.price_only, existing))
    mirrored = placebo.mirrored(evaluation.bars, evaluation.periods)
    price, name = evaluation.price_only, "price + mirrored levels"
    rows.append(evaluation.row(name, price, evaluation.map_only(mirrored + opened)))
    rows.append(evaluation.row(f"{name}{_EXISTING_LEVELS_ONLY}", price, evaluation.map_only(mirrored)))
    return rows
