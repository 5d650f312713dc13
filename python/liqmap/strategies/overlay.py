"""Order-book overlay: orders and liquidations per bin, and runs of bins that satisfy a condition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from liqmap.strategies.context import book_side
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap.strategies.context import MapContext

    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

__all__ = ["REACH", "Overlay", "Stretch", "quantile", "runs", "stretch"]

REACH = 0.05
"""The visible book is used up to this distance from the mark."""
_TOLERANCE = 5e-10
"""Tolerance for rounding errors of bin edges, a fraction of the mark."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of neighbouring bins of one side.

    Attributes:
        side: Side of the liquidations: longs below the mark, shorts above.
        low: Lower edge, quote currency.
        high: Upper edge, quote currency.
        distance: Distance of the edge nearer to the mark, signed fraction.
        depth: USD of resting orders.
        forced: USD of liquidations.
        ratio: Branching ratio ρ, ``forced / depth``; in a void the largest of its bins; ``None`` without orders.
        amplification: ``1 / (1 − ρ)``, the amplification of a small move; ``None`` from ρ = 1 on.
        touch: Probability that the nearer edge is touched within ``4h``, ``12h``, ``24h``.
        falls_through: For a void, whether liquidations exceed the orders in every bin.
    """

    side: Side
    low: float
    high: float
    distance: float
    depth: float
    forced: float
    ratio: float | None
    amplification: float | None
    touch: dict[str, float]
    falls_through: bool


@dataclass(frozen=True, eq=False)
class Overlay:
    """Orders and liquidations per bin, outward from the mark, within 5 % and the visible book.

    Attributes:
        side: Side of the liquidations.
        edge: Bin edges from the mark outward; one more than bins.
        depth: USD of resting orders per bin.
        forced: USD of liquidations per bin.
    """

    side: Side
    edge: Floats
    depth: Floats
    forced: Floats

    @cached_property
    def ratio(self) -> Floats:
        """Branching ratio ``ρ = g / D'`` of each bin: liquidations divided by orders."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(self.depth > 0, self.forced / self.depth, np.where(self.forced > 0, np.inf, 0.0))
        return np.asarray(found, dtype=np.float64)

    @classmethod
    def of(cls, context: MapContext, side: Side) -> Overlay:
        """The overlay of one side; without bins if the book has no visible orders."""
        law, grid, mark = context.laws[side], context.of.grid, context.mark
        visible = law.ladder(book_side(side)).edge if isinstance(law, Depth) else REACH
        edges, usd = grid.edges(), context.of.side(side)
        away = (1 - edges / mark) if side == "long" else (edges / mark - 1)
        inner, outer = (away[1:], away[:-1]) if side == "long" else (away[:-1], away[1:])
        inside = np.flatnonzero((inner >= -_TOLERANCE) & (outer <= min(REACH, visible) + _TOLERANCE))
        order = inside[::-1] if side == "long" else inside
        if order.size == 0:
            return cls(side, np.empty(0), np.empty(0), np.empty(0))
        reach = np.append(np.maximum(inner[order[:1]], 0.0), outer[order])
        depth = np.diff(law.curve(book_side(side)).notional(reach))
        edge = np.append(edges[order[0] + (side == "long")], edges[order + (side == "short")])
        return cls(side, edge, np.asarray(depth, dtype=np.float64), np.asarray(usd[order], dtype=np.float64))


def quantile(overlays: list[Overlay], q: float) -> float:
    """Quantile of the depth per bin over all overlays; 0 without bins."""
    every = np.concatenate([overlay.depth for overlay in overlays])
    return float(np.quantile(every, q)) if every.size else 0.0


def runs(good: Mask, least: int = 2) -> Iterator[slice]:
    """Runs of at least ``least`` consecutive true bins."""
    ends = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    return (slice(int(a), int(z)) for a, z in list(pairwise(ends))[::2] if z - a >= least)


def stretch(context: MapContext, overlay: Overlay, run: slice, *, void: bool = False) -> Stretch:
    """Summarise a run of bins of an overlay."""
    depth, forced = float(overlay.depth[run].sum()), float(overlay.forced[run].sum())
    near, far = float(overlay.edge[run.start]), float(overlay.edge[run.stop])
    ratios = overlay.ratio[run]
    worst = float(ratios.max()) if void else forced / depth
    return Stretch(
        side=overlay.side,
        low=min(near, far),
        high=max(near, far),
        distance=context.distance(near),
        depth=depth,
        forced=forced,
        ratio=worst if np.isfinite(worst) else None,
        amplification=1 / (1 - worst) if worst < 1 else None,
        touch=context.touch(near),
        falls_through=void and bool((ratios > 1).all()),
    )
