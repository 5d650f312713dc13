"""Synthetic tracks: clusters that stay open, migrate, split, merge and are swept, with a price path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.provenance import Provenance
from liqmap.charts.tracks.layout import PricePath
from liqmap.maps.tracks.tracks import Step, Track, Tracks

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap.maps.map import LiquidationMap

HOUR = 3_600_000_000
COLUMNS = 43


def sample_tracks(of: LiquidationMap) -> tuple[Tracks, PricePath]:
    """Six tracks over one week; the price falls by 4 % and recovers."""
    at = of.at - 4 * HOUR * np.arange(COLUMNS)[::-1]
    dip = 1 - 0.04 * np.exp(-(((np.arange(COLUMNS) - 20) / 3) ** 2))
    close = of.mark_price * dip
    path = PricePath(at, close * 0.998, close * 1.002, close)
    mark = of.mark_price
    tracks = (
        _track(1, "long", at[:21], mark * 0.965, 30e6, swept=True),
        _track(2, "long", at, mark * 0.945, 60e6),
        _track(3, "short", at, mark * 1.03, 40e6, jump=10),
        _track(4, "short", at[:30], mark * 1.02, 20e6, heir=3),
        _track(5, "short", at[12:], mark * 1.055, 25e6),
        _track(6, "long", at[25:], mark * 0.955, 10e6, parent=2),
    )
    flat = np.ones((COLUMNS, 2))
    flat[0] = 0
    total = Tracks(
        instrument=of.instrument,
        at=at,
        tracks=tracks,
        notional=3e8 + np.cumsum(flat * [1e6, 2e6], axis=0),
        opened=flat * [8e6, 6e6],
        closed=flat * [4e6, 3e6],
        liquidated=flat * [3e6, 1e6],
        provenance=Provenance(version="0.1.0", inputs={}, parameters={}, assumptions=()),
    )
    return total, path


def _track(
    number: int,
    side: Side,
    at: np.ndarray,
    peak: float,
    usd: float,
    *,
    swept: bool = False,
    jump: int | None = None,
    parent: int | None = None,
    heir: int | None = None,
) -> Track:
    steps = []
    for i, moment in enumerate(at.tolist()):
        moved = jump is not None and i >= jump
        here = peak * (1.02 if moved else 1)
        gone = i == len(at) - 1 and (swept or heir is not None)
        steps.append(
            Step(
                at=moment,
                low=here * 0.997,
                peak=here,
                high=here * 1.003,
                notional=0.0 if gone else usd,
                opened=0.0 if gone else usd / 10,
                closed=0.0 if gone else usd / 10,
                liquidated=usd if gone and swept else 0.0,
                carried_in=usd if i == 0 else 0.0,
                carried_out=usd if gone and not swept else 0.0,
                link=None if i == 0 or gone else 0.9,
                migrating=i == jump,
            )
        )
    return Track(number, side, tuple(steps), parent, heir)
