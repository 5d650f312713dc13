"""The cohort engine agrees with a slow but simple implementation in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqmap import InputError
from liqmap._core import Cohorts

STEP = 1e-3
# long distance, short distance, long share, short share, half-life in hours
BRACKETS = np.array([[0.3, 0.3, 0.2, 0.1, 100.0], [0.05, 0.05, 0.3, 0.4, 10.0], [0.01, 0.01, 0.5, 0.4, math.inf]])
Bar = tuple[float, float, float, float, float, float, float]


class Oracle:
    """Coin in dictionaries, one bar at a time; a short is a long on a mirrored price axis."""

    def __init__(self, *, long: bool) -> None:
        self.mirror = 1 if long else -1
        self.column = 0 if long else 1
        self.bins: list[dict[int, float]] = [defaultdict(float) for _ in BRACKETS]
        self.opened = self.closed = self.liquidated = self.unmapped = 0.0
        self.started = False

    def y(self, price: float) -> float:
        return self.mirror * math.log(price) / STEP

    def price(self, index: int) -> float:
        return math.exp(self.mirror * (index + 0.5) * STEP)

    @property
    def mapped(self) -> float:
        return sum(sum(bins.values()) for bins in self.bins)

    def step(self, bar: Bar) -> list[float]:
        hours, low, high, close, oi, *flows = bar
        flow = flows[self.column]
        if not self.started:
            self.opened = self.unmapped = oi
            self.started = True
        start, end = sorted((self.y(low), self.y(high)))
        liquidated = [0.0] * len(BRACKETS)
        for b, (bins, bracket) in enumerate(zip(self.bins, BRACKETS, strict=True)):
            for index in [i for i in bins if i >= math.floor(start)]:
                coin = bins.pop(index)
                self.liquidated += coin
                liquidated[b] += coin * self.price(index)
            share = 0.5 ** (hours / bracket[4])
            for index in bins:
                self.closed += bins[index] * (1 - share)
                bins[index] *= share
            distance = bracket[self.column]
            shift = math.log(1 - distance) / STEP if self.mirror == 1 else -math.log(1 + distance) / STEP
            coin = flow * bracket[2 + self.column]
            self.opened += coin
            a, z = start + shift, end + shift
            for index in range(math.floor(a), math.floor(z) + 1):
                overlap = (min(z, index + 1) - max(a, index)) / (z - a) if z > a else 1.0
                if index < math.floor(self.y(close)):
                    bins[index] += coin * overlap
                else:
                    self.liquidated += coin * overlap
                    liquidated[b] += coin * overlap * self.price(index)
        if self.mapped > oi:
            share = oi / self.mapped
            for bins in self.bins:
                for index in bins:
                    self.closed += bins[index] * (1 - share)
                    bins[index] *= share
        self.unmapped = oi - self.mapped
        rest = oi - (self.opened - self.closed - self.liquidated)
        self.opened += max(rest, 0.0)
        self.closed += max(-rest, 0.0)
        return liquidated


@st.composite
def histories(draw: st.DrawFn) -> list[Bar]:
    price, bars = 50_000.0, []
    for _ in range(draw(st.integers(1, 12))):
        price *= math.exp(draw(st.floats(-0.05, 0.05)))
        wide = draw(st.sampled_from([0.0, 0.002, 0.03]))
        low, high = price * (1 - wide), price * (1 + wide)
        close = min(high, low + (high - low) * draw(st.floats(0, 1)))
        oi = draw(st.sampled_from([0.0, 50.0, 1_000.0]))
        flow = st.sampled_from([0.0, 1.0, 77.7])
        bars.append((draw(st.sampled_from([0.0, 1.0, 30.0])), low, high, close, oi, draw(flow), draw(flow)))
    return bars


def columns(bars: list[Bar]) -> list[np.ndarray]:
    return [np.array(column, dtype=np.float64) for column in zip(*bars, strict=True)]


@settings(max_examples=200, deadline=None)
@given(bars=histories())
def test_the_engine_equals_the_plain_python_implementation(bars: list[Bar]) -> None:
    engine = Cohorts(BRACKETS, STEP)
    sides = [Oracle(long=True), Oracle(long=False)]
    for bar in bars:
        predicted, _ = engine.advance(*columns([bar]))
        for s, (side, account) in enumerate(zip(sides, engine.accounts(), strict=True)):
            liquidated = side.step(bar)
            assert predicted[0, s] == pytest.approx(liquidated, rel=1e-6, abs=1e-3)
            wanted = (side.opened, side.closed, side.liquidated, side.mapped, side.unmapped)
            assert account == pytest.approx(wanted, rel=1e-7, abs=1e-6)
            opened, closed, liquidated, mapped, unmapped = account
            assert abs(opened - closed - liquidated - bar[4]) <= 1e-9 * max(bar[4], 1)
            assert abs(mapped + unmapped - bar[4]) <= 1e-9 * max(bar[4], 1)
    price, coin, signs, _ = engine.levels()
    close = bars[-1][3]
    assert (price[signs > 0] < close).all()
    assert (price[signs < 0] > close).all()
    assert coin[signs > 0].sum() == pytest.approx(sides[0].mapped, abs=1e-6)


def test_an_invalid_bar_is_rejected_and_leaves_the_engine_unchanged() -> None:
    engine = Cohorts(BRACKETS, STEP)
    with pytest.raises(InputError, match=r"^liqmap: cohorts: .*low <= close <= high"):
        engine.advance(*columns([(1.0, 5e4, 4e4, 5e4, 10.0, 1.0, 1.0)]))
    assert engine.accounts() == [(0.0,) * 5] * 2


@pytest.mark.parametrize(("column", "value"), [(0, 1.0), (1, -0.1), (2, 0.9), (4, 0.0)])
def test_a_bracket_out_of_range_is_rejected(column: int, value: float) -> None:
    brackets = BRACKETS.copy()
    brackets[0, column] = value
    with pytest.raises(InputError, match="liqmap: cohorts: "):
        Cohorts(brackets, STEP)
