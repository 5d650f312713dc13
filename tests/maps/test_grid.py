"""The grid: validation, default grid and printed edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqmap import Grid, InputError


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Grid(0.0, 0, 1, 1), "tick"),
        (lambda: Grid(math.nan, 0, 1, 1), "tick"),
        (lambda: Grid(0.1, 0, 0, 1), "width"),
        (lambda: Grid(0.1, 0, 1, 0), "bins"),
        (lambda: Grid(0.1, 0, 1, 1_000_001), "bins"),
        (lambda: Grid(0.1, 2**51, 1, 1), "2\\^51"),
        (lambda: Grid(0.1, 0, 2**30, 2), "2\\^31"),
        (lambda: Grid.between(10, 10, 1, tick=0.1), "high above low"),
        (lambda: Grid.between(10, 9, 1, tick=0.1), "high above low"),
        (lambda: Grid.between(10, math.inf, 1, tick=0.1), "finite"),
        (lambda: Grid.between(10, 20, 0.01, tick=0.1), "at least one tick"),
    ],
)
def test_an_invalid_grid_is_rejected(make: object, what: str) -> None:
    with pytest.raises(InputError, match=what):
        make()  # type: ignore[operator]


@given(mark=st.integers(20, 10**7).map(lambda t: t / 10), reach=st.floats(0.01, 0.9))
def test_no_bin_of_the_default_grid_holds_both_sides(mark: float, reach: float) -> None:
    grid = Grid.around(mark, 0.1, reach=reach)
    assert np.isclose(grid.edges(), mark, rtol=0, atol=1e-9).any()
    at = grid.bin_of(mark)
    assert at is not None
    assert grid.bin_of(mark - 0.1) in (at - 1, None)
    assert grid.low > 0


def test_edges_have_no_rounding_noise() -> None:
    assert Grid.between(60_000.1, 60_000.5, 0.1, tick=0.1).edges().tolist() == [
        60_000.1,
        60_000.2,
        60_000.3,
        60_000.4,
        60_000.5,
    ]
