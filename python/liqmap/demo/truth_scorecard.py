"""Comparison of maps with the true levels of simulated markets, for the default and for calibrated recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.timestamps import iso
from liqmap.demo.settings import INSTRUMENT
from liqmap.demo.simulate import simulate
from liqmap.demo.truth import compare_with_truth
from liqmap.demo.write_files import write_market
from liqmap.positions.engine.calibrated_recipe import DISTANCES
from liqmap.positions.engine.recipe import DEFAULT_RECIPE
from liqmap.positions.liquidation_distance import liquidation_distances
from liqmap.public import open_history
from liqmap.score.calibrate import calibrate
from liqmap.score.markdown_tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.demo.truth import TruthFit
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.public import History

__all__ = ["TruthScore", "score_against_truth", "truth_scorecard"]

_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class TruthScore:
    """Comparison of one map with the true levels.

    Attributes:
        seed: Seed of the simulated market.
        at: Time of the map, UTC microseconds.
        recipe: Name of the recipe.
        fits: Comparison of longs and of shorts.
    """

    seed: int
    at: int
    recipe: str
    fits: tuple[TruthFit, TruthFit]

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        return {"seed": self.seed, "at": iso(self.at), "recipe": self.recipe, "fits": [f.to_dict() for f in self.fits]}


def score_against_truth(
    seed: int, *, days: int, warm_up_days: int, fitted_days: int, every_days: int
) -> tuple[TruthScore, ...]:
    """Simulate a market, calibrate on its early liquidations, and compare later maps with the true levels.

    Args:
        seed: Seed of the random generator.
        days: Recorded days.
        warm_up_days: First days, excluded from the fit.
        fitted_days: End of the fit, in days after the start of the record.
        every_days: Interval of the comparisons after the fit, in days.
    """
    record = simulate(seed, days, truth_every_days=every_days)
    scores = []
    with TemporaryDirectory() as folder, open_history(Path(folder) / "market.duckdb", "w") as history:
        for path in write_market(record, Path(folder)).values():
            history.load(path)
        issued = record.start + fitted_days * _DAY
        recipes = _recipes(history, record.start + warm_up_days * _DAY, issued)
        for truth in record.truth:
            if truth.ts <= issued:
                continue
            for name, recipe in recipes.items():
                modelled_map = history.map(INSTRUMENT, truth.ts, recipe=recipe)
                fits = compare_with_truth(modelled_map, truth, lot=record.settings.lot)
                scores.append(TruthScore(seed=seed, at=truth.ts, recipe=name, fits=fits))
    return tuple(scores)


def _recipes(history: History, start: Instant, end: Instant) -> dict[str, AnyRecipe]:
    """The default recipe and two calibrated ones: on free distances, and on the distances of the default leverages."""
    bars, events = history.market_bars(INSTRUMENT, end), history.liquidations(INSTRUMENT, start, end)
    of_leverages = liquidation_distances(DEFAULT_RECIPE.leverages, history.tiers(INSTRUMENT, at=end), INSTRUMENT).mean(
        axis=1
    )
    recipes: dict[str, AnyRecipe] = {"default": DEFAULT_RECIPE}
    for name, brackets in {
        "calibrated, 24 free distances": DISTANCES,
        "calibrated, the default's leverages": tuple(of_leverages[np.isfinite(of_leverages)].tolist()),
    }.items():
        fitted = calibrate(bars, events, feed=INSTRUMENT, start=start, end=end, distances=brackets, resamples=0)
        recipes[name] = fitted.kernel
    return recipes


def truth_scorecard(scores: Sequence[TruthScore], title: str) -> str:
    """Markdown table with one row per recipe: means over markets, times and sides; the size is a ratio of sums."""
    lines = []
    for name in dict.fromkeys(score.recipe for score in scores):
        fits = [fit for score in scores if score.recipe == name for fit in score.fits]
        size = sum(f.mapped_usd for f in fits) / sum(f.true_usd for f in fits)
        keys = ("w1_bp", "rank_correlation", "within_25bp")
        w1, rank, near = (float(np.mean([getattr(f, key) for f in fits])) for key in keys)
        lines.append([name, f"{w1:.0f}", f"{rank:.2f}", f"{near:.0%}", f"{size:.2f}"])
    head = ["recipe", "W1, bp", "rank correlation", "within 25 bp", "mapped / true"]
    maps, markets = len({(score.seed, score.at) for score in scores}), len({score.seed for score in scores})
    about = f"SIMULATED. Means over {maps} maps of {markets} markets, both sides, within 10 % of the mark."
    return f"### {title}\n\n{about}\n\n{table(head, lines)}\n"
