"""From a history to a calibration: what share of traded volume is liquidated at each distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe, prior_shape, trailing_volume
from liqmap.positions.engine.calibration import Calibration
from liqmap.score.engine_predictions import unit
from liqmap.score.feed_correction import corrected
from liqmap.score.periods import match
from liqmap.score.stats.em_fit import PRIOR_HOURS, em, interval

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Liquidations, MarketBars

__all__ = ["calibrate"]

_MILLION = 1e6


def calibrate(
    bars: MarketBars,
    liquidations: Liquidations,
    *,
    feed: str,
    start: Instant,
    end: Instant,
    issued_at: Instant | None = None,
    distances: tuple[float, ...] = DISTANCES,
    resamples: int = 200,
) -> Calibration:
    """Fit a kernel to realised liquidations by MAP-EM, with 90 % intervals.

    Args:
        bars: With volume, up to ``end``; what lies before ``start`` warms the engine up (a year is good).
        liquidations: Realised, in windows of a bar or longer, or single events.
        feed: Whose they are.
        start: Of the fitted span.
        end: Of the fitted span.
        issued_at: When it is published; ``end`` if left out.
        distances: Of the brackets, descending.
        resamples: Of the block bootstrap (24-hour blocks); 0 for none, the interval then being the whole of 0 to 1.

    Raises:
        NotFoundError: No volume, or no liquidations in the span.
        InputError: Nothing was swept or liquidated on a side, or it is to be issued before its data end.
    """
    issued = end if issued_at is None else issued_at
    if issued < end:
        raise InputError("calibrate", "issued_at", iso(issued), f"{iso(end)} or later, when its data end", "stopped")
    periods = match(bars, liquidations)
    inside = periods.between(start, end)
    realised = corrected(liquidations, periods) if periods.throttled else periods.realised
    swept = unit(bars, distances)
    usual = periods.gather(trailing_volume(bars, instrument=bars.instrument) * bars.open)[inside] / _MILLION
    prior, weight = prior_shape(distances), PRIOR_HOURS / periods.hours
    shares, lows, highs, priors, background = [], [], [], [], []
    for side in (0, 1):
        x = periods.gather((swept.standing + swept.born)[:, side])[inside] / _MILLION
        y = realised[inside, side] / _MILLION
        found = em(x, y, usual, prior=prior, prior_periods=weight)
        bounds = np.stack([np.zeros(len(distances)), np.ones(len(distances))])
        if resamples:
            bounds = interval(
                x, y, usual, block=24 / periods.hours, resamples=resamples, prior=prior, prior_periods=weight
            )[[0, 2]]
        shares.append(tuple(found.brackets.tolist()))
        priors.append(tuple(found.prior_share.tolist()))
        background.append(found.background)
        lows.append(tuple(bounds[0].tolist()))
        highs.append(tuple(bounds[1].tolist()))
    return Calibration(
        instrument=bars.instrument,
        feed=feed,
        interval_s=bars.interval_s,
        price_source=bars.price_source,
        start=start,
        end=end,
        issued_at=issued,
        kernel=CalibratedRecipe(distances, shares[0], shares[1]),
        low=(lows[0], lows[1]),
        high=(highs[0], highs[1]),
        prior_share=(priors[0], priors[1]),
        background=(background[0], background[1]),
        notes=_notes(liquidations, len(inside), periods.throttled, bool(resamples)),
    )


def _notes(liquidations: Liquidations, periods: int, throttled: bool, bootstrapped: bool) -> tuple[str, ...]:
    notes = [
        f"fitted on {periods} periods; the prior weighs {PRIOR_HOURS / 24:g} days",
        "a share is what opens times what survives until price comes: the two cannot be told apart",
    ]
    if not bootstrapped:
        notes.append("no intervals were made")
    if throttled:
        notes.append("the feed leaves liquidations out; they were multiplied by the least that can be missing")
    if "aggregate" in liquidations.feed:
        notes.append("a vendor's sum over venues, some of which leave liquidations out: the shares are lower bounds")
    return tuple(notes)
