"""Evaluation of a recipe without calibration: rank correlation of predicted and realised liquidations, and deviance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.score.engine_predictions import EnginePredictions, predict_with_engine
from liqmap.score.evaluation import SideArrays
from liqmap.score.stats.em_fit import fit_shares
from liqmap.score.stats.poisson import fit_poisson
from liqmap.score.stats.rank import spearman

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.positions.engine.recipe import Recipe
    from liqmap.score.evaluation import Evaluation, ScoreRow
    from liqmap.venues.catalogue import Tier

__all__ = ["Correlation", "evaluate_default_recipe", "predict_liquidations"]

_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's ρ with realised notional over the periods of both spans, since the recipe itself is not fitted.

    Attributes:
        name: Name of the predictor.
        long, short: ρ of each side.
    """

    name: str
    long: float
    short: float

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        return {"name": self.name, "long": self.long, "short": self.short}


def predict_liquidations(bars: MarketBars, tiers: list[Tier], recipe: Recipe) -> EnginePredictions:
    """USD that an engine run with the recipe sweeps in each bar; 0 before the first known open interest."""
    fed = recipe.engine_bars(bars, instrument=bars.instrument)
    brackets = recipe.brackets(tiers, bars.instrument, float(fed.close[-1]))
    swept = predict_with_engine(fed, brackets.rows, recipe.step)
    missing = np.zeros((len(bars) - len(fed.end), *swept.existing.shape[1:]))
    return EnginePredictions(np.concatenate([missing, swept.existing]), np.concatenate([missing, swept.opened]))


def evaluate_default_recipe(
    evaluation: Evaluation, tiers: list[Tier], recipe: Recipe
) -> tuple[dict[str, tuple[ScoreRow, ...]], tuple[Correlation, ...]]:
    """The score table of a recipe, and its rank correlations next to those of the price move.

    The brackets are summed with the recipe's own weights; only one share and a background are fitted, for the deviance.
    """
    swept = predict_liquidations(evaluation.bars, tiers, recipe)
    parts = {"": swept.existing + swept.opened, ", existing levels only": swept.existing}
    price = evaluation.price_only
    move = SideArrays(price.long[:, :1], price.short[:, :1])
    rows = [evaluation.row("the move alone", move), evaluation.row("price alone", price)]
    scored = np.union1d(evaluation.fitted, evaluation.judged).astype(np.int64)
    correlations = [
        _rank_correlation("the move alone", [move.long[:, 0], move.short[:, 0]], evaluation, scored),
        _rank_correlation(
            "price alone (its weights fitted on the fitted span)",
            [_predict_from_price(evaluation, side) for side in (0, 1)],
            evaluation,
            scored,
        ),
    ]
    for what, usd in parts.items():
        whole = evaluation.periods.gather(usd.sum(axis=2)) / _MILLION
        made = _log_predictions(evaluation, whole)
        rows += [evaluation.row(f"map alone{what}", made), evaluation.row(f"price + map{what}", price, made)]
        correlations.append(_rank_correlation(f"map alone{what}", [whole[:, 0], whole[:, 1]], evaluation, scored))
    return {"skill": tuple(rows)}, tuple(correlations)


def _predict_from_price(evaluation: Evaluation, side: int) -> Floats:
    """Prediction of the price-only regression; the row "price alone" reports the convergence of the same fit."""
    x, at = evaluation.price_only.of(side), evaluation.fitted
    fit = fit_poisson(x[at], evaluation.realised(side)[at], max_iterations=evaluation.newton_iterations)
    return fit.predict(x)


def _log_predictions(evaluation: Evaluation, whole: Floats) -> SideArrays:
    """Log of the predictions with one fitted share and background per side."""
    at, fits = evaluation.fitted, []
    for side in (0, 1):
        x, y = whole[at, side : side + 1], evaluation.realised(side)[at]
        limit = evaluation.em_iterations
        fits.append(fit_shares(x, y, evaluation.mean_volume[at], prior_periods=0.0, max_iterations=limit))
    long, short = (
        np.asarray(np.log(fit.expected(whole[:, side : side + 1], evaluation.mean_volume))[:, None], dtype=np.float64)
        for side, fit in enumerate(fits)
    )
    return SideArrays(long, short, (fits[0].converged, fits[1].converged))


def _rank_correlation(
    name: str, values: list[Floats], evaluation: Evaluation, scored: npt.NDArray[np.int64]
) -> Correlation:
    long, short = (spearman(v[scored], evaluation.realised(side)[scored]) for side, v in enumerate(values))
    return Correlation(name, long, short)
