"""Fit on one span, judge on a later one: price alone, map alone, both, and the placebos, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from liqmap.positions.engine.calibrated_recipe import DISTANCES, prior_shape, trailing_volume
from liqmap.score import placebo, price_baseline
from liqmap.score.engine_predictions import unit
from liqmap.score.stats.bootstrap import gain
from liqmap.score.stats.em_fit import PRIOR_HOURS, Shares, em
from liqmap.score.stats.poisson import deviance, fit

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.provenance import JSON
    from liqmap.history.queries import Floats, MarketBars
    from liqmap.score.periods import Periods

__all__ = ["Row", "Trial", "hourly"]

_MILLION = 1e6
_SHUFFLES = 4
_STANDING = ", standing levels only"


@dataclass(frozen=True, slots=True)
class Row:
    """One predictor on the judged span, longs first.

    Attributes:
        name: What predicts.
        deviance: Poisson deviance, millions of USD.
        gain: Share of the deviance of price alone that is gone; negative if there is more.
        low, high: 90 % interval of the gain (24-hour stationary block bootstrap of the judged periods).
    """

    name: str
    deviance: tuple[float, float]
    gain: tuple[float, float]
    low: tuple[float, float]
    high: tuple[float, float]

    def to_dict(self) -> dict[str, JSON]:
        """Plain data, by side."""
        sides = {}
        for s, side in enumerate(("long", "short")):
            figures = {"deviance": self.deviance, "gain": self.gain, "low": self.low, "high": self.high}
            sides[side] = {key: value[s] for key, value in figures.items()}
        return {"name": self.name, **sides}  # type: ignore[dict-item]


@dataclass(frozen=True, eq=False)
class Trial:
    """One fit and one judgement.

    Attributes:
        bars: Up to the end of the judged span, warm-up included.
        periods: With their realised liquidations.
        fitted, judged: Indices of periods.
    """

    bars: MarketBars
    periods: Periods
    fitted: npt.NDArray[np.intp]
    judged: npt.NDArray[np.intp]

    def realised(self, side: int) -> Floats:
        """Millions of USD per period."""
        return np.asarray(self.periods.realised[:, side] / _MILLION, dtype=np.float64)

    @cached_property
    def usual(self) -> Floats:
        """What is expected to trade in each period, millions of USD; ones where no volume is known."""
        if not np.isfinite(self.bars.volume_base).any():
            return np.ones(len(self.periods))
        volume = trailing_volume(self.bars, instrument=self.bars.instrument)
        return self.periods.gather(volume * self.bars.open) / _MILLION

    @cached_property
    def price_alone(self) -> tuple[Floats, Floats]:
        """Log features of price alone, by side."""
        long, short = (price_baseline.logged(price_baseline.extremes(self.bars, self.periods, side)) for side in (0, 1))
        return long, short

    @cached_property
    def price_and_close(self) -> tuple[Floats, Floats]:
        """The harder baseline: range and close as well, by side."""
        more = (price_baseline.logged(price_baseline.closes(self.bars, self.periods, side)) for side in (0, 1))
        long, short = (np.column_stack(pair) for pair in zip(self.price_alone, more, strict=True))
        return long, short

    def shares(self, swept: Floats, side: int) -> Shares:
        """EM on the fitted span; ``swept`` is USD per bar, shape ``(bars, 2, brackets)``."""
        x = self.periods.gather(swept[:, side]) / _MILLION
        return em(
            x[self.fitted],
            self.realised(side)[self.fitted],
            self.usual[self.fitted],
            prior=prior_shape(DISTANCES),
            prior_periods=PRIOR_HOURS / self.periods.hours,
        )

    def map_alone(self, swept: Floats) -> tuple[Floats, Floats]:
        """Log of the calibrated prediction, by side: one column each."""
        made = []
        for side in (0, 1):
            x = self.periods.gather(swept[:, side]) / _MILLION
            made.append(np.log(self.shares(swept, side).expected(x, self.usual))[:, None])
        return made[0], made[1]

    def losses(self, *features: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """Deviance of each judged period, by side, of the regression that takes all the features."""
        out = []
        for side in (0, 1):
            x, y = np.column_stack([f[side] for f in features]), self.realised(side)
            expected = fit(x[self.fitted], y[self.fitted]).predict(x[self.judged])
            out.append(deviance(y[self.judged], expected))
        return out[0], out[1]

    def row(self, name: str, *features: tuple[Floats, Floats], beside: tuple[Floats, Floats] | None = None) -> Row:
        """The features against price alone, or against other losses."""
        base = self.losses(self.price_alone) if beside is None else beside
        losses = self.losses(*features)
        block = 24 / self.periods.hours
        bounds = [gain(mine, its, block=block) for mine, its in zip(losses, base, strict=True)]
        totals = [float(mine.sum()) for mine in losses]
        gains = [1 - float(mine.sum() / its.sum()) for mine, its in zip(losses, base, strict=True)]
        return Row(
            name,
            (totals[0], totals[1]),
            (gains[0], gains[1]),
            (bounds[0][0], bounds[1][0]),
            (bounds[0][1], bounds[1][1]),
        )


def hourly(trial: Trial, *, placebos: bool = True) -> dict[str, tuple[Row, ...]]:
    """The tables of a calibrated kernel: ``skill`` and ``harder`` (against a baseline that knows range and close).

    With placebos, ``placebo`` repeats price + map with each of them; shuffled days are dealt four times.
    """
    price_, close = trial.price_alone, trial.price_and_close
    swept = unit(trial.bars)
    standing = trial.map_alone(swept.standing)
    whole = trial.map_alone(swept.standing + swept.born)
    skill = (
        trial.row("price alone", price_),
        trial.row("map alone", whole),
        trial.row("price + map", price_, whole),
        trial.row(f"map alone{_STANDING}", standing),
        trial.row(f"price + map{_STANDING}", price_, standing),
    )
    base = trial.losses(close)
    harder = (
        trial.row("price, range and close", close, beside=base),
        trial.row("map alone", whole, beside=base),
        trial.row("price, range and close + map", close, whole, beside=base),
        trial.row(f"price, range and close + map{_STANDING}", close, standing, beside=base),
    )
    tables = {"skill": skill, "harder": harder}
    if placebos:
        tables["placebo"] = tuple(_placebos(trial, swept.born))
    return tables


def _placebos(trial: Trial, born: Floats) -> list[Row]:
    """Price + map where the standing levels come from each placebo, with and without what opens within the bar.

    A placebo's volume is all the volume its map, and what is expected to trade, are made from.
    """
    fakes = {"constant volume": placebo.constant_volume(trial.bars)}
    fakes |= {f"shuffled days {seed}": placebo.shuffled_days(trial.bars, seed=seed) for seed in range(1, _SHUFFLES + 1)}
    rows = []
    for name, bars in fakes.items():
        fake, swept = replace(trial, bars=bars), unit(bars)
        rows.append(fake.row(f"price + {name}", fake.price_alone, fake.map_alone(swept.standing + swept.born)))
        rows.append(fake.row(f"price + {name}{_STANDING}", fake.price_alone, fake.map_alone(swept.standing)))
    wrong = placebo.mirrored(trial.bars, trial.periods)
    rows.append(trial.row("price + mirrored levels", trial.price_alone, trial.map_alone(wrong + born)))
    rows.append(trial.row(f"price + mirrored levels{_STANDING}", trial.price_alone, trial.map_alone(wrong)))
    return rows
