"""Breakout levels, scalping zones and the table of clusters, by hand."""

from __future__ import annotations

import pytest

from _helpers.hand_made_map import CALM, DOLLAR_A_MILLION, MARK, hand_map, setting
from liqmap.strategies.breakout import breakouts
from liqmap.strategies.cluster_table import cluster_table
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.context import Setting
from liqmap.strategies.scalping import scalping_zones
from liqmap.stress.impact import Linear
from liqmap.stress.touch_probability import touch_probability

BELOW, ABOVE, SMALL = (98_800, 99_200, 300e6), (101_000, 101_400, 200e6), (99_600, 99_800, 20e6)


def test_the_run_on_is_what_the_cluster_pushes() -> None:
    use = breakouts(setting(BELOW))
    (row,) = use.rows
    assert (row.side, row.through) == ("long", pytest.approx(98_800, abs=60))
    spilled = 300e6 - row.notional
    # 300 dollars on from the far edge, as of a price of 99,200 rather than 100,000; the rest lies beyond the basin.
    assert row.run_on.calm is not None
    assert row.run_on.stressed is not None
    assert row.run_on.calm * row.through == pytest.approx(300 * row.level / MARK, abs=1.5 * spilled / 1e6 + 1)
    assert row.run_on.stressed == pytest.approx(10 * row.run_on.calm, rel=0.02)
    assert row.stop_price == pytest.approx(row.through * (1 - row.run_on.calm))
    assert use.none is None


def test_a_cluster_behind_carries_it_further() -> None:
    alone, behind = setting(BELOW), setting(BELOW, (98_580, 98_700, 150e6))
    near, far = (next(r for r in breakouts(s).rows if r.level > 99_000) for s in (alone, behind))
    assert near.run_on.calm is not None
    assert far.run_on.calm is not None
    assert far.run_on.calm * far.through - near.run_on.calm * near.through == pytest.approx(150, abs=3)


def test_passing_the_edge_is_enough_only_where_the_book_is_thin() -> None:
    """Twenty bins of 20 dollars hold $15M each: $1M a dollar does not carry over a bin, $0.5M a dollar does."""
    pushed, alone = (breakouts(setting(BELOW, law=Linear(depth))).rows[0] for depth in (1e11, 0.5e11))
    assert not pushed.self_fuelled
    assert pushed.shock_needed is not None
    assert pushed.shock_through is not None
    assert abs(pushed.shock_through) > abs(pushed.shock_needed)
    assert alone.self_fuelled
    assert alone.shock_through == alone.shock_needed


def test_only_half_of_the_largest_is_worth_breaking() -> None:
    assert [row.side for row in breakouts(setting(BELOW, ABOVE, SMALL)).rows] == ["long", "short"]


def test_shorts_mirror_longs() -> None:
    down = breakouts(setting((98_800, 99_200, 300e6))).rows[0]
    up = breakouts(setting((100_800, 101_200, 300e6))).rows[0]
    assert (up.level - MARK, up.through - MARK) == pytest.approx((MARK - down.level, MARK - down.through))
    assert up.distance > 0 > down.distance
    assert up.stop_price > up.through


def test_a_zone_is_small_near_and_calm() -> None:
    use = scalping_zones(setting(BELOW, SMALL))
    (zone,) = use.rows
    assert zone.high == pytest.approx(99_800, abs=60)
    assert zone.touch["4h"] > 0.2
    assert zone.overshoot.calm is not None
    assert zone.overshoot.calm * MARK == pytest.approx(20, rel=0.01)
    assert zone.give_back == pytest.approx(zone.overshoot.calm / 3)
    assert not zone.covers_costs, "a third of 2 bp does not pay for 10 bp of costs"
    assert any("no test" in sentence for sentence in use.limits)


def test_an_overshoot_of_more_than_half_a_range_is_no_zone() -> None:
    assert scalping_zones(setting((99_600, 99_800, 140e6))).rows, "140 dollars of 150"
    use = scalping_zones(setting((99_600, 99_800, 165e6)))
    assert not use.rows
    assert use.none == "no small cluster is touched within 4 hours with 20% or more"


def test_the_table_says_touch_and_shock_apart() -> None:
    of = setting(BELOW, ABOVE)
    for row in cluster_table(of).rows:
        near = row.high if row.side == "long" else row.low
        assert row.distance == pytest.approx(near / MARK - 1)
        for hours in (4, 12, 24):
            assert row.touch[f"{hours}h"] == touch_probability(row.distance, 0.5, hours)
        assert row.touch["4h"] < row.touch["12h"] < row.touch["24h"]
        assert row.shock_needed is not None
        # The first bin acts at its middle, ten dollars in.
        assert row.shock_needed * MARK == pytest.approx(row.distance * MARK, abs=60)
    assert "never multiplied" in cluster_table(of).limits[0]


@pytest.mark.parametrize(
    ("usd", "band", "legacy"), [(150e6, "low", "low"), (300e6, "low", "medium"), (1200e6, "medium", "extreme")]
)
def test_both_schemes_of_bands_stand_side_by_side(usd: float, band: str, legacy: str) -> None:
    """At 100,000 and 50 % a σ of 12 hours is 1,851 dollars: the dollar scheme is too loud."""
    row = cluster_table(setting((98_800, 99_200, usd))).rows[0]
    assert (row.band, row.legacy_band) == (band, legacy)
    assert row.expected_usd == pytest.approx(usd / 1e6, rel=0.12)
    assert row.expected_sigma == pytest.approx(usd / 1e6 / 1851, rel=0.12)


def test_flow_that_the_book_does_not_hold_has_no_number() -> None:
    small = Linear(depth=1e9, reach=0.01)
    row = cluster_table(setting(BELOW, law=small)).rows[0]
    assert row.expected.calm is None
    assert row.expected_usd is None
    assert (row.band, row.legacy_band) == ("extreme", "extreme")


def test_a_map_without_clusters_in_reach_says_so() -> None:
    far = setting((85_000, 85_400, 300e6))
    for rule in (breakouts, scalping_zones, cluster_table):
        use = rule(far)
        assert not use.rows
        assert use.none == "no cluster lies within 7.9% of the mark (three standard deviations of 24 hours)"


def test_a_wilder_market_reaches_further() -> None:
    far = Setting(hand_map((85_000, 85_400, 300e6)), DOLLAR_A_MILLION, Conditions(volatility=1.0, atr=CALM.atr))
    assert len(breakouts(far).rows) == 1
