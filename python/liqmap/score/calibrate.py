"""Calibration: the share of traded volume that is liquidated at each distance, fitted to realised liquidations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.timestamps import iso
from liqmap.positions.engine.calibrated_recipe import DISTANCES, CalibratedRecipe, prior_shape, trailing_volume
from liqmap.positions.engine.calibration import Calibration
from liqmap.score.engine_predictions import predict_unit_shares
from liqmap.score.feed_correction import correct_throttling
from liqmap.score.periods import match_periods
from liqmap.score.stats.em_fit import MAX_ITERATIONS, PRIOR_HOURS, bootstrap_interval, fit_shares

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import Liquidations, MarketBars

__all__ = ["NOT_CONVERGED", "calibrate"]

NOT_CONVERGED = "did not converge"
"""Contained in every note that reports a fit stopped at its iteration limit."""

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
    max_iterations: int = MAX_ITERATIONS,
) -> Calibration:
    """Fit a calibrated recipe to realised liquidations by MAP-EM, with 90 % intervals.

    Fits that reach the iteration limit are reported in the notes of the result.

    Args:
        bars: Bars with volume, up to ``end``; bars before ``start`` warm the engine up (one year is recommended).
        liquidations: Realised liquidations, in windows of a bar or longer, or as single events.
        feed: Source of the liquidations.
        start: Start of the fitted span.
        end: End of the fitted span.
        issued_at: Issue time of the calibration; ``end`` by default.
        distances: Distances of the brackets, descending.
        resamples: Number of block-bootstrap resamples (24-hour blocks); with 0 the intervals are 0 to 1.
        max_iterations: Limit of EM iterations of each fit.

    Raises:
        NotFoundError: No volume, or no liquidations in the span.
        InputError: No predicted or realised liquidations on a side, or an issue time before the end of the data.
    """
    issued = end if issued_at is None else issued_at
    if issued < end:
        raise InputError("calibrate", "issued_at", iso(issued), f"{iso(end)} or later, when its data end", "stopped")
    periods = match_periods(bars, liquidations)
    inside = periods.between(start, end)
    realised = correct_throttling(liquidations, periods) if periods.throttled else periods.realised
    swept = predict_unit_shares(bars, distances)
    mean_volume = periods.gather(trailing_volume(bars, instrument=bars.instrument) * bars.open)[inside] / _MILLION
    prior, weight = prior_shape(distances), PRIOR_HOURS / periods.hours
    notes = _notes(liquidations, len(inside), periods.throttled, bool(resamples))
    shares, lows, highs, priors, background = [], [], [], [], []
    for side, name in enumerate(("longs", "shorts")):
        x = periods.gather((swept.existing + swept.opened)[:, side])[inside] / _MILLION
        y = realised[inside, side] / _MILLION
        fit = fit_shares(x, y, mean_volume, prior=prior, prior_periods=weight, max_iterations=max_iterations)
        if not fit.converged:
            notes.append(f"the fit of {name} {NOT_CONVERGED} in {max_iterations} iterations: shares are approximate")
        bounds = np.stack([np.zeros(len(distances)), np.ones(len(distances))])
        if resamples:
            bootstrap = bootstrap_interval(
                x,
                y,
                mean_volume,
                block=24 / periods.hours,
                resamples=resamples,
                prior=prior,
                prior_periods=weight,
                max_iterations=max_iterations,
            )
            bounds = bootstrap.quantiles[[0, 2]]
            if bootstrap.not_converged:
                notes.append(
                    f"{bootstrap.not_converged} of {resamples} resamples of {name} {NOT_CONVERGED}: "
                    "intervals are approximate"
                )
        shares.append(tuple(fit.brackets.tolist()))
        priors.append(tuple(fit.prior_share.tolist()))
        background.append(fit.background)
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
        notes=tuple(notes),
    )


def _notes(liquidations: Liquidations, periods: int, throttled: bool, bootstrapped: bool) -> list[str]:
    notes = [
        f"fitted on {periods} periods; the prior has the weight of {PRIOR_HOURS / 24:g} days",
        "a share is opened share times surviving share; the data identify only their product",
    ]
    if not bootstrapped:
        notes.append("intervals were not computed")
    if throttled:
        notes.append("the feed omits liquidations; amounts were multiplied by a lower bound of the correction")
    if "aggregate" in liquidations.feed:
        notes.append("a vendor's sum over venues, some of which omit liquidations: the shares are lower bounds")
    return notes
