"""Changes of the notional of each bin between two columns: opened, closed, liquidated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.positions.engine.population import EngineRun

    Floats = npt.NDArray[np.float64]

__all__ = ["MassChanges", "measure_changes"]


@dataclass(frozen=True, eq=False, slots=True)
class MassChanges:
    """Each side's notional at two columns and its changes, USD, every array of shape ``(2, bins)``, longs first.

    A level does not move, so per bin ``before = survived + closed + liquidated`` and ``after = survived + opened``.
    Positions opened and removed between the columns are not included.

    Attributes:
        before, after: Notional at the two columns.
        opened: Opened since the first column and still open.
        closed: Open at the first column and since closed by choice or rescaled to open interest.
        liquidated: Open at the first column and since swept by the price.
    """

    before: Floats
    after: Floats
    opened: Floats
    closed: Floats
    liquidated: Floats

    @property
    def survived(self) -> Floats:
        """Open at both columns."""
        return self.after - self.opened


def measure_changes(
    engine_run: EngineRun,
    span: slice,
    rescaled_share: Floats,
    cells: tuple[Floats, Floats],
    half_lives: Floats,
    first: int,
) -> MassChanges:
    """Decompose the change between two columns, using the bars between them.

    A bracket retains ``2^(−Δt / half-life)`` of its notional, times the share left after rescaling to open interest; a
    bin that the price has touched retains none from that bar on. This accounts for all notional of the first column;
    the remaining notional of the second column was opened in between.

    Args:
        engine_run: The engine run.
        span: The bars between the columns.
        rescaled_share: Share left after rescaling in each of these bars, shape ``(bars, 2)``.
        cells: Notional at both columns by engine bin, shape ``(2, groups, bins)``, in groups of equal half-life.
        half_lives: Half-life of each group, hours.
        first: Engine bin of the first cell.

    Returns:
        The changes per engine bin.
    """
    series, step = engine_run.bars, engine_run.step
    before, after = (side.sum(axis=1) for side in cells)
    bins = before.shape[1]
    liquidated, survived = np.zeros_like(before), np.empty_like(before)
    # On the mirrored axis of shorts, bins run down in price, so that both sides are swept from the top.
    edges = (np.log(series.low[span]) / step - first, -np.log(series.high[span]) / step + (first + bins))
    for side, edge in enumerate(edges):
        old = cells[0][side] if side == 0 else cells[0][side][:, ::-1]
        remaining = _survival(series.hours[span], half_lives, rescaled_share[:, side])
        swept = np.zeros(bins)
        top = bins
        touched = np.clip(np.floor(edge), 0, bins).astype(np.int64)
        for bar in np.flatnonzero(touched < np.minimum.accumulate(np.append(bins, touched[:-1]))):
            bottom = int(touched[bar])
            swept[bottom:top] = remaining[bar] @ old[:, bottom:top]
            top = bottom
        survivors = remaining[-1] @ old
        survivors[top:] = 0.0
        liquidated[side], survived[side] = (swept, survivors) if side == 0 else (swept[::-1], survivors[::-1])
    # Rounding must not make opened or closed negative.
    survived = np.minimum(np.minimum(survived, after), before - liquidated)
    return MassChanges(
        before=before,
        after=after,
        opened=after - survived,
        closed=before - liquidated - survived,
        liquidated=liquidated,
    )


def _survival(hours: Floats, half_lives: Floats, rescaled_share: Floats) -> Floats:
    """Share of each group that remains before each bar and after the last one, shape ``(bars + 1, groups)``."""
    aged = np.append(0.0, np.cumsum(hours))
    share = np.exp(-math.log(2) * aged[:, None] / half_lives)
    return np.asarray(share * np.append(1.0, np.cumprod(rescaled_share))[:, None], dtype=np.float64)
