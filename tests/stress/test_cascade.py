"""Cascades on a map: hand-computed tables, the law range, and invalid inputs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from _helpers.small_maps import FIVE, SmallMap, by_levels
from liqmap._base.errors import InputError
from liqmap.stress.book_side import SideDepth
from liqmap.stress.cascade import cascade
from liqmap.stress.depth import Depth
from liqmap.stress.impact import Linear, PowerLaw, SquareRoot
from liqmap.stress.thresholds import thresholds

ONE_DOLLAR_PER_MILLION = Linear(depth=1e6 * 100_000)


@pytest.mark.parametrize(
    ("shock", "stop", "liquidated", "amplification", "rounds"),
    [
        (400, 99_600, 0, 1, 1),
        (500, 99_000, 500e6, 2.0, 3),
        (650, 98_350, 1_000e6, 2.5385, 4),
        (1_000, 97_600, 1_400e6, 2.4, 4),
    ],
)
def test_cascades_of_five_levels_equal_the_hand_computed_table(
    shock: int, stop: float, liquidated: float, amplification: float, rounds: int
) -> None:
    found = cascade(by_levels(FIVE), -shock / 100_000, ONE_DOLLAR_PER_MILLION)
    assert found.stop_price == stop
    assert found.liquidated == liquidated
    assert found.amplification == pytest.approx(amplification, abs=5e-5)
    assert found.rounds == rounds
    assert found.start_price == 100_000 - shock
    assert not found.depth_exhausted


def test_thresholds_of_the_five_levels_equal_the_hand_computed_table() -> None:
    found = thresholds(by_levels(FIVE), "long", ONE_DOLLAR_PER_MILLION)
    assert (found.sigma / 2).tolist() == [500, 500, 600, 1000, 1600]
    assert found.shock_needed.tolist() == [-0.005, -0.005, -0.006, -0.01, -0.016]
    assert found.group.tolist() == [0, 0, 1, 2, 3]
    assert found.price.tolist() == list(FIVE)
    assert found.needed(98_900.0) == -0.006
    assert found.needed(98_700.0) == -0.01, "the nearest level at or beyond a price"
    assert found.needed(50_000.0) is None


def test_the_chain_lists_levels_by_round() -> None:
    found = cascade(by_levels(FIVE), -0.01, ONE_DOLLAR_PER_MILLION)
    assert [(step.price, step.notional, step.round) for step in found.chain] == [
        (99_500, 300e6, 1),
        (99_200, 200e6, 1),
        (98_900, 500e6, 2),
        (98_000, 400e6, 3),
    ]
    assert found.chain[0].leverage == {10.0: 0.75, 50.0: 0.25}
    assert found.by_leverage == {10.0: 1_050e6, 50.0: 350e6}
    assert found.share_20x == 0.25
    assert sum(step.notional for step in found.chain) == found.liquidated


def test_adjacent_bins_of_one_round_are_one_step() -> None:
    found = cascade(by_levels({99_500.0: 1e6, 99_499.0: 3e6, 99_498.0: 2e6}), -0.005, ONE_DOLLAR_PER_MILLION)
    # The first bin moves the price by one dollar, which triggers the next.
    assert [(step.price, step.notional, step.round) for step in found.chain] == [
        (99_500, 1e6, 1),
        (99_499, 3e6, 2),
        (99_498, 2e6, 3),
    ]
    at_once = cascade(by_levels({99_500.0: 1e6, 99_499.0: 3e6, 99_498.0: 2e6}), -0.006, ONE_DOLLAR_PER_MILLION)
    assert [(step.price, step.low, step.high, step.notional) for step in at_once.chain] == [
        (99_499, 99_497.5, 99_500.5, 6e6)
    ]


def test_shorts_mirror_longs() -> None:
    down = cascade(by_levels(FIVE), -0.0065, ONE_DOLLAR_PER_MILLION)
    up = cascade(by_levels({200_000 - price: usd for price, usd in FIVE.items()}), 0.0065, ONE_DOLLAR_PER_MILLION)
    assert up.side == "short"
    assert up.stop_price - 100_000 == 100_000 - down.stop_price
    assert (up.liquidated, up.rounds, up.amplification) == (down.liquidated, down.rounds, down.amplification)


def test_a_flow_shock_moves_the_price_farther_than_news_in_a_concave_book() -> None:
    law = PowerLaw(bid=(600e6, 0.75), ask=(600e6, 0.75))
    levels = {
        100_000 * (1 - d): q * 1e6
        for d, q in zip((0.012, 0.015, 0.02, 0.03, 0.05), (60, 120, 250, 100, 400), strict=True)
    }
    news = cascade(by_levels(levels), -0.02, law)
    flow = cascade(by_levels(levels), -0.02, law, kind="flow")
    # Published: 0.026413 and 0.035114; the tick here is half a dollar in 100,000.
    assert (news.displacement, news.liquidated) == (pytest.approx(0.026413, abs=3e-6), pytest.approx(430e6))
    assert (flow.displacement, flow.liquidated) == (pytest.approx(0.035114, abs=3e-6), pytest.approx(530e6))


def test_the_law_range_is_ordered_by_displacement() -> None:
    found = cascade(by_levels(FIVE), -0.005, PowerLaw(), square_root=SquareRoot())
    low, mid, high = found.bracket
    assert low.displacement <= mid.displacement <= high.displacement
    assert {e.law for e in found.bracket} == {"calm", "stressed", "square_root"}
    assert found.stressed.displacement > found.base.displacement
    plain = found.to_dict()["bracket"]
    assert isinstance(plain, dict)
    assert (plain["low"], plain["high"]) == (low.law, high.law)


def test_the_fallback_law_is_stated_among_the_assumptions() -> None:
    found = cascade(by_levels(FIVE), -0.005)
    assert any("fallback" in sentence for sentence in found.assumptions)


def test_flow_beyond_the_known_depth_gives_bounds() -> None:
    thin = SideDepth(np.array([0.001, 0.01]), np.array([1e6, 5e6]))
    found = cascade(by_levels(FIVE), -0.005, Depth(("sim:FIVE",), 0, 100_000.0, thin, thin))
    assert found.depth_exhausted
    assert found.stop_price == 100_000 - 500 - 1_000, "the book ends at 1 %: a bound without extrapolation"
    assert found.base.marginal is None
    assert any("bounds" in sentence for sentence in found.assumptions)


def test_json_is_strict_and_ordered() -> None:
    plain = cascade(by_levels(FIVE), -0.005, ONE_DOLLAR_PER_MILLION).to_dict()
    assert list(plain)[:7] == [
        "shock",
        "stop_price",
        "displacement",
        "liquidated",
        "rounds",
        "amplification",
        "chain",
    ]
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_marginal_displacement_is_null_at_a_jump() -> None:
    before = cascade(by_levels(FIVE), -0.004995, ONE_DOLLAR_PER_MILLION)
    assert before.base.marginal is None, "half a dollar more triggers $300M"
    assert cascade(by_levels(FIVE), -0.004, ONE_DOLLAR_PER_MILLION).base.marginal == 1.0


@pytest.mark.parametrize("shock", [0.0, -1.0, 1.0, -1.5, math.nan, math.inf, 1e-9])
def test_an_invalid_shock_is_rejected(shock: float) -> None:
    with pytest.raises(InputError, match=r"^liqmap: cascade: shock: "):
        cascade(by_levels({**FIVE, 101_000.0: 1e6}), shock, ONE_DOLLAR_PER_MILLION)


def test_an_empty_side_is_rejected() -> None:
    with pytest.raises(InputError, match="an empty map"):
        cascade(by_levels(FIVE), 0.01, ONE_DOLLAR_PER_MILLION)


def test_levels_that_the_mark_has_passed_are_counted_but_not_used() -> None:
    of = by_levels({**FIVE, 100_100.0: 1e6})
    passed = SmallMap(of.mark_price, of.grid, of.brackets, of.long + of.short, of.short)
    found = cascade(passed, -0.005, ONE_DOLLAR_PER_MILLION)
    assert found.liquidated == 500e6
    assert any("$1,000,000 of long levels on the wrong side of the mark" in sentence for sentence in found.assumptions)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_invalid_notional_is_rejected(bad: float) -> None:
    of = by_levels(FIVE)
    of.long[0, 0] = bad
    with pytest.raises(InputError, match="negative or not finite"):
        cascade(of, -0.005, ONE_DOLLAR_PER_MILLION)


def test_an_invalid_mark_is_rejected() -> None:
    of = by_levels(FIVE)
    for mark in (0.0, -5.0, math.nan, math.inf):
        with pytest.raises(InputError, match="mark price"):
            cascade(SmallMap(mark, of.grid, of.brackets, of.long, of.short), -0.005)


def test_a_book_without_bids_cannot_absorb_forced_sales() -> None:
    none = SideDepth(np.array([]), np.array([]))
    asks = SideDepth(np.array([0.001]), np.array([1e6]))
    with pytest.raises(InputError, match="no bids"):
        cascade(by_levels(FIVE), -0.005, Depth(("sim:FIVE",), 0, 100_000.0, none, asks))
