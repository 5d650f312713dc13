"""A scorecard of synthetic sweeps: realised liquidations follow the map with noise, so the map has skill."""

from __future__ import annotations

import numpy as np

from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import Instant
from liqmap.score.issued_scorecard import IssuedScorecard, SideScorecard
from liqmap.score.issued_skill import Skill, measure_skill
from liqmap.score.reliability import BandOutcome, reliability_deciles
from liqmap.score.scored_sweeps import ScoredSweeps

HOUR = 3_600_000_000


def sample_sweeps(maps: int = 40, *, each: int = 12, worth: float = 1.0, seed: int = 3) -> ScoredSweeps:
    """Sweeps of ``maps`` maps; realised follows predicted notional to the power ``worth``, 0 for no skill."""
    random = np.random.default_rng(seed)
    count = maps * each
    move, predicted = random.lognormal(-6.5, 0.5, count), random.lognormal(13, 1.2, count)
    realised = 2e5 * (predicted / 4e5) ** worth * (move / 1.5e-3) ** 0.5 * random.lognormal(0, 0.4, count)
    near = np.full(count, 50_000.0)
    return ScoredSweeps(
        issue=np.repeat(np.arange(1, maps + 1), each),
        start=np.arange(count, dtype=np.int64) * HOUR,
        near=near,
        far=near * np.exp(-move),
        realised=realised,
        predicted=predicted,
        before=predicted * random.lognormal(0, 1, count),
        mirrored=random.lognormal(13, 1.2, count),
        elsewhere=random.lognormal(13, 1.2, count),
        move=move,
        distance=move * 3,
        extremes=np.column_stack([move, *(move * random.random((5, count)))]),
    )


def sample_card(
    instrument: str = "binance:BTCUSDT", *, at: Instant = 1_781_222_400_000_000, maps: int = 40
) -> IssuedScorecard:
    """A scorecard of ``maps`` maps; fewer than 30 are not scored."""
    day = 24 * HOUR
    sides = []
    for seed, worth in ((3, 1.0), (4, 0.0)):
        of = sample_sweeps(maps, worth=worth, seed=seed)
        skill: Skill | None = None
        lacking: tuple[str, str] | None = None
        try:
            skill = measure_skill(of, 1.0)
        except NotFoundError as error:
            lacking = error.found, error.expected
        sides.append(SideScorecard(maps, len(of.start), skill, lacking, reliability_deciles(of, 1.0)))
    bands = (
        BandOutcome("low", 120, 30.5, 28, 22.0, 35.0, 4e7, 5e7),
        BandOutcome("extreme", 9, 0.6, 1, 0.0, 3.0, 0.0, 0.0),
    )
    return IssuedScorecard(
        instrument=instrument,
        feed=instrument,
        at=at,
        every=day,
        horizon=day,
        period_s=1800,
        throttled=True,
        maps=maps,
        differing=1,
        first=at - maps * day,
        last=at,
        long=sides[0],
        short=sides[1],
        bands=bands,
    )
