"""Stops: the rule by hand, the next gap, and the limit of the own liquidation price."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _helpers.hand_made_map import MARK, MILLION_PER_DOLLAR, map_context
from liqmap._base.errors import InputError
from liqmap.strategies.stops import OwnPosition, stops
from liqmap.stress.impact import Linear

BELOW, ABOVE = (98_800, 99_200, 300e6), (101_000, 101_400, 200e6)


def test_a_stop_is_edge_plus_displacement_plus_noise() -> None:
    (row,) = stops(map_context(BELOW)).rows
    assert row.behind == pytest.approx(98_800, abs=60)
    assert row.rule_price == pytest.approx(row.behind - row.notional / 1e6 * row.behind / MARK - 150)
    assert not row.snapped, "nothing lies further out"
    assert row.price == row.rule_price
    assert row.fill is not None
    assert row.fill == pytest.approx(row.rule_price * (1 - row.notional / 1e11))
    assert (row.target, row.reward) == (None, None)


def test_the_reward_is_measured_from_the_fill() -> None:
    long, short = stops(map_context(BELOW, ABOVE), OwnPosition(usd=50e6)).rows
    assert (long.side, short.side) == ("long", "short")
    assert long.target == pytest.approx(101_000, abs=60)
    assert long.target is not None
    assert long.fill == pytest.approx(long.rule_price * (1 - (long.notional + 50e6) / 1e11))
    assert long.reward == pytest.approx((long.target - MARK) / (MARK - long.fill))
    assert short.fill > short.rule_price > short.behind  # type: ignore[operator]


def test_a_stop_moves_to_the_next_gap() -> None:
    """The sum is about 98,350, inside a smaller cluster; the gap behind it is at about 98,200."""
    (row, *_) = stops(map_context(BELOW, (98_240, 98_440, 40e6), (97_700, 97_960, 40e6))).rows
    assert row.snapped
    assert 97_960 < row.rule_price < 98_240


def test_gaps_above_mirror_those_below() -> None:
    down = stops(map_context(BELOW, (98_240, 98_440, 40e6), (97_700, 97_960, 40e6))).rows[0]
    up = stops(map_context((100_800, 101_200, 300e6), (101_560, 101_760, 40e6), (102_040, 102_300, 40e6))).rows[0]
    assert up.snapped
    # The displacement is a fraction of a higher price, so the sum may lie in the next bin.
    assert up.rule_price - MARK == pytest.approx(MARK - down.rule_price, abs=20)


def test_a_distant_gap_is_not_used() -> None:
    # A plateau of liquidations over a thousand dollars.
    (row, *_) = stops(map_context(BELOW, (97_000, 98_500, 60e6))).rows
    assert not row.snapped


@settings(max_examples=60, deadline=None)
@given(liquidation=st.floats(90_000, 99_990), maintenance=st.floats(0, 0.02))
def test_never_past_the_own_liquidation_price(liquidation: float, maintenance: float) -> None:
    own = OwnPosition(liquidation_price=liquidation, maintenance=maintenance)
    long, short = stops(map_context(BELOW, ABOVE), own).rows
    bound = liquidation * (1 + 2 * maintenance)
    assert long.limit == pytest.approx(bound)
    if long.rule_price < bound:
        assert long.price is None
    else:
        assert long.price == long.rule_price
    assert short.limit is None, "a price below the entry is not a short's liquidation price"


def test_the_highest_leverage_just_permits_the_stop() -> None:
    (row,) = stops(map_context(BELOW), OwnPosition(maintenance=0.005)).rows
    liquidation = MARK * (1 - 1 / row.most_leverage) / (1 - 0.005)
    assert liquidation * (1 + 2 * 0.005) == pytest.approx(row.rule_price)
    assert row.most_leverage < 50
    fits = stops(map_context(BELOW), OwnPosition(liquidation_price=liquidation * 0.9999, maintenance=0.005)).rows[0]
    cut = stops(map_context(BELOW), OwnPosition(liquidation_price=liquidation * 1.0001, maintenance=0.005)).rows[0]
    assert fits.price is not None
    assert cut.price is None


def test_a_short_has_the_mirrored_leverage() -> None:
    (row,) = stops(map_context(ABOVE), OwnPosition(maintenance=0.005)).rows
    liquidation = MARK * (1 + 1 / row.most_leverage) / (1 + 0.005)
    assert liquidation * (1 - 2 * 0.005) == pytest.approx(row.rule_price)
    own = OwnPosition(liquidation_price=liquidation * 0.9999, maintenance=0.005)
    assert stops(map_context(ABOVE), own).rows[0].price is None


def test_a_stop_lies_on_the_losing_side_of_its_entry() -> None:
    assert not stops(map_context(BELOW), OwnPosition(entry=98_000.0)).rows
    assert stops(map_context(BELOW), OwnPosition(entry=102_000.0)).rows


def test_flow_that_exceeds_the_book_gives_no_fill() -> None:
    (row,) = stops(map_context(BELOW, law=Linear(depth=1e9, reach=0.01))).rows
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
def test_an_invalid_position_is_rejected(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"levels: {next(iter(bad))}: "):
        OwnPosition(**bad)


def test_without_clusters_there_are_no_stops() -> None:
    result = stops(map_context((85_000, 85_400, 300e6), law=MILLION_PER_DOLLAR))
    assert not result.rows
    assert result.none is not None
    assert result.none.startswith("no cluster lies within")
