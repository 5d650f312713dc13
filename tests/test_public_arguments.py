"""Invalid arguments of public functions raise liqmap's own error, name the argument, and end at once."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

import liqmap
from _helpers.sample_map import sample_map
from liqmap import Grid, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

GRID = Grid.between(60_000, 70_000, 100, tick=0.1)
SHOCKS = np.array([-0.01, -0.02])
BAD_NUMBERS = (0.0, -1.0, math.nan, math.inf)


def levels() -> duckdb.DuckDBPyRelation:
    return duckdb.sql("SELECT 61000.0 AS price, 2.0 AS notional, 1 AS side")


def scenarios(**options: Any) -> liqmap.Scenarios:
    return liqmap.scenarios(sample_map(), liqmap.PowerLaw(), SHOCKS, np.ones(2), **options)


CASES: dict[str, tuple[Callable[[], object], str]] = {
    **{f"mark {x}": (lambda x=x: Grid.around(x, tick=0.1), "grid: mark") for x in BAD_NUMBERS},
    **{f"tick {x}": (lambda x=x: Grid.around(70_000, tick=x), "grid: tick") for x in BAD_NUMBERS},
    **{f"reach {x}": (lambda x=x: Grid.around(70_000, tick=0.1, reach=x), "grid: reach") for x in BAD_NUMBERS},
    **{f"width {x}": (lambda x=x: Grid.around(70_000, tick=0.1, width=x), "grid: width") for x in BAD_NUMBERS},
    "mark of too many ticks": (lambda: Grid.around(1e300, tick=0.1), "grid: mark"),
    "mark below a tick": (lambda: Grid.around(1.0, tick=1e300), "grid: mark"),
    **{
        f"brackets {n}": (lambda n=n: liqmap.histogram(levels(), GRID, brackets=n), "brackets")
        for n in (-1, 0, 257, 10**30)
    },
    "no grid": (lambda: liqmap.histogram(levels(), None), "grid: a NoneType"),  # type: ignore[arg-type]
    "no levels": (lambda: liqmap.histogram(None, GRID), "levels: a NoneType"),
    "negative threads": (lambda: scenarios(threads=-1), "threads"),
    "kind of scenarios": (lambda: scenarios(kind="x"), "kind: 'x'"),
    "kind of a cascade": (lambda: sample_map().cascade(-0.01, kind="x"), "kind: 'x'"),  # type: ignore[arg-type]
    "kind of thresholds": (lambda: sample_map().thresholds("long", kind="x"), "kind: 'x'"),  # type: ignore[arg-type]
    "kind of a curve": (lambda: sample_map().cascade_curve(kind="x"), "kind: 'x'"),  # type: ignore[arg-type]
    "depth that is text": (lambda: sample_map().cascade(-0.01, depth="x"), "depth: a str"),  # type: ignore[arg-type]
    **{
        f"shock {x}": (lambda x=x: sample_map().cascade(x), "shock")
        for x in (0.0, 1.0, -2.0, math.nan, math.inf, 1e300)
    },
}


@pytest.mark.parametrize("case", CASES)
def test_an_invalid_argument_is_named(case: str) -> None:
    call, named = CASES[case]
    with pytest.raises(InputError, match=named):
        call()


def test_a_million_threads_are_capped() -> None:
    start = time.monotonic()
    many, one = scenarios(threads=1_000_000), scenarios(threads=1)
    assert np.array_equal(many.displacement, one.displacement)
    assert time.monotonic() - start < 10
