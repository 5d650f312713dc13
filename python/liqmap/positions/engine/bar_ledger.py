"""The bar ledger: opened, closed, liquidated and rescaled positions of every bar, both sides, in coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.timestamps import Instant, iso
from liqmap.positions.engine.bar_steps import step_bars
from liqmap.positions.engine.population import prepare_run
from liqmap.positions.engine.recipe_selection import select_recipe

if TYPE_CHECKING:
    import arro3.core
    import numpy.typing as npt

    from liqmap.history.store import Store
    from liqmap.positions.engine.population import AnyRecipe, EngineRun

    Floats = npt.NDArray[np.float64]

__all__ = ["BarLedger", "build_ledger", "record_bar_ledger"]

_FLOWS = ("opened", "closed", "liquidated", "rescaled")


@dataclass(frozen=True, eq=False)
class BarLedger:
    """The ledger after every bar, in coin; every array has shape ``(bars, 2)``, longs first.

    On each side ``open = open of the bar before + opened − closed − liquidated − rescaled = open interest``.

    Attributes:
        at: UTC microseconds at each bar's end.
        opened: Opened in the bar; the history's first bar includes the open interest at its start.
        closed: Closed voluntarily.
        liquidated: Predicted liquidations: levels swept by the price.
        rescaled: Mapped positions removed because they exceeded open interest.
        mapped, unmapped: Open at the bar's end, with and without a liquidation price.
        before: Open before the first of these bars, ``(2,)``.
        open_interest: At the bar's end, ``(bars,)``.
    """

    at: npt.NDArray[np.int64]
    opened: Floats
    closed: Floats
    liquidated: Floats
    rescaled: Floats
    mapped: Floats
    unmapped: Floats
    before: Floats
    open_interest: Floats

    def __len__(self) -> int:
        return len(self.at)

    @property
    def open(self) -> Floats:
        """Open positions at each bar's end: mapped + unmapped."""
        return self.mapped + self.unmapped

    def total(self) -> dict[str, dict[str, float]]:
        """Return the sums over all bars, by side: ``before + opened − closed − liquidated − rescaled = open``."""
        return {
            side: {
                "before": float(self.before[k]),
                **{name: float(getattr(self, name)[:, k].sum()) for name in _FLOWS},
                "open": float(self.open[-1, k]),
            }
            for k, side in enumerate(("long", "short"))
        }

    def error(self) -> Floats:
        """Return the larger imbalance of the two sides per bar, as a share of open interest (in coin if that is 0)."""
        change = self.opened - self.closed - self.liquidated - self.rescaled
        previous = np.concatenate([self.before[None], self.open[:-1]])
        gap = np.maximum(np.abs(previous + change - self.open), np.abs(self.open - self.open_interest[:, None]))
        worst = gap.max(axis=1)
        return np.asarray(np.where(self.open_interest > 0, worst / np.maximum(self.open_interest, 1e-300), worst))

    def to_arrow(self) -> arro3.core.Table:
        """Return one row per bar and side.

        Columns: ``at_us, side, opened, closed, liquidated, rescaled, mapped, unmapped, open``.
        """
        from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when asked for

        names = (*_FLOWS, "mapped", "unmapped", "open")
        return Table.from_pydict(
            {
                "at_us": Array.from_numpy(np.repeat(self.at, 2)),
                "side": Array(["long", "short"] * len(self.at), type=DataType.utf8()),
                **{name: Array.from_numpy(np.ascontiguousarray(getattr(self, name)).ravel()) for name in names},
            }
        )


def build_ledger(
    store: Store,
    instrument: str,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    recipe: AnyRecipe | None = None,
) -> BarLedger:
    """Build the ledger of the bars that end after ``start`` and not after ``end``; all bars by default.

    Raises:
        InputError: ``end`` is before ``start``.
        NotFoundError: The history has no such instrument, or no bar of it in that span.
    """
    if start is not None and end is not None and end < start:
        raise InputError("ledger", "end", f"{iso(end)} before {iso(start)}", "an end after the start", "no ledger made")
    bars = store.market_bars(instrument, until=end)
    moment = int(bars.end[-1]) if end is None else end
    used, _, _ = select_recipe(store, bars, moment if start is None else start, recipe)
    run = prepare_run(bars, store.tiers(instrument, at=moment), used, instrument=instrument, at=moment)
    first = 0 if start is None else int(np.searchsorted(run.bars.end, start, side="right"))
    if first == len(run.bars.end):
        found = f"no bar that ends after {iso(moment if start is None else start)}"
        raise NotFoundError("ledger", instrument, found, "a span covered by the history", "no ledger made")
    run.advance_to(first)
    return record_bar_ledger(run, first, len(run.bars.end))


def record_bar_ledger(run: EngineRun, start: int, stop: int) -> BarLedger:
    """Process bars ``start`` to ``stop`` one by one and record the ledger after each.

    :func:`~liqmap.positions.engine.bar_steps.step_bars` is needed only for bars whose mapped positions could exceed
    open interest.
    """
    bars = run.bars
    accounts = np.empty((stop - start + 1, 2, 5))
    rescaled = np.zeros((stop - start, 2))
    accounts[0] = current = run.engine.accounts()
    room = (bars.open_interest[start:stop] - np.maximum(bars.long_flow, bars.short_flow)[start:stop]).tolist()
    for i in range(start, stop):
        if max(current[0][3], current[1][3]) <= room[i - start]:
            run.advance(i, i + 1)
        else:
            rescaled[i - start] = step_bars(run, i, i + 1).rescaled[0]
        current = run.engine.accounts()
        accounts[i - start + 1] = current
    opened, closed, liquidated = np.diff(accounts[:, :, :3], axis=0).transpose(2, 0, 1)
    return BarLedger(
        at=bars.end[start:stop],
        opened=opened,
        closed=closed - rescaled,
        liquidated=liquidated,
        rescaled=rescaled,
        mapped=accounts[1:, :, 3],
        unmapped=accounts[1:, :, 4],
        before=accounts[0, :, 3] + accounts[0, :, 4],
        open_interest=bars.open_interest[start:stop],
    )
