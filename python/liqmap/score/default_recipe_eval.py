"""A recipe as it stands, nothing calibrated: does what it liquidates go with what was liquidated?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.score.engine_predictions import EnginePredictions, predict_with_engine
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
    """Spearman's ρ with realised notional over all periods, fitted and judged alike: nothing was fitted for it.

    Attributes:
        name: What is correlated.
        long, short: By side.
    """

    name: str
    long: float
    short: float

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        return {"name": self.name, "long": self.long, "short": self.short}


def predict_liquidations(bars: MarketBars, tiers: list[Tier], recipe: Recipe) -> EnginePredictions:
    """What the recipe's engine sweeps in each bar, USD; nothing before the first known open interest."""
    fed = recipe.engine_bars(bars, instrument=bars.instrument)
    brackets = recipe.brackets(tiers, bars.instrument, float(fed.close[-1]))
    swept = predict_with_engine(fed, brackets.rows, recipe.step)
    missing = np.zeros((len(bars) - len(fed.end), *swept.standing.shape[1:]))
    return EnginePredictions(np.concatenate([missing, swept.standing]), np.concatenate([missing, swept.born]))


def evaluate_default_recipe(
    trial: Evaluation, tiers: list[Tier], recipe: Recipe
) -> tuple[dict[str, tuple[ScoreRow, ...]], tuple[Correlation, ...]]:
    """The table of a recipe, and its rank correlations beside those of the size of the move.

    The recipe's brackets are summed as they are; only one share and a background are fitted, for the deviances.
    """
    swept = predict_liquidations(trial.bars, tiers, recipe)
    parts = {"": swept.standing + swept.born, ", standing levels only": swept.standing}
    price = trial.price_only
    rows = [trial.row("the move alone", _first_column(price)), trial.row("price alone", price)]
    scored = np.union1d(trial.fitted, trial.judged).astype(np.int64)
    fitted = [fit_poisson(p[trial.fitted], trial.realised(s)[trial.fitted]).predict(p) for s, p in enumerate(price)]
    ranks = [
        _rank_correlation("the move alone", [p[:, 0] for p in price], trial, scored),
        _rank_correlation("price alone (its weights fitted on the fitted span)", fitted, trial, scored),
    ]
    for what, usd in parts.items():
        whole = trial.periods.gather(usd.sum(axis=2)) / _MILLION
        made = (_log(trial, whole, 0), _log(trial, whole, 1))
        rows += [trial.row(f"map alone{what}", made), trial.row(f"price + map{what}", price, made)]
        ranks.append(_rank_correlation(f"map alone{what}", [whole[:, 0], whole[:, 1]], trial, scored))
    return {"skill": tuple(rows)}, tuple(ranks)


def _first_column(features: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return features[0][:, :1], features[1][:, :1]


def _log(trial: Evaluation, whole: Floats, side: int) -> Floats:
    """Log of the prediction with its one share and its background."""
    x, at = whole[:, side : side + 1], trial.fitted
    found = fit_shares(x[at], trial.realised(side)[at], trial.mean_liquidations[at], prior_periods=0.0)
    return np.asarray(np.log(found.expected(x, trial.mean_liquidations))[:, None], dtype=np.float64)


def _rank_correlation(name: str, values: list[Floats], trial: Evaluation, scored: npt.NDArray[np.int64]) -> Correlation:
    long, short = (spearman(v[scored], trial.realised(side)[scored]) for side, v in enumerate(values))
    return Correlation(name, long, short)
