"""Realised liquidations for pages: of the instrument, or of an aggregate over the venues of its coin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap.charts.heatmap.layout import RealisedLiquidations

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.public import History
    from liqmap.report.facts import Facts

__all__ = ["read_realised"]

_HOUR = 3_600_000_000


def read_realised(history: History, facts: Facts, start: Instant, end: Instant) -> RealisedLiquidations | None:
    """Hourly realised liquidations of the first feed with data in a period; a window counts to the hour of its start.

    Feeds do not mark their ends. A silence at either end that is longer than the longest silence between two hours with
    data counts as a period without coverage.
    """
    base = facts.about.base
    aggregates = (i.name for i in history.instruments() if i.kind == "aggregate" and i.base == base)
    for feed in (facts.map.instrument, *aggregates):
        found = history.liquidations(feed, start, end)
        if not len(found.ts) or found.window_s.max() * 1_000_000 > _HOUR:
            continue
        hours, which = np.unique(found.ts // _HOUR, return_inverse=True)
        usd = np.stack(
            [np.bincount(which, weights=found.usd * side, minlength=len(hours)) for side in (found.long, ~found.long)],
            axis=1,
        )
        begins = np.asarray(hours * _HOUR, dtype=np.int64)
        first, last = int(begins[0]), int(begins[-1]) + _HOUR
        quiet = max(int(np.diff(begins).max(initial=0)), _HOUR)
        return RealisedLiquidations(
            feed,
            begins,
            np.asarray(usd, dtype=np.float64),
            since=start if first - start <= quiet else first,
            until=end if end - last <= quiet else last,
        )
    return None
