"""Touch probability agrees with published figures and with simulated paths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from liqmap._base.errors import InputError
from liqmap.stress.touch_probability import ewma_volatility, touch_probability


@pytest.mark.parametrize(
    ("distance", "hours", "continuous", "every_minute"),
    [(-0.01, 12, 0.5871, 0.5722), (-0.02, 12, 0.2750, 0.2655), (-0.05, 24, 0.0500, 0.0482)],
)
def test_published_examples_are_reproduced(
    distance: float, hours: float, continuous: float, every_minute: float
) -> None:
    assert touch_probability(distance, 0.5, hours) == pytest.approx(continuous, abs=5e-5)
    assert touch_probability(distance, 0.5, hours, every_hours=1 / 60) == pytest.approx(every_minute, abs=5e-5)


def test_simulated_random_walks_touch_with_the_computed_probability() -> None:
    rng = np.random.default_rng(1)
    step = 0.5 / math.sqrt(8760 * 12)
    lows = np.minimum.accumulate(np.cumsum(rng.normal(0, step, (20_000, 144)), axis=1), axis=1)[:, -1]
    share = np.mean(lows <= math.log(0.98))
    assert share == pytest.approx(touch_probability(-0.02, 0.5, 12, every_hours=1 / 12), abs=0.01)


def test_the_probability_at_distance_zero_is_one() -> None:
    assert touch_probability(0.0, 0.5, 4) == 1


@pytest.mark.parametrize(
    ("distance", "volatility", "hours"), [(-1.0, 0.5, 4), (0.01, 0, 4), (0.01, 0.5, -1), (math.nan, 1, 1)]
)
def test_invalid_numbers_are_rejected(distance: float, volatility: float, hours: float) -> None:
    with pytest.raises(InputError, match="touch"):
        touch_probability(distance, volatility, hours)


def test_the_volatility_of_a_random_walk_is_recovered() -> None:
    rng = np.random.default_rng(2)
    close = 70_000 * np.exp(np.cumsum(rng.normal(0, 0.6 / math.sqrt(8760 * 12), 20_000)))
    assert ewma_volatility(close, 300, half_life_h=240) == pytest.approx(0.6, rel=0.03)
    with pytest.raises(InputError):
        ewma_volatility(np.array([1.0]), 300)
    with pytest.raises(InputError):
        ewma_volatility(np.array([1.0, -1.0]), 300)
