"""Each scenario equals a cascade; thread count and container type do not change the result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import liqmap
from _helpers.small_maps import FIVE, by_levels
from liqmap._base.errors import InputError
from liqmap.stress.cascade import cascade
from liqmap.stress.impact import Linear, PowerLaw
from liqmap.stress.scenarios import scenarios

LAW = Linear(depth=1e6 * 100_000)
RNG = np.random.default_rng(5)


def test_each_scenario_equals_a_single_cascade() -> None:
    of = by_levels(dict(zip(np.arange(99_900.0, 92_000.0, -100.0), RNG.exponential(2e7, 79), strict=True)))
    shocks, multipliers = -RNG.uniform(0.001, 0.06, 3_000), RNG.uniform(0.3, 2.0, 3_000)
    for kind in ("news", "flow"):
        found = scenarios(of, PowerLaw(), shocks, multipliers, kind=kind)  # type: ignore[arg-type]
        for i in range(0, 3_000, 100):
            d1, beta = PowerLaw().bid
            law = PowerLaw(bid=(d1 * multipliers[i], beta))
            alone = cascade(of, float(shocks[i]), law, kind=kind)  # type: ignore[arg-type]
            assert found.stop_price[i] == alone.stop_price
            assert found.liquidated[i] == alone.liquidated
            assert found.exhausted[i] == alone.depth_exhausted


def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    of = by_levels(FIVE)
    shocks, multipliers = -RNG.uniform(0.001, 0.06, 100_000), RNG.uniform(0.05, 4.0, 100_000)
    one, two = (liqmap.scenarios(of, LAW, shocks, multipliers, threads=n) for n in (1, 2))
    assert one.displacement.tobytes() == two.displacement.tobytes()
    assert one.liquidated.tobytes() == two.liquidated.tobytes()
    assert one.exhausted.tobytes() == two.exhausted.tobytes()


@pytest.mark.parametrize("column", [np.array, pa.array, pl.Series, list, lambda v: pa.chunked_array([v[:1], v[1:]])])
def test_any_column_type_is_accepted(column: Any) -> None:
    found = scenarios(by_levels(FIVE), LAW, column([-0.004, -0.005, -0.0065, -0.01]))
    assert found.stop_price.tolist() == [99_600, 99_000, 98_350, 97_600]
    assert found.liquidated.tolist() == [0, 500e6, 1_000e6, 1_400e6]


def test_scenarios_export_to_arrow() -> None:
    found = scenarios(by_levels(FIVE), LAW, [-0.005, -0.01], 2.0)
    table = pa.table(found.to_arrow())
    assert table.column_names == [
        "shock",
        "depth_multiplier",
        "displacement",
        "stop_price",
        "liquidated_usd",
        "depth_exhausted",
    ]
    assert table["depth_multiplier"].to_pylist() == [2.0, 2.0]
    assert table["stop_price"].to_pylist() == found.stop_price.tolist()
    assert table["depth_exhausted"].to_pylist() == [False, False]


def test_statistics_per_shock() -> None:
    shocks = np.repeat([-0.01, -0.005], 4)
    found = scenarios(by_levels(FIVE), LAW, shocks, np.tile([0.5, 1.0, 2.0, 4.0], 2))
    small, large = found.by_shock(quantiles=(0.0, 0.5, 1.0))
    assert (small.shock, small.scenarios, large.shock) == (-0.005, 4, -0.01)
    displacement = found.displacement[4:]
    assert small.displacement == pytest.approx(displacement.mean())
    assert small.impact == pytest.approx(displacement.mean() - 0.005)
    assert small.quantiles == {0.0: displacement.min(), 0.5: np.median(displacement), 1.0: displacement.max()}
    assert small.liquidated == found.liquidated[4:].mean()
    assert large.displacement > small.displacement


def test_scenarios_of_shorts_move_up() -> None:
    of = by_levels({200_000 - price: usd for price, usd in FIVE.items()})
    assert scenarios(of, LAW, [0.005, 0.01]).stop_price.tolist() == [101_000, 102_400]


@pytest.mark.parametrize(
    ("shocks", "multipliers"),
    [
        ([], 1.0),
        ([-0.01, 0.01], 1.0),
        ([0.0], 1.0),
        ([-1.0], 1.0),
        ([math.nan], 1.0),
        ([-0.01], 0.0),
        ([-0.01], math.inf),
        ([-0.01], -1.0),
        ([-0.01, -0.02], [1.0, 1.0, 1.0]),
        (["much"], 1.0),
        ([[-0.01]], 1.0),
        (pa.array([-0.01, None]), 1.0),
    ],
)
def test_invalid_scenarios_are_rejected(shocks: Any, multipliers: Any) -> None:
    with pytest.raises(InputError, match=r"^liqmap: scenarios: "):
        scenarios(by_levels({**FIVE, 101_000.0: 1e6}), LAW, shocks, multipliers)


def test_an_empty_side_is_rejected() -> None:
    with pytest.raises(InputError, match="an empty map"):
        scenarios(by_levels(FIVE), LAW, [0.01])
