"""Step the cohort engine bar by bar and measure how much each bar rescaled to fit open interest."""

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
    """Results of consecutive bars.

    Attributes:
        usd: Predicted liquidations in USD, shape ``(bars, 2, brackets)``, longs first.
        kept: Share of a side's mapped positions that remained after rescaling to open interest, shape ``(bars, 2)``;
            1 in bars without rescaling.
        rescaled: Coin removed by rescaling, shape ``(bars, 2)``.
    """

    usd: Floats
    kept: Floats
    rescaled: Floats


def step_bars(run: EngineRun, start: int, stop: int) -> BarSteps:
    """Process bars ``start`` to ``stop`` as :meth:`EngineRun.advance` does, and measure the rescaling of each bar.

    The engine only counts rescaled bars. The amount is measured with a copy of the engine that is fed an open interest
    large enough to avoid rescaling; the copy is made only for bars whose mapped positions could exceed open interest.
    """
    bars = run.bars
    flow = np.stack([bars.long_flow[start:stop], bars.short_flow[start:stop]], axis=1)
    limit = bars.open_interest[start:stop, None]
    kept, rescaled = np.ones_like(flow), np.zeros_like(flow)
    if (_mapped_coin(run.engine) + flow.cumsum(axis=0) <= limit).all():
        return BarSteps(run.advance(start, stop)[0], kept, rescaled)
    usd = []
    for i in range(stop - start):
        bar = start + i, start + i + 1
        most = _mapped_coin(run.engine) + flow[i]
        copy = None if (most <= limit[i]).all() else _core.Cohorts.from_bytes(run.engine.to_bytes())
        liquidated, rescaled_bars = run.advance(*bar)
        usd.append(liquidated)
        if rescaled_bars and copy is not None:
            run.feed(copy, *bar, open_interest=np.array([most.max()]))
            unlimited = _mapped_coin(copy)
            rescaled[i] = np.maximum(unlimited - limit[i], 0.0)
            kept[i] = np.divide(limit[i], unlimited, out=np.ones(2), where=unlimited > limit[i])
    return BarSteps(np.concatenate(usd), kept, rescaled)


def _mapped_coin(engine: _core.Cohorts) -> Floats:
    return np.array([account[3] for account in engine.accounts()])
