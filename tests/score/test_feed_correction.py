"""Throttled single events are multiplied by the correction; windows are unchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from _helpers.scoring_market import walk
from liqmap import InputError
from liqmap.history.queries import Liquidations
from liqmap.score.feed_correction import correct_throttling, throttle_multiplier
from liqmap.score.periods import match_periods


def test_the_correction_recovers_a_throttled_poisson_feed() -> None:
    random = np.random.default_rng(1)
    rate = np.repeat([0.05, 0.5, 1.5], 3600)
    events = random.poisson(rate)
    reported = np.flatnonzero(events)
    realised = Liquidations(
        ts=reported * 1_000_000,
        window_s=np.zeros(len(reported), dtype=np.int64),
        long=np.ones(len(reported), dtype=bool),
        price=np.full(len(reported), np.nan),
        size_base=np.full(len(reported), np.nan),
        usd=np.ones(len(reported)),
        feed=np.full(len(reported), "throttled"),
    )
    bars = walk(3)
    periods = match_periods(bars, realised)
    assert periods.throttled
    assert correct_throttling(realised, periods)[:, 0] == pytest.approx(events.reshape(3, -1).sum(axis=1), rel=0.05)
    whole = replace(realised, feed=np.full(len(reported), "complete"))
    assert (correct_throttling(whole, match_periods(bars, whole))[:, 0] == np.bincount(reported // 3600)).all()


def test_a_share_outside_0_to_1_is_rejected() -> None:
    with pytest.raises(InputError, match="share outside"):
        throttle_multiplier(np.array([1.2]))
