"""The simulated market's true levels beside the map's, before and after a calibration on its liquidations."""

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
from liqmap.positions.engine.recipe import DEFAULT
from liqmap.positions.liquidation_distance import distances
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
    """One map held against the truth.

    Attributes:
        seed: Which market.
        at: UTC microseconds.
        recipe: Which.
        fits: Long and short.
    """

    seed: int
    at: int
    recipe: str
    fits: tuple[TruthFit, TruthFit]

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        return {"seed": self.seed, "at": iso(self.at), "recipe": self.recipe, "fits": [f.to_dict() for f in self.fits]}


def score_against_truth(
    seed: int, *, days: int, warm_up_days: int, fitted_days: int, every_days: int
) -> tuple[TruthScore, ...]:
    """Simulate a market, calibrate on its early liquidations, and hold later maps against the true levels.

    Args:
        seed: Which market.
        days: Of record.
        warm_up_days: Left out of the fit.
        fitted_days: When the fit ends, counted from the start of the record.
        every_days: How often the truth is taken down; what lies after the fit is compared.
    """
    record = simulate(seed, days, truth_every_days=every_days)
    held = []
    with TemporaryDirectory() as folder, open_history(Path(folder) / "market.duckdb", "w") as history:
        for path in write_market(record, Path(folder)).values():
            history.load(path)
        issued = record.start + fitted_days * _DAY
        recipes = _recipes(history, record.start + warm_up_days * _DAY, issued)
        for truth in record.truth:
            if truth.ts <= issued:
                continue
            for name, recipe in recipes.items():
                made = history.map(INSTRUMENT, truth.ts, recipe=recipe)
                fits = compare_with_truth(made, truth, lot=record.settings.lot)
                held.append(TruthScore(seed=seed, at=truth.ts, recipe=name, fits=fits))
    return tuple(held)


def _recipes(history: History, start: Instant, end: Instant) -> dict[str, AnyRecipe]:
    """The default, and two calibrations: on free distances, and on those of the default's leverages at the venue."""
    bars, events = history.market_bars(INSTRUMENT, end), history.liquidations(INSTRUMENT, start, end)
    ladder = distances(DEFAULT.leverages, history.tiers(INSTRUMENT, at=end), INSTRUMENT).mean(axis=1)
    recipes: dict[str, AnyRecipe] = {"default": DEFAULT}
    for name, brackets in {
        "calibrated, 24 free distances": DISTANCES,
        "calibrated, the default's leverages": tuple(ladder[np.isfinite(ladder)].tolist()),
    }.items():
        fitted = calibrate(bars, events, feed=INSTRUMENT, start=start, end=end, distances=brackets, resamples=0)
        recipes[name] = fitted.kernel
    return recipes


def truth_scorecard(held: Sequence[TruthScore], title: str) -> str:
    """The table in Markdown: a line per recipe, means over markets, instants and sides; size is the ratio of sums."""
    lines = []
    for name in dict.fromkeys(h.recipe for h in held):
        fits = [fit for h in held if h.recipe == name for fit in h.fits]
        size = sum(f.mapped_usd for f in fits) / sum(f.true_usd for f in fits)
        keys = ("w1_bp", "rank_correlation", "within_25bp")
        w1, rank, near = (float(np.mean([getattr(f, key) for f in fits])) for key in keys)
        lines.append([name, f"{w1:.0f}", f"{rank:.2f}", f"{near:.0%}", f"{size:.2f}"])
    head = ["recipe", "W1, bp", "rank correlation", "within 25 bp", "mapped / true"]
    maps, markets = len({(h.seed, h.at) for h in held}), len({h.seed for h in held})
    about = f"SIMULATED. Means over {maps} maps of {markets} markets, both sides, within 10 % of the mark."
    return f"### {title}\n\n{about}\n\n{table(head, lines)}\n"
