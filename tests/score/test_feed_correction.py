"""A one-a-second feed is multiplied up; windows are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from _helpers.scoring_market import walk
from liqmap import InputError
from liqmap.history.queries import Liquidations
from liqmap.score.feed_correction import corrected, multiplier
from liqmap.score.periods import match


def test_the_correction_gives_back_what_a_poisson_feed_lost() -> None:
    random = np.random.default_rng(1)
    rate = np.repeat([0.05, 0.5, 1.5], 3600)
    events = random.poisson(rate)
    shown = np.flatnonzero(events)
    realised = Liquidations(
        ts=shown * 1_000_000,
        window_s=np.zeros(len(shown), dtype=np.int64),
        long=np.ones(len(shown), dtype=bool),
        price=np.full(len(shown), np.nan),
        size_base=np.full(len(shown), np.nan),
        usd=np.ones(len(shown)),
        feed=np.full(len(shown), "throttled"),
    )
    bars = walk(3)
    periods = match(bars, realised)
    assert periods.throttled
    assert corrected(realised, periods)[:, 0] == pytest.approx(events.reshape(3, -1).sum(axis=1), rel=0.05)
    whole = replace(realised, feed=np.full(len(shown), "complete"))
    assert (corrected(whole, match(bars, whole))[:, 0] == np.bincount(shown // 3600)).all()


def test_a_share_is_a_share() -> None:
    with pytest.raises(InputError, match="share outside"):
        multiplier(np.array([1.2]))
