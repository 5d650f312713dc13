"""`liqmap.histogram` equals an oracle in plain Python, for every producer of Arrow streams."""

from __future__ import annotations

import math
from typing import Any

import arro3.core
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqmap
from liqmap import Grid, InputError
from liqmap.maps.histogram import Histogram, histogram

Row = tuple[float | None, float | None, int | None, int | None]
_LIMIT = 1e12


def oracle(rows: list[Row], grid: Grid, brackets: int) -> tuple[dict[tuple[int, int, int], int], list[int], int]:
    """Cells, units outside and number of rejected levels, computed one level at a time in integers."""
    cells: dict[tuple[int, int, int], int] = {}
    outside, rejected = [0, 0, 0, 0], 0
    for price, notional, side, bracket in rows:
        valid = (
            price is not None
            and math.isfinite(price)
            and price > 0
            and notional is not None
            and 0 <= notional <= _LIMIT
            and side in (1, -1)
            and bracket is not None
            and 0 <= bracket < brackets
        )
        if not valid:
            rejected += 1
            continue
        units = math.floor(notional * 10_000 + 0.5)
        short = int(side == -1)
        index = (math.floor(price * (1 / grid.tick) + 0.5) - grid.low_tick) // grid.width_ticks
        if 0 <= index < grid.bins:
            cells[short, bracket, index] = cells.get((short, bracket, index), 0) + units
        else:
            outside[2 * short + int(index >= 0)] += units
    return cells, outside, rejected


def check(h: Histogram, rows: list[Row], grid: Grid, brackets: int) -> None:
    cells, outside, rejected = oracle(rows, grid, brackets)
    want = np.zeros((2, brackets, grid.bins), dtype=np.int64)
    for at, units in cells.items():
        want[at] = units
    assert np.array_equal(h.units, want)
    assert h.outside.ravel().tolist() == outside
    assert (h.accepted, h.rejected) == (len(rows) - rejected, rejected)


def table(rows: list[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[], [], [], []]
    return pa.table(
        {
            "price": pa.array(columns[0], pa.float64()),
            "notional": pa.array(columns[1], pa.float64()),
            "side": pa.array(columns[2], pa.int8()),
            "bracket": pa.array(columns[3], pa.uint8()),
        }
    )


_DUCKDB = duckdb.connect()


def through_duckdb(t: pa.Table) -> Any:
    return _DUCKDB.from_arrow(t)


PRODUCERS = {
    "pyarrow": lambda t: t,
    "arro3": arro3.core.Table.from_arrow,
    "polars": pl.from_arrow,
    "duckdb": through_duckdb,
    "chunked": lambda t: pa.concat_tables([t.slice(0, len(t) // 3), t.slice(len(t) // 3)]),
    "sliced": lambda t: pa.concat_tables([t, t, t]).combine_chunks().slice(len(t), len(t)),
    "batches": lambda t: t.to_reader(max_chunksize=3),
}

prices = st.one_of(
    st.integers(0, 4_000).map(lambda t: t / 10),
    st.floats(0, 500),
    st.sampled_from([math.nan, math.inf, -1.0, 0.0, 1e300, 100.0, None]),
)
notionals = st.one_of(
    st.integers(0, 10**6).map(float), st.floats(0, 1e7), st.sampled_from([math.nan, -1.0, 2e12, None])
)
levels = st.lists(st.tuples(prices, notionals, st.sampled_from([1, -1, 0, None]), st.sampled_from([0, 1, 2, 7, None])))
grids = st.builds(Grid, st.sampled_from([0.1, 0.5, 1.0]), st.integers(0, 900), st.integers(1, 60), st.integers(1, 80))


@pytest.mark.parametrize("producer", PRODUCERS)
@settings(max_examples=150, deadline=None)
@given(rows=levels, grid=grids, brackets=st.integers(1, 4))
def test_equals_the_oracle_exactly(producer: str, rows: list[Row], grid: Grid, brackets: int) -> None:
    check(histogram(PRODUCERS[producer](table(rows)), grid, brackets=brackets), rows, grid, brackets)


@pytest.mark.slow
@settings(max_examples=12_000, deadline=None)
@given(rows=levels, grid=grids, brackets=st.integers(1, 4), producer=st.sampled_from(sorted(PRODUCERS)))
def test_equals_the_oracle_exactly_in_a_long_search(producer: str, rows: list[Row], grid: Grid, brackets: int) -> None:
    check(histogram(PRODUCERS[producer](table(rows)), grid, brackets=brackets), rows, grid, brackets)


@settings(max_examples=100, deadline=None)
@given(rows=levels, grid=grids, cut=st.integers(0, 50))
def test_histograms_of_parts_sum_to_that_of_the_whole(rows: list[Row], grid: Grid, cut: int) -> None:
    a, b = (histogram(table(part), grid, brackets=3) for part in (rows[:cut], rows[cut:]))
    for merged in (a + b, b + a):
        check(merged, rows, grid, 3)


def test_a_large_table_is_binned_exactly_on_several_threads() -> None:
    rng = np.random.default_rng(1)
    n = 700_000
    rows = {
        "price": rng.normal(80_000, 9_000, n),
        "notional": rng.integers(0, 10**6, n).astype(float),
        "side": rng.choice(np.array([-1, 1], dtype=np.int8), n),
        "bracket": rng.integers(0, 10, n).astype(np.uint8),
    }
    grid = Grid.between(40_000, 120_000, 50, tick=0.1)
    h = histogram(pa.table(rows), grid, brackets=10)
    ticks = np.floor(rows["price"] * 10.0 + 0.5).astype(np.int64)
    index = (ticks - grid.low_tick) // grid.width_ticks
    inside = (index >= 0) & (index < grid.bins)
    want = np.zeros((2, 10, grid.bins), dtype=np.int64)
    at = ((rows["side"] < 0).astype(int), rows["bracket"], index)
    np.add.at(want, tuple(a[inside] for a in at), (rows["notional"][inside] * 10_000).astype(np.int64))
    assert np.array_equal(h.units, want)
    assert h.units.sum() + h.outside.sum() == int(rows["notional"].sum()) * 10_000


def test_text_sides_and_wider_types_are_converted() -> None:
    rows = pd.DataFrame(
        {"price": [99, 101], "notional": [10, 20], "side": ["long", "short"], "bracket": np.array([0, 1], np.int64)}
    )
    h = liqmap.histogram(pa.Table.from_pandas(rows), Grid.between(90, 110, 10, tick=1.0), brackets=2)
    assert h.long.tolist() == [[10.0, 0.0], [0.0, 0.0]]
    assert h.short.tolist() == [[0.0, 0.0], [0.0, 20.0]]


def test_an_empty_table_makes_an_empty_histogram() -> None:
    h = histogram(table([]), Grid.between(1, 2, 1, tick=1.0))
    assert (h.units.sum(), h.accepted, h.rejected) == (0, 0, 0)


@pytest.mark.parametrize(
    ("levels_", "what"),
    [
        (pa.table({"price": [1.0], "side": [1]}), "notional"),
        (pa.table({"price": ["x"], "notional": [1.0], "side": [1]}), "price"),
        ([1, 2, 3], "a list"),
        (pa.table({"price": [5.0] * 2000, "notional": [1e12] * 2000, "side": [1] * 2000}), "2e15"),
    ],
)
def test_an_invalid_table_is_rejected(levels_: Any, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        histogram(levels_, Grid.between(1, 10, 1, tick=1.0))
    assert str(caught.value).startswith("liqmap: histogram: ")


def test_histograms_of_different_grids_do_not_add() -> None:
    a, b = (histogram(table([]), Grid.between(1, high, 1, tick=1.0)) for high in (2, 3))
    with pytest.raises(InputError, match="one grid"):
        _ = a + b


@pytest.mark.parametrize("other", [Grid(1.0, 100, 1, 10), Grid(0.5, 0, 1, 10), Grid(1.0, 0, 2, 10)])
def test_histograms_of_different_grids_of_equal_shape_do_not_add(other: Grid) -> None:
    a, b = (histogram(table([]), grid) for grid in (Grid(1.0, 0, 1, 10), other))
    assert a.units.shape == b.units.shape
    with pytest.raises(InputError, match="one grid"):
        _ = a + b
