"""What moved the mass of each bin between two columns: opened, closed, liquidated."""

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
    """Each side's notional at two times and what lies between, USD, every array ``(2, bins)``, longs first.

    A level does not move, so per bin ``before = survived + closed + liquidated`` and ``after = survived + opened``.
    What opened and was gone again before the second column is in neither.

    Attributes:
        before, after: Notional at the two columns.
        opened: Opened since the first column and still open.
        closed: Of what stood at the first column, closed by choice or cut down to open interest.
        liquidated: Of what stood there, swept by the price.
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
    nursery: EngineRun, span: slice, kept: Floats, cells: tuple[Floats, Floats], half_lives: Floats, first: int
) -> MassChanges:
    """Take a change apart, from the bars that made it.

    A bracket keeps ``2^(−Δt / half-life)`` of itself and what a cut to open interest left; a bin that the price has
    touched keeps nothing from that bar on. So of what stood at the first column all is accounted for, and what else
    stands at the second was opened in between.

    Args:
        nursery: Whose bars.
        span: The bars between the columns.
        kept: Share that cuts left in each of them, ``(bars, 2)``.
        cells: Notional at both columns by engine bin, ``(2, groups, bins)``, in groups that age alike.
        half_lives: Hours, of each group.
        first: The axis bin of the first cell.

    Returns:
        The flows per engine bin.
    """
    fed, step = nursery.bars, nursery.step
    before, after = (side.sum(axis=1) for side in cells)
    bins = before.shape[1]
    gone, stayed = np.zeros_like(before), np.empty_like(before)
    # On the mirrored axis of shorts, bins run down in price and the sweep eats from the top as well.
    edges = (np.log(fed.low[span]) / step - first, -np.log(fed.high[span]) / step + (first + bins))
    for side, edge in enumerate(edges):
        old = cells[0][side] if side == 0 else cells[0][side][:, ::-1]
        left = _survival(fed.hours[span], half_lives, kept[:, side])
        swept = np.zeros(bins)
        top = bins
        touched = np.clip(np.floor(edge), 0, bins).astype(np.int64)
        for bar in np.flatnonzero(touched < np.minimum.accumulate(np.append(bins, touched[:-1]))):
            bottom = int(touched[bar])
            swept[bottom:top] = left[bar] @ old[:, bottom:top]
            top = bottom
        survivors = left[-1] @ old
        survivors[top:] = 0.0
        gone[side], stayed[side] = (swept, survivors) if side == 0 else (swept[::-1], survivors[::-1])
    # Rounding must not open or close less than nothing.
    stayed = np.minimum(np.minimum(stayed, after), before - gone)
    return MassChanges(
        before=before, after=after, opened=after - stayed, closed=before - gone - stayed, liquidated=gone
    )


def _survival(hours: Floats, half_lives: Floats, kept: Floats) -> Floats:
    """Share of each group that is left before each bar, and after the last, shape ``(bars + 1, groups)``."""
    aged = np.append(0.0, np.cumsum(hours))
    share = np.exp(-math.log(2) * aged[:, None] / half_lives)
    return np.asarray(share * np.append(1.0, np.cumprod(kept))[:, None], dtype=np.float64)
