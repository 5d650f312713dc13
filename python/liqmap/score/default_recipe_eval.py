"""A recipe as it stands, nothing calibrated: does what it liquidates go with what was liquidated?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap.score.engine_predictions import Swept, run
from liqmap.score.stats.em_fit import em
from liqmap.score.stats.poisson import fit
from liqmap.score.stats.rank import spearman

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.positions.engine.recipe import Recipe
    from liqmap.score.evaluation import Row, Trial
    from liqmap.venues.catalogue import Tier

__all__ = ["Correlation", "assumed", "predicted"]

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


def predicted(bars: MarketBars, tiers: list[Tier], recipe: Recipe) -> Swept:
    """What the recipe's engine sweeps in each bar, USD; nothing before the first known open interest."""
    fed = recipe.feed(bars, instrument=bars.instrument)
    brackets = recipe.brackets(tiers, bars.instrument, float(fed.close[-1]))
    swept = run(fed, brackets.rows, recipe.step)
    missing = np.zeros((len(bars) - len(fed.end), *swept.standing.shape[1:]))
    return Swept(np.concatenate([missing, swept.standing]), np.concatenate([missing, swept.born]))


def assumed(
    trial: Trial, tiers: list[Tier], recipe: Recipe
) -> tuple[dict[str, tuple[Row, ...]], tuple[Correlation, ...]]:
    """The table of a recipe, and its rank correlations beside those of the size of the move.

    The recipe's brackets are summed as they are; only one share and a background are fitted, for the deviances.
    """
    swept = predicted(trial.bars, tiers, recipe)
    parts = {"": swept.standing + swept.born, ", standing levels only": swept.standing}
    price = trial.price_alone
    rows = [trial.row("the move alone", _first(price)), trial.row("price alone", price)]
    scored = np.union1d(trial.fitted, trial.judged).astype(np.int64)
    fitted = [fit(p[trial.fitted], trial.realised(s)[trial.fitted]).predict(p) for s, p in enumerate(price)]
    ranks = [
        _ranked("the move alone", [p[:, 0] for p in price], trial, scored),
        _ranked("price alone (its weights fitted on the fitted span)", fitted, trial, scored),
    ]
    for what, usd in parts.items():
        whole = trial.periods.gather(usd.sum(axis=2)) / _MILLION
        made = (_log(trial, whole, 0), _log(trial, whole, 1))
        rows += [trial.row(f"map alone{what}", made), trial.row(f"price + map{what}", price, made)]
        ranks.append(_ranked(f"map alone{what}", [whole[:, 0], whole[:, 1]], trial, scored))
    return {"skill": tuple(rows)}, tuple(ranks)


def _first(features: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return features[0][:, :1], features[1][:, :1]


def _log(trial: Trial, whole: Floats, side: int) -> Floats:
    """Log of the prediction with its one share and its background."""
    x, at = whole[:, side : side + 1], trial.fitted
    found = em(x[at], trial.realised(side)[at], trial.usual[at], prior_periods=0.0)
    return np.asarray(np.log(found.expected(x, trial.usual))[:, None], dtype=np.float64)


def _ranked(name: str, values: list[Floats], trial: Trial, scored: npt.NDArray[np.int64]) -> Correlation:
    long, short = (spearman(v[scored], trial.realised(side)[scored]) for side, v in enumerate(values))
    return Correlation(name, long, short)
