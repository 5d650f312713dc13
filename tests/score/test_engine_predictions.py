"""Predictions and features use no later data, and placebos change only what they are documented to change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from _helpers.scoring_market import HOUR, walk, windows
from liqmap import NotFoundError
from liqmap._core import Cohorts
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe, trailing_volume
from liqmap.score import placebo
from liqmap.score.engine_predictions import predict_unit_shares, predict_with_engine
from liqmap.score.periods import match_periods
from liqmap.score.price_baseline import close_moves, new_extremes

BARS = walk(400, seed=9)
CUT = 300


def changed_after(cut: int) -> object:
    """The same market up to a bar, and another market after it."""
    other = walk(400, seed=10)
    jump = BARS.close[cut - 1] / other.open[cut]
    columns = {}
    for name in ("open", "high", "low", "close", "volume_base"):
        scale = 1.0 if name == "volume_base" else jump
        columns[name] = np.concatenate([getattr(BARS, name)[:cut], getattr(other, name)[cut:] * scale])
    return replace(BARS, **columns)


def test_later_bars_do_not_change_earlier_predictions() -> None:
    before, after = predict_unit_shares(BARS), predict_unit_shares(changed_after(CUT))
    for a, b in ((before.existing, after.existing), (before.opened, after.opened)):
        assert (a[:CUT] == b[:CUT]).all()
        assert not (a[CUT:] == b[CUT:]).all()
    periods = match_periods(BARS, windows(BARS, np.ones((400, 2))))
    for side in (0, 1):
        a, b = new_extremes(BARS, periods, side), new_extremes(changed_after(CUT), periods, side)
        assert (a[:CUT] == b[:CUT]).all()


def test_a_bars_own_volume_does_not_change_its_predictions() -> None:
    """Neither for existing levels nor, at trailing mean volume, for positions opened within the bar."""
    volume = BARS.volume_base.copy()
    volume[CUT] *= 50
    before, after = predict_unit_shares(BARS), predict_unit_shares(replace(BARS, volume_base=volume))
    assert (before.existing[: CUT + 1] == after.existing[: CUT + 1]).all()
    assert after.opened[: CUT + 1] == pytest.approx(before.opened[: CUT + 1], rel=1e-9)
    assert (after.existing[CUT + 1 :] != before.existing[CUT + 1 :]).any()
    own = predict_unit_shares(replace(BARS, volume_base=volume), expected=False)
    assert own.opened[CUT].sum() > 10 * before.opened[CUT].sum()


def test_two_steps_per_bar_equal_one_engine_step() -> None:
    """The liquidations of existing and of newly opened positions add up to those of one step."""
    kernel = CalibratedRecipe.uniform(0.001)
    fed = kernel.engine_bars(BARS, instrument="sim:BTC")
    whole, rescaled = Cohorts(kernel.rows(), kernel.step).advance(
        fed.hours, fed.low, fed.high, fed.close, fed.open_interest, fed.long_flow, fed.short_flow
    )
    parts = predict_with_engine(fed, kernel.rows(), kernel.step)
    assert rescaled == 0
    assert parts.existing + parts.opened == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert (parts.opened > 0).any()


def test_price_features_equal_hand_computed_values() -> None:
    bars = replace(
        walk(6),
        open=np.array([100.0, 100, 98, 97, 99, 99]),
        high=np.array([101.0, 101, 98, 99, 100, 99]),
        low=np.array([99.0, 98, 97, 97, 99, 95]),
        close=np.array([100.0, 98, 97, 99, 99, 96]),
    )
    periods = match_periods(bars, windows(bars, np.ones((6, 2))))
    down, up = new_extremes(bars, periods, 0), new_extremes(bars, periods, 1)
    # The last bar falls from 99 to 95; the low of every look-back before it is 97.
    assert down[5] == pytest.approx([np.log(99 / 95), *[np.log(97 / 95)] * 5])
    assert up[5] == pytest.approx([0.0] * 6, abs=1e-15)
    assert up[4] == pytest.approx([np.log(100 / 99), *[0.0] * 5])
    assert close_moves(bars, periods, 0)[5] == pytest.approx([np.log(99 / 95), np.log(99 / 96)])


def test_placebos_preserve_total_volume() -> None:
    flat = placebo.constant_volume(BARS)
    assert flat.volume_base.sum() == pytest.approx(BARS.volume_base.sum())
    assert np.ptp(flat.volume_base) == 0
    shuffled = placebo.shuffled_days(BARS, seed=2)
    assert sorted(shuffled.volume_base) == sorted(BARS.volume_base)
    days = {tuple(day) for day in BARS.volume_base[:384].reshape(-1, 24)}
    assert {tuple(day) for day in shuffled.volume_base[:384].reshape(-1, 24)} == days
    assert (shuffled.volume_base != BARS.volume_base).mean() > 0.5


def test_the_mirrored_placebo_swaps_sides() -> None:
    """A mirrored bar sweeps the other side, whose amount is assigned to the side of the original bar."""
    periods = match_periods(BARS, windows(BARS, np.ones((400, 2))))
    wrong = placebo.mirrored(BARS, periods)
    assert wrong.shape == (400, 2, 24)
    # A bar that only rises only falls when mirrored: it sweeps longs, which are assigned to shorts.
    up = np.flatnonzero(BARS.low == BARS.open)
    assert (wrong[up, 0].sum(axis=-1) == 0).all()
    assert wrong.sum() > 0


def test_trailing_volume_is_the_mean_of_the_day_before() -> None:
    volume = np.arange(400.0)
    volume[5] = np.nan
    usual = trailing_volume(replace(BARS, volume_base=volume), instrument="sim:BTC")
    assert usual[0] == 0.0
    assert usual[2] == 0.5
    assert usual[7] == pytest.approx(np.mean([0, 1, 2, 3, 4, 6]))
    assert usual[100] == pytest.approx(volume[76:100].mean())


def test_predictions_without_volume_are_rejected() -> None:
    with pytest.raises(NotFoundError, match="no traded volume"):
        predict_unit_shares(replace(BARS, volume_base=np.full(400, np.nan)))


def test_periods_need_all_bars_and_both_sides() -> None:
    bars = walk(60, interval_s=300)
    realised = windows(walk(10, interval_s=1800), np.arange(20.0).reshape(10, 2))
    periods = match_periods(bars, realised)
    assert periods.bars == 6
    assert periods.realised.tolist() == np.arange(20.0).reshape(10, 2).tolist()
    assert periods.gather(np.ones((60, 1))).ravel().tolist() == [6.0] * 10
    # One missing five-minute bar and one missing window of shorts exclude two periods.
    keep = np.arange(60) != 15
    columns = {n: getattr(bars, n)[keep] for n in ("ts", "open", "high", "low", "close", "volume_base", "oi_base")}
    fewer = replace(realised, **{n: getattr(realised, n)[:-1] for n in ("ts", "window_s", "long", "usd", "feed")})
    assert (match_periods(replace(bars, **columns), fewer).start // (HOUR // 2)).tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
