"""The features see nothing of the future, and placebos are what they say."""

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
    """The same market up to a bar, another one from there on."""
    other = walk(400, seed=10)
    jump = BARS.close[cut - 1] / other.open[cut]
    columns = {}
    for name in ("open", "high", "low", "close", "volume_base"):
        scale = 1.0 if name == "volume_base" else jump
        columns[name] = np.concatenate([getattr(BARS, name)[:cut], getattr(other, name)[cut:] * scale])
    return replace(BARS, **columns)


def test_changing_the_future_changes_nothing_before() -> None:
    then, now = predict_unit_shares(BARS), predict_unit_shares(changed_after(CUT))
    for a, b in ((then.standing, now.standing), (then.born, now.born)):
        assert (a[:CUT] == b[:CUT]).all()
        assert not (a[CUT:] == b[CUT:]).all()
    periods = match_periods(BARS, windows(BARS, np.ones((400, 2))))
    for side in (0, 1):
        a, b = new_extremes(BARS, periods, side), new_extremes(changed_after(CUT), periods, side)
        assert (a[:CUT] == b[:CUT]).all()


def test_a_bars_own_volume_changes_nothing_of_what_it_sweeps() -> None:
    """Neither standing levels nor, at usual volume, what opens within the bar."""
    volume = BARS.volume_base.copy()
    volume[CUT] *= 50
    then, now = predict_unit_shares(BARS), predict_unit_shares(replace(BARS, volume_base=volume))
    assert (then.standing[: CUT + 1] == now.standing[: CUT + 1]).all()
    assert now.born[: CUT + 1] == pytest.approx(then.born[: CUT + 1], rel=1e-9)
    assert (now.standing[CUT + 1 :] != then.standing[CUT + 1 :]).any()
    own = predict_unit_shares(replace(BARS, volume_base=volume), expected=False)
    assert own.born[CUT].sum() > 10 * then.born[CUT].sum()


def test_two_strokes_are_the_engines_one() -> None:
    """Standing and born together are what the engine predicts in one go."""
    kernel = CalibratedRecipe.uniform(0.001)
    fed = kernel.engine_bars(BARS, instrument="sim:BTC")
    whole, rescaled = Cohorts(kernel.rows(), kernel.step).advance(
        fed.hours, fed.low, fed.high, fed.close, fed.open_interest, fed.long_flow, fed.short_flow
    )
    parts = predict_with_engine(fed, kernel.rows(), kernel.step)
    assert rescaled == 0
    assert parts.standing + parts.born == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert (parts.born > 0).any()


def test_price_alone_by_hand() -> None:
    bars = replace(
        walk(6),
        open=np.array([100.0, 100, 98, 97, 99, 99]),
        high=np.array([101.0, 101, 98, 99, 100, 99]),
        low=np.array([99.0, 98, 97, 97, 99, 95]),
        close=np.array([100.0, 98, 97, 99, 99, 96]),
    )
    periods = match_periods(bars, windows(bars, np.ones((6, 2))))
    down, up = new_extremes(bars, periods, 0), new_extremes(bars, periods, 1)
    # The last bar falls from 99 to 95; the four before it had reached 97, and so had all.
    assert down[5] == pytest.approx([np.log(99 / 95), *[np.log(97 / 95)] * 5])
    assert up[5] == pytest.approx([0.0] * 6, abs=1e-15)
    assert up[4] == pytest.approx([np.log(100 / 99), *[0.0] * 5])
    assert close_moves(bars, periods, 0)[5] == pytest.approx([np.log(99 / 95), np.log(99 / 96)])


def test_placebos_keep_amounts() -> None:
    flat = placebo.constant_volume(BARS)
    assert flat.volume_base.sum() == pytest.approx(BARS.volume_base.sum())
    assert np.ptp(flat.volume_base) == 0
    dealt = placebo.shuffled_days(BARS, seed=2)
    assert sorted(dealt.volume_base) == sorted(BARS.volume_base)
    days = {tuple(day) for day in BARS.volume_base[:384].reshape(-1, 24)}
    assert {tuple(day) for day in dealt.volume_base[:384].reshape(-1, 24)} == days
    assert (dealt.volume_base != BARS.volume_base).mean() > 0.5


def test_a_mirrored_market_mirrors_its_placebo() -> None:
    """On the market turned upside down the wrong side's levels are this market's right ones."""
    periods = match_periods(BARS, windows(BARS, np.ones((400, 2))))
    wrong = placebo.mirrored(BARS, periods)
    assert wrong.shape == (400, 2, 24)
    # A bar that only rose, met upside down, only falls: it sweeps longs, which then stand in for shorts.
    up = np.flatnonzero(BARS.low == BARS.open)
    assert (wrong[up, 0].sum(axis=-1) == 0).all()
    assert wrong.sum() > 0


def test_usual_volume_is_the_day_before() -> None:
    volume = np.arange(400.0)
    volume[5] = np.nan
    usual = trailing_volume(replace(BARS, volume_base=volume), instrument="sim:BTC")
    assert usual[0] == 0.0
    assert usual[2] == 0.5
    assert usual[7] == pytest.approx(np.mean([0, 1, 2, 3, 4, 6]))
    assert usual[100] == pytest.approx(volume[76:100].mean())


def test_no_volume_is_said() -> None:
    with pytest.raises(NotFoundError, match="no traded volume"):
        predict_unit_shares(replace(BARS, volume_base=np.full(400, np.nan)))


def test_periods_hold_whole_bars_and_both_sides() -> None:
    bars = walk(60, interval_s=300)
    realised = windows(walk(10, interval_s=1800), np.arange(20.0).reshape(10, 2))
    periods = match_periods(bars, realised)
    assert periods.bars == 6
    assert periods.realised.tolist() == np.arange(20.0).reshape(10, 2).tolist()
    assert periods.gather(np.ones((60, 1))).ravel().tolist() == [6.0] * 10
    # Without one five-minute bar, and without one short window, two periods are left out.
    keep = np.arange(60) != 15
    columns = {n: getattr(bars, n)[keep] for n in ("ts", "open", "high", "low", "close", "volume_base", "oi_base")}
    fewer = replace(realised, **{n: getattr(realised, n)[:-1] for n in ("ts", "window_s", "long", "usd", "feed")})
    assert (match_periods(replace(bars, **columns), fewer).start // (HOUR // 2)).tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
