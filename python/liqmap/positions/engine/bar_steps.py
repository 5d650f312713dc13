"""The engine walked bar by bar where it has to be: what each bar did, and what was cut down to open interest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap.positions.engine.population import EngineRun

    Floats = npt.NDArray[np.float64]

__all__ = ["BarSteps", "step_bars"]


@dataclass(frozen=True, eq=False, slots=True)
class BarSteps:
    """Some bars of the engine.

    Attributes:
        usd: USD that the model liquidated, shape ``(bars, 2, brackets)``, longs first.
        kept: Share of a side's mapped positions that was left when they were cut down to open interest, shape
            ``(bars, 2)``; 1 in all but odd bars.
        cut: Coin that was cut, shape ``(bars, 2)``.
    """

    usd: Floats
    kept: Floats
    cut: Floats


def step_bars(nursery: EngineRun, start: int, stop: int) -> BarSteps:
    """Feed bars ``start`` to ``stop``, as :meth:`Nursery.advance` does, and tell what was cut, bar by bar.

    The engine only counts the bars it cut. What a bar would have left is asked of a copy with open interest out of the
    way, and only where mapped positions could exceed it at all.
    """
    fed = nursery.bars
    flow = np.stack([fed.long_flow[start:stop], fed.short_flow[start:stop]], axis=1)
    room = fed.open_interest[start:stop, None]
    kept, cut = np.ones_like(flow), np.zeros_like(flow)
    if (_mapped_coin(nursery.engine) + flow.cumsum(axis=0) <= room).all():
        return BarSteps(nursery.advance(start, stop)[0], kept, cut)
    usd = []
    for i in range(stop - start):
        bar = start + i, start + i + 1
        most = _mapped_coin(nursery.engine) + flow[i]
        twin = None if (most <= room[i]).all() else _core.Cohorts.from_bytes(nursery.engine.to_bytes())
        gone, rescaled = nursery.advance(*bar)
        usd.append(gone)
        if rescaled and twin is not None:
            nursery.feed(twin, *bar, open_interest=np.array([most.max()]))
            uncut = _mapped_coin(twin)
            cut[i] = np.maximum(uncut - room[i], 0.0)
            kept[i] = np.divide(room[i], uncut, out=np.ones(2), where=uncut > room[i])
    return BarSteps(np.concatenate(usd), kept, cut)


def _mapped_coin(engine: _core.Cohorts) -> Floats:
    return np.array([account[3] for account in engine.accounts()])
