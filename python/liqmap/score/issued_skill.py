"""How the maps that were issued have done since: each held to what it said, until the next one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap.score.price_baseline import logged
from liqmap.score.stats.bootstrap import counts
from liqmap.score.stats.poisson import deviance, fit

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats
    from liqmap.score.scored_sweeps import Sweeps

__all__ = ["BEFORE", "DAYS", "Gain", "Rival", "Skill", "judge", "needed"]

DAYS = 30
"""Days of maps that a verdict needs: a third is fitted only, and an interval from fewer than 20 days is none."""

BEFORE = "map before"

_MILLION = 1e6
_RESAMPLES = 1_000
_NOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Gain:
    """Share of a rival's deviance that is gone, with its 90 % interval; negative if there is more."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rival:
    """What the maps are held against.

    Attributes:
        name: What it goes by.
        kind: ``baseline``: something that knows no map; ``placebo``: a map that should know nothing.
        deviance: Poisson deviance over the judged sweeps, millions of USD; of a placebo, of the best baseline with it.
        alone: What the map alone gains on it; ``None`` for a placebo.
        added: What it gains with the map at its side; a placebo: what the best baseline gains with it at its side.
    """

    name: str
    kind: Literal["baseline", "placebo"]
    deviance: float
    alone: Gain | None
    added: Gain

    def to_dict(self) -> dict[str, JSON]:
        """Plain data."""
        plain: dict[str, JSON] = {"name": self.name, "kind": self.kind, "deviance": self.deviance}
        for key, gain in (("alone", self.alone), ("added", self.added)):
            plain[key] = None if gain is None else {"gain": gain.gain, "low": gain.low, "high": gain.high}
        return plain


@dataclass(frozen=True, eq=False, slots=True)
class Skill:
    """One side.

    Attributes:
        fitted: Issues in the first fit; later fits take in what was judged before them.
        judged: Issues that were judged, with at least one sweep of the side.
        sweeps: Judged sweeps.
        said, realised: USD in the judged sweeps.
        rivals: Baselines, then placebos.
        best: The baseline without any map that has the lowest deviance; its ``added`` is the skill of the maps.
    """

    fitted: int
    judged: int
    sweeps: int
    said: float
    realised: float
    rivals: tuple[Rival, ...]
    best: Rival

    @property
    def shown(self) -> bool:
        """Whether the skill's interval lies above 0, and above what any placebo gains: that is no merit of a map."""
        fakes = (rival.added.gain for rival in self.rivals if rival.kind == "placebo")
        return self.skill.low > max(0.0, *fakes)

    @property
    def skill(self) -> Gain:
        """What the best baseline gains when the maps are added to it."""
        return self.best.added


def needed(per_day: float) -> int:
    """Maps with a sweep of a side before it is judged: those of thirty days, and no fewer than thirty."""
    return math.ceil(DAYS * max(1.0, per_day))


def judge(of: Sweeps, per_day: float) -> Skill:
    """Regress what was liquidated in each sweep on earlier ones only, with and without the map.

    The issues are taken in order. The first third is only fitted; what follows is judged with the fit
    of all before it, and the fit is renewed each time the record has doubled. So every judged map was issued
    after the last liquidation that its weights were fitted on.

    Args:
        of: The sweeps of one side.
        per_day: Issues a day: what happened on one day is resampled together.

    Raises:
        NotFoundError: Too few issues for an interval; ``expected`` says how many there have to be.
    """
    issues = np.unique(of.issue)
    folds = _folds(len(issues))
    if len(issues) < needed(per_day):
        found, wanted = f"{len(issues)} maps with a sweep to score", f"at least {needed(per_day)}"
        raise NotFoundError("score", "issued maps", found, wanted, "no skill shown")
    order = np.searchsorted(issues, of.issue)
    y = of.realised / _MILLION
    first = order < folds[0][0]
    if not y[first].sum() > 0:
        found = "no liquidation in the sweeps of the first maps"
        raise NotFoundError("score", "issued maps", found, "a feed that has some", "no skill shown")
    trial = _Trial(order, y, folds, max(1.0, per_day))
    rate = np.column_stack([of.move, of.distance])
    baselines = {
        "move": logged(rate[:, :1]),
        "move and distance": logged(rate),
        "move and past extremes": logged(of.extremes),
        BEFORE: _amount(of.before, first),
    }
    told = _amount(of.said, first)
    alone = trial.losses(told)
    rivals, bare = [], {}
    for name, features in baselines.items():
        bare[name] = trial.losses(features)
        both = trial.losses(np.column_stack([features, told]))
        rivals.append(
            Rival(
                name, "baseline", float(bare[name].sum()), trial.gain(alone, bare[name]), trial.gain(both, bare[name])
            )
        )
    # The map before is a map too: it tells what a fresh one is worth, not whether maps are worth anything.
    best = min((rival for rival in rivals if rival.name != BEFORE), key=lambda rival: rival.deviance)
    for name, usd in (("mirrored map", of.mirrored), ("map of another week", of.elsewhere)):
        fake = trial.losses(np.column_stack([baselines[best.name], _amount(usd, first)]))
        rivals.append(Rival(name, "placebo", float(fake.sum()), None, trial.gain(fake, bare[best.name])))
    return Skill(
        fitted=folds[0][0],
        judged=len(issues) - folds[0][0],
        sweeps=int((~first).sum()),
        said=float(of.said[~first].sum()),
        realised=float(of.realised[~first].sum()),
        rivals=tuple(rivals),
        best=best,
    )


def _folds(issues: int) -> list[tuple[int, int]]:
    """How many issues each fit takes in, and up to which it judges."""
    cuts = [max(1, issues // 3)]
    while cuts[-1] < issues:
        cuts.append(min(issues, 2 * cuts[-1]))
    return list(pairwise(cuts))


def _amount(usd: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """A predicted amount as the regression takes it; a twentieth of the mean of the first fit stands in for nothing."""
    mean = float(usd[first].mean()) or 1.0
    return np.asarray(np.log(usd / mean + _NOTHING)[:, None], dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class _Trial:
    """Sweeps in order of issue, and how they are divided into what is fitted and what is judged."""

    order: npt.NDArray[np.int64]
    realised: Floats
    folds: list[tuple[int, int]]
    block: float

    def losses(self, features: Floats) -> Floats:
        """Deviance of each judged issue."""
        first, last = self.folds[0][0], self.folds[-1][1]
        out = np.zeros(last - first)
        for begin, end in self.folds:
            seen, new = self.order < begin, (self.order >= begin) & (self.order < end)
            expected = fit(features[seen], self.realised[seen]).predict(features[new])
            np.add.at(out, self.order[new] - first, deviance(self.realised[new], expected))
        return out

    def gain(self, losses: Floats, base: Floats) -> Gain:
        """How much of the base's deviance is gone; the interval from whole days drawn anew."""
        times = counts(len(base), self.block, _RESAMPLES, 1)
        drawn = 1 - np.divide(times @ losses, times @ base, out=np.ones(len(times)), where=times @ base > 0)
        low, high = np.quantile(drawn, [0.05, 0.95])
        return Gain(1 - float(losses.sum() / base.sum()), float(low), float(high))
