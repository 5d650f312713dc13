"""Cascade dynamics: insurance fund, auto-deleveraging, refill, whipsaw, coupled venues and tranches."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from _helpers.small_maps import FIVE, by_levels
from liqmap._base.errors import InputError
from liqmap.stress.adl_queue import RANKINGS, deleverage_winners, queue_percentile
from liqmap.stress.cascade import cascade
from liqmap.stress.cascade_replay import HALF_LIVES_S, replay
from liqmap.stress.contribution import contributions
from liqmap.stress.coupled_venues import Contract, coupled_cascade
from liqmap.stress.impact import Linear, PowerLaw
from liqmap.stress.insurance_fund import deleveraging
from liqmap.stress.tranches import HYPERLIQUID_TRANCHES, split_into_tranches
from liqmap.stress.whipsaw import whipsaw, whipsaw_share

LAW = Linear(depth=1e6 * 100_000)


def test_the_fund_pays_until_it_is_exhausted_then_levels_are_deleveraged() -> None:
    rich = deleveraging(by_levels(FIVE), -0.005, LAW, fund=0.16e6, gap=0.001)
    assert (rich.stop_price, rich.executed, rich.deleveraged, rich.first_deleveraged) == (99_000, 500e6, 0, None)
    assert rich.fund_paid == pytest.approx(0.15e6)
    poor = deleveraging(by_levels(FIVE), -0.005, LAW, fund=0.10e6, gap=0.001)
    assert poor.executed / 1e6 == pytest.approx(273.205, abs=5e-4)
    assert poor.deleveraged / 1e6 == pytest.approx(26.795, abs=5e-4)
    assert poor.stop_price == pytest.approx(99_226.79, abs=0.25), "the tick is half a dollar"
    assert poor.first_deleveraged == 99_500
    assert poor.fund_paid == pytest.approx(0.10e6)


@pytest.mark.parametrize(("fund", "gap"), [(-1.0, 0.01), (math.nan, 0.01), (0.0, -0.1), (0.0, math.inf)])
def test_an_invalid_fund_or_gap_is_rejected(fund: float, gap: float) -> None:
    with pytest.raises(InputError):
        deleveraging(by_levels(FIVE), -0.005, LAW, fund=fund, gap=gap)


def test_the_queue_of_the_bitmex_example_is_reproduced() -> None:
    """BitMEX, testnet.bitmex.com/app/autoDeleveragingExamples: accounts 1 to 6, their sizes and ranks."""
    size, rank = np.array([10.0, 10, 20, 30, 20, 10]), np.array([3.0, 6, 1, 4, 5, 2])
    assert (np.argsort(-rank) + 1).tolist() == [2, 5, 4, 1, 6, 3]
    place = queue_percentile(size, rank)
    assert [int(place[account - 1]) for account in (2, 5, 4, 1, 6, 3)] == [20, 40, 60, 80, 80, 100]
    assert deleverage_winners(size, rank, 20.0).tolist() == [0, 10, 0, 0, 10, 0]


def test_scores_follow_the_formula_of_each_venue() -> None:
    profit, leverage = np.array([0.5, 0.1, -0.2, -0.2]), np.array([2.0, 20.0, 5.0, 50.0])
    for venue in ("binance", "bitmex", "bybit", "okx"):
        assert RANKINGS[venue](profit, leverage).tolist() == pytest.approx([1.0, 2.0, -0.04, -0.004])
    # Hyperliquid ranks by mark/entry × leverage: a losing position with high leverage can precede a winning one.
    assert np.argsort(-RANKINGS["hyperliquid"](profit, leverage)).tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize(
    ("size", "score", "amount"),
    [([1.0], [1.0, 2.0], 1.0), ([-1.0], [1.0], 1.0), ([1.0], [math.nan], 1.0), ([1.0], [1.0], -1.0)],
)
def test_invalid_sizes_scores_and_amounts_are_rejected(size: list[float], score: list[float], amount: float) -> None:
    with pytest.raises(InputError):
        deleverage_winners(np.array(size), np.array(score), amount)


def test_the_amount_closed_is_limited_to_the_sum_of_sizes() -> None:
    assert deleverage_winners(np.array([3.0, 4.0]), np.array([1.0, 2.0]), 100.0).tolist() == [3, 4]


def test_refill_stops_cascades_sooner() -> None:
    for theta, permanent, printed in (
        (5.0, 0.5, 972.81),
        (1.0, 0.5, 905.18),
        (1.0, 0.0, 810.36),
        (math.inf, 0.5, 1000),
    ):
        half_life = theta * math.log(2)
        found = replay(by_levels(FIVE), -0.005, LAW, half_life_s=half_life, permanent=permanent)
        assert 100_000 - found.worst_price == pytest.approx(printed, abs=5e-3)
    assert HALF_LIVES_S[-1] == math.inf


def test_a_replay_gives_price_and_orders_per_step() -> None:
    found = replay(by_levels(FIVE), -0.005, LAW, half_life_s=math.inf, permanent=1.0, usd_per_s=100e6, step_s=2.0)
    assert found.seconds.tolist() == [2, 4, 6]
    assert found.sent.tolist() == [200e6, 100e6, 200e6], "the second level is reached only by the rest of the first"
    assert found.price.tolist() == pytest.approx([99_300, 99_200, 99_000])
    assert (found.liquidated, found.last_price) == (500e6, pytest.approx(99_000))
    late = replay(by_levels(FIVE), -0.005, LAW, half_life_s=math.inf, latency_s=3.0)
    assert late.price[:3].tolist() == pytest.approx([99_500] * 3)
    quiet = replay(by_levels(FIVE), -0.004, LAW)
    assert (quiet.price.size, quiet.worst_price, quiet.last_price) == (0, pytest.approx(99_600), pytest.approx(99_600))


@pytest.mark.parametrize(
    "bad", [{"half_life_s": 0.0}, {"permanent": 1.5}, {"usd_per_s": -1.0}, {"latency_s": -1.0}, {"step_s": math.nan}]
)
def test_invalid_replay_parameters_are_rejected(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="replay"):
        replay(by_levels(FIVE), -0.005, LAW, **bad)


def test_a_rebound_liquidates_the_other_side() -> None:
    of = by_levels({**FIVE, 100_200.0: 100e6, 100_300.0: 100e6})
    assert len(whipsaw(of, -0.005, LAW, permanent=1.0)) == 1
    legs = whipsaw(of, -0.005, LAW, permanent=1.0, reversion=1.25)
    assert [(leg.side, leg.start_price, leg.stop_price, leg.liquidated) for leg in legs[:2]] == [
        ("long", 100_000, 99_000, 500e6),
        ("short", 99_000, 100_450, 200e6),
    ]
    assert legs[2].side == "long"
    assert len({id(leg) for leg in legs}) <= 7
    share = whipsaw_share(of, [-0.001, -0.005, -0.006], LAW, permanent=1.0, reversion=1.25)
    assert share == pytest.approx(2 / 3)
    with pytest.raises(InputError):
        whipsaw_share(of, [], LAW)


def test_a_fully_consolidated_book_gives_the_cascade_of_one_market() -> None:
    here = by_levels({99_500.0: 300e6, 98_900.0: 500e6, 97_000.0: 300e6})
    there = replace(by_levels({99_200.0: 200e6, 98_000.0: 400e6}), instrument="sim:THERE")
    found = coupled_cascade([Contract(here, LAW, 0.6), Contract(there, LAW, 0.4)], -0.0065, LAW, consolidation=1.0)
    whole = cascade(by_levels(FIVE), -0.0065, LAW)
    assert found.stop_price == pytest.approx((whole.stop_price, whole.stop_price))
    assert sum(found.liquidated) == whole.liquidated
    assert found.rounds == whole.rounds
    assert found.instruments == ("sim:FIVE", "sim:THERE")


def test_a_basis_shock_triggers_levels_of_a_dated_contract() -> None:
    perpetual, dated = by_levels({97_000.0: 1e6}), by_levels({99_400.0: 50e6})
    quiet = coupled_cascade(
        [Contract(perpetual, LAW), Contract(dated, LAW, index_weight=0.0, own_weight=1.0)], -0.005, LAW
    )
    moved = coupled_cascade(
        [Contract(perpetual, LAW), Contract(dated, LAW, index_weight=0.0, own_weight=1.0, basis_shock=0.002)],
        -0.005,
        LAW,
    )
    assert quiet.liquidated == (0, 0)
    assert moved.liquidated == (0, 50e6)
    with pytest.raises(InputError):
        coupled_cascade([Contract(perpetual, LAW, index_weight=0.5)], -0.005, LAW)
    with pytest.raises(InputError):
        coupled_cascade([Contract(perpetual, LAW, basis_shock=2.0)], -0.005, LAW)
    with pytest.raises(InputError, match="no levels"):
        coupled_cascade([Contract(perpetual, LAW)], 0.005, LAW)


def test_tranches_conserve_notional_and_shorten_the_cascade() -> None:
    of = by_levels(FIVE)
    split = split_into_tranches(of, HYPERLIQUID_TRANCHES)
    assert split.long.sum() + split.outside["long"] == pytest.approx(of.long.sum())
    assert split_into_tranches(of, ((0.0, 1.0),)).long.tolist() == of.long.tolist()
    assert cascade(split, -0.005, LAW).liquidated < cascade(of, -0.005, LAW).liquidated
    shorts = by_levels({100_500.0: 100e6, 101_000.0: 1e6})
    assert cascade(split_into_tranches(shorts, ((0.001, 1.0),)), 0.006, LAW).chain[0].price == 100_600
    outside = split_into_tranches(of, ((0.5, 1.0),))
    assert (outside.long.sum(), outside.outside["long"]) == (0, pytest.approx(1_700e6))
    for parts in (((0.0, 0.5),), ((-0.1, 1.0),), ((0.0, 1.5), (0.1, -0.5))):
        with pytest.raises(InputError):
            split_into_tranches(of, parts)


class Basin:
    def __init__(self, side: str, low: float, peak: float, high: float) -> None:
        self.side, self.low, self.peak, self.high = side, low, peak, high


def test_the_contribution_of_each_cluster() -> None:
    basins = [
        Basin("long", 98_800, 98_900, 99_000),
        Basin("long", 99_100, 99_350, 99_600),
        Basin("long", 96_900, 97_000, 97_100),
        Basin("short", 101_000, 101_000, 101_001),
    ]
    found = contributions(by_levels(FIVE), basins, -0.0065, LAW)  # type: ignore[arg-type]
    assert [part.peak for part in found] == [99_350, 98_900, 97_000]
    # The cascade stops at −1,650; without the first two levels nothing triggers and it stops at −650.
    assert [part.displacement for part in found] == pytest.approx([0.01, 0.005, 0.0])
    assert [part.fired for part in found] == [500e6, 500e6, 0]
    assert [part.notional for part in found] == [500e6, 500e6, 300e6]


def test_the_fallback_law_depends_on_the_hour_of_the_day() -> None:
    of = by_levels(FIVE)
    noon, night = (replace(of, at=1_780_531_200_000_000 + hour * 3_600_000_000) for hour in (11, 21))
    assert cascade(night, -0.005).displacement > cascade(noon, -0.005).displacement
    at_fit = replace(of, at=1_780_531_200_000_000 + (11 * 60 + 7) * 60_000_000)
    assert cascade(at_fit, -0.005).displacement == cascade(of, -0.005, PowerLaw()).displacement
