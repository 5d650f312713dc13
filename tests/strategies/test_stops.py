"""Stops: the sum by hand, the gap, and never past the own liquidation price."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _helpers.hand_made_map import DOLLAR_A_MILLION, MARK, setting
from liqmap._base.errors import InputError
from liqmap.strategies.stops import OwnPosition, stops
from liqmap.stress.impact import Linear

BELOW, ABOVE = (98_800, 99_200, 300e6), (101_000, 101_400, 200e6)


def test_edge_and_push_and_noise() -> None:
    (row,) = stops(setting(BELOW)).rows
    assert row.behind == pytest.approx(98_800, abs=60)
    assert row.rule_price == pytest.approx(row.behind - row.notional / 1e6 * row.behind / MARK - 150)
    assert not row.snapped, "nothing lies further out"
    assert row.price == row.rule_price
    assert row.fill is not None
    assert row.fill == pytest.approx(row.rule_price * (1 - row.notional / 1e11))
    assert (row.target, row.reward) == (None, None)


def test_the_reward_is_counted_to_the_fill() -> None:
    long, short = stops(setting(BELOW, ABOVE), OwnPosition(usd=50e6)).rows
    assert (long.side, short.side) == ("long", "short")
    assert long.target == pytest.approx(101_000, abs=60)
    assert long.target is not None
    assert long.fill == pytest.approx(long.rule_price * (1 - (long.notional + 50e6) / 1e11))
    assert long.reward == pytest.approx((long.target - MARK) / (MARK - long.fill))
    assert short.fill > short.rule_price > short.behind  # type: ignore[operator]


def test_out_to_the_next_gap() -> None:
    """The sum lies at about 98,350, where a smaller cluster stands: the gap behind it is at about 98,200."""
    (row, *_) = stops(setting(BELOW, (98_240, 98_440, 40e6), (97_700, 97_960, 40e6))).rows
    assert row.snapped
    assert 97_960 < row.rule_price < 98_240


def test_gaps_above_mirror_those_below() -> None:
    down = stops(setting(BELOW, (98_240, 98_440, 40e6), (97_700, 97_960, 40e6))).rows[0]
    up = stops(setting((100_800, 101_200, 300e6), (101_560, 101_760, 40e6), (102_040, 102_300, 40e6))).rows[0]
    assert up.snapped
    # The push is a share of a higher price: the sum may lie in the next bin.
    assert up.rule_price - MARK == pytest.approx(MARK - down.rule_price, abs=20)


def test_a_gap_that_is_far_is_not_waited_for() -> None:
    # A plateau of liquidations that goes on for a thousand dollars.
    (row, *_) = stops(setting(BELOW, (97_000, 98_500, 60e6))).rows
    assert not row.snapped


@settings(max_examples=60, deadline=None)
@given(liquidation=st.floats(90_000, 99_990), maintenance=st.floats(0, 0.02))
def test_never_past_the_own_liquidation_price(liquidation: float, maintenance: float) -> None:
    own = OwnPosition(liquidation_price=liquidation, maintenance=maintenance)
    long, short = stops(setting(BELOW, ABOVE), own).rows
    bound = liquidation * (1 + 2 * maintenance)
    assert long.limit == pytest.approx(bound)
    if long.rule_price < bound:
        assert long.price is None
    else:
        assert long.price == long.rule_price
    assert short.limit is None, "a price below the entry is no short's liquidation"


def test_the_most_leverage_is_the_one_that_just_fits() -> None:
    (row,) = stops(setting(BELOW), OwnPosition(maintenance=0.005)).rows
    liquidation = MARK * (1 - 1 / row.most_leverage) / (1 - 0.005)
    assert liquidation * (1 + 2 * 0.005) == pytest.approx(row.rule_price)
    assert row.most_leverage < 50
    fits = stops(setting(BELOW), OwnPosition(liquidation_price=liquidation * 0.9999, maintenance=0.005)).rows[0]
    cut = stops(setting(BELOW), OwnPosition(liquidation_price=liquidation * 1.0001, maintenance=0.005)).rows[0]
    assert fits.price is not None
    assert cut.price is None


def test_a_short_has_the_mirrored_leverage() -> None:
    (row,) = stops(setting(ABOVE), OwnPosition(maintenance=0.005)).rows
    liquidation = MARK * (1 + 1 / row.most_leverage) / (1 + 0.005)
    assert liquidation * (1 - 2 * 0.005) == pytest.approx(row.rule_price)
    own = OwnPosition(liquidation_price=liquidation * 0.9999, maintenance=0.005)
    assert stops(setting(ABOVE), own).rows[0].price is None


def test_a_stop_lies_on_the_losing_side_of_its_entry() -> None:
    assert not stops(setting(BELOW), OwnPosition(entry=98_000.0)).rows
    assert stops(setting(BELOW), OwnPosition(entry=102_000.0)).rows


def test_a_book_that_lacks_the_flow_gives_no_fill() -> None:
    (row,) = stops(setting(BELOW, law=Linear(depth=1e9, reach=0.01))).rows
    assert (row.fill, row.reward, row.push.calm) == (None, None, None)


@pytest.mark.parametrize(
    "bad",
    [
        {"entry": 0.0},
        {"entry": math.nan},
        {"liquidation_price": -1.0},
        {"usd": math.inf},
        {"usd": -1.0},
        {"maintenance": 0.5},
    ],
)
def test_a_position_that_is_none(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"levels: {next(iter(bad))}: "):
        OwnPosition(**bad)


def test_without_clusters_there_is_nothing_to_hide_behind() -> None:
    use = stops(setting((85_000, 85_400, 300e6), law=DOLLAR_A_MILLION))
    assert not use.rows
    assert use.none is not None
    assert use.none.startswith("no cluster lies within")
