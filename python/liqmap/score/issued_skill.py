"""Skill of issued maps on later sweeps, relative to baselines and placebos; each map is scored until the next one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap.score.price_baseline import log_features
from liqmap.score.stats.bootstrap import bootstrap_counts
from liqmap.score.stats.poisson import MAX_ITERATIONS, fit_poisson, poisson_deviance

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats
    from liqmap.score.scored_sweeps import ScoredSweeps

__all__ = ["DAYS", "PREVIOUS_MAP", "Gain", "Rival", "Skill", "issues_needed", "measure_skill"]

DAYS = 30
"""Minimum days of maps for a result: a third is only fitted, and an interval needs 20 evaluated days."""

PREVIOUS_MAP = "map before"

_MILLION = 1e6
_RESAMPLES = 1_000
_FLOOR = 0.05
"""Added to predicted amounts before the log, as a share of their mean: the log of 0 is undefined."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Share of a deviance that is removed, with its 90 % interval; negative if deviance is added."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rival:
    """A baseline or placebo that the maps are compared with.

    Attributes:
        name: Name of the predictor.
        kind: ``baseline``: a predictor without the map; ``placebo``: an uninformative map.
        deviance: Poisson deviance over the evaluated sweeps, millions of USD; for a placebo, that of the best baseline
            with the placebo added.
        alone: Gain of the map alone on a baseline; ``None`` for a placebo.
        added: Gain of a baseline with the map added; for a placebo, gain of the best baseline with the placebo added.
        converged: Whether all regressions behind these figures converged; the figures are approximate if not.
    """

    name: str
    kind: Literal["baseline", "placebo"]
    deviance: float
    alone: Gain | None
    added: Gain
    converged: bool = True

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as JSON values."""
        plain: dict[str, JSON] = {"name": self.name, "kind": self.kind, "deviance": self.deviance}
        for key, gain in (("alone", self.alone), ("added", self.added)):
            plain[key] = None if gain is None else {"gain": gain.gain, "low": gain.low, "high": gain.high}
        return plain | {"converged": self.converged}


@dataclass(frozen=True, eq=False, slots=True)
class Skill:
    """Skill of the maps on one side.

    Attributes:
        fitted: Maps in the first fit; later fits also include the maps evaluated before them.
        judged: Evaluated maps with at least one sweep of the side.
        sweeps: Evaluated sweeps.
        predicted, realised: USD in the evaluated sweeps.
        rivals: Baselines, then placebos.
        best: The baseline with the lowest deviance, the previous map excluded; its ``added`` is the skill of the maps.
    """

    fitted: int
    judged: int
    sweeps: int
    predicted: float
    realised: float
    rivals: tuple[Rival, ...]
    best: Rival

    @property
    def is_significant(self) -> bool:
        """Whether the interval of the skill lies above 0 and above the gain of every placebo."""
        placebos = (rival.added.gain for rival in self.rivals if rival.kind == "placebo")
        return self.skill.low > max(0.0, *placebos)

    @property
    def skill(self) -> Gain:
        """Gain of the best baseline with the maps added."""
        return self.best.added

    @property
    def converged(self) -> bool:
        """Whether all regressions converged."""
        return all(rival.converged for rival in self.rivals)


def issues_needed(per_day: float) -> int:
    """Minimum number of maps with a sweep of a side: the maps of thirty days, and at least thirty."""
    return math.ceil(DAYS * max(1.0, per_day))


def measure_skill(of: ScoredSweeps, per_day: float, *, max_iterations: int = MAX_ITERATIONS) -> Skill:
    """Evaluate regressions of realised on predicted amounts out of sample, with and without the map.

    Maps are taken in order of issue. The first third is only fitted; later maps are evaluated with a fit on all maps
    before them, and the fit is repeated each time the number of maps has doubled. Every evaluated map was therefore
    issued after the last liquidation that its weights were fitted on.

    Args:
        of: The sweeps of one side.
        per_day: Maps per day; the maps of one day are resampled together.
        max_iterations: Limit of Newton steps of each regression.

    Raises:
        NotFoundError: Too few maps for an interval (``expected`` names the minimum), or no liquidations to fit.
    """
    issues = np.unique(of.issue)
    folds = _folds(len(issues))
    if len(issues) < issues_needed(per_day):
        found, wanted = f"{len(issues)} maps with a sweep to score", f"at least {issues_needed(per_day)}"
        raise NotFoundError("score", "issued maps", found, wanted, "skill not measured")
    order = np.searchsorted(issues, of.issue)
    y = of.realised / _MILLION
    first = order < folds[0][0]
    if not y[first].sum() > 0:
        found = "no liquidation in the sweeps of the first maps"
        expected = "a feed with liquidations in that time"
        raise NotFoundError("score", "issued maps", found, expected, "skill not measured")
    evaluation = _Folds(order, y, folds, max(1.0, per_day), max_iterations)
    rate = np.column_stack([of.move, of.distance])
    baselines = {
        "move": log_features(rate[:, :1]),
        "move and distance": log_features(rate),
        "move and past extremes": log_features(of.extremes),
        PREVIOUS_MAP: _log_amounts(of.before, first),
    }
    predicted = _log_amounts(of.predicted, first)
    alone = evaluation.losses(predicted)
    rivals, base = [], {}
    for name, features in baselines.items():
        base[name] = evaluation.losses(features)
        both = evaluation.losses(np.column_stack([features, predicted]))
        rivals.append(
            Rival(
                name,
                "baseline",
                float(base[name].usd.sum()),
                evaluation.gain(alone, base[name]),
                evaluation.gain(both, base[name]),
                alone.converged and both.converged and base[name].converged,
            )
        )
    # The previous map is also a map: a gain over it measures the value of a newer map, not the value of maps.
    best = min((rival for rival in rivals if rival.name != PREVIOUS_MAP), key=lambda rival: rival.deviance)
    for name, usd in (("mirrored map", of.mirrored), ("map of another week", of.elsewhere)):
        placebo = evaluation.losses(np.column_stack([baselines[best.name], _log_amounts(usd, first)]))
        gain = evaluation.gain(placebo, base[best.name])
        converged = placebo.converged and base[best.name].converged
        rivals.append(Rival(name, "placebo", float(placebo.usd.sum()), None, gain, converged))
    return Skill(
        fitted=folds[0][0],
        judged=len(issues) - folds[0][0],
        sweeps=int((~first).sum()),
        predicted=float(of.predicted[~first].sum()),
        realised=float(of.realised[~first].sum()),
        rivals=tuple(rivals),
        best=best,
    )


def _folds(issues: int) -> list[tuple[int, int]]:
    """For each fit the number of maps fitted, and the end of the maps evaluated with it."""
    cuts = [max(1, issues // 3)]
    while cuts[-1] < issues:
        cuts.append(min(issues, 2 * cuts[-1]))
    return list(pairwise(cuts))


def _log_amounts(usd: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """Log of predicted amounts in units of their mean in the first fit, with a floor."""
    mean = float(usd[first].mean()) or 1.0
    return np.asarray(np.log(usd / mean + _FLOOR)[:, None], dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class _Losses:
    """Deviance of each evaluated map, millions of USD, and whether all regressions behind it converged."""

    usd: Floats
    converged: bool


@dataclass(frozen=True, eq=False, slots=True)
class _Folds:
    """Sweeps in order of issue, divided into fitted and evaluated maps."""

    order: npt.NDArray[np.int64]
    realised: Floats
    folds: list[tuple[int, int]]
    block: float
    max_iterations: int

    def losses(self, features: Floats) -> _Losses:
        """Deviance of each evaluated map."""
        first, last = self.folds[0][0], self.folds[-1][1]
        usd, converged = np.zeros(last - first), True
        for begin, end in self.folds:
            fitted, evaluated = self.order < begin, (self.order >= begin) & (self.order < end)
            fit = fit_poisson(features[fitted], self.realised[fitted], max_iterations=self.max_iterations)
            expected = fit.predict(features[evaluated])
            np.add.at(usd, self.order[evaluated] - first, poisson_deviance(self.realised[evaluated], expected))
            converged &= fit.converged
        return _Losses(usd, converged)

    def gain(self, losses: _Losses, base: _Losses) -> Gain:
        """Share of the base's deviance that is removed; the interval resamples whole days."""
        times = bootstrap_counts(len(base.usd), self.block, _RESAMPLES, 1)
        total, reference = times @ losses.usd, times @ base.usd
        gains = 1 - np.divide(total, reference, out=np.ones(len(times)), where=reference > 0)
        low, high = np.quantile(gains, [0.05, 0.95])
        return Gain(1 - float(losses.usd.sum() / base.usd.sum()), float(low), float(high))
