"""What an observer of the market sees: bars, open interest, funding, liquidations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from liqmap.demo.accounts import Ints
    from liqmap.demo.isolated_margin import Floats
    from liqmap.demo.settings import Settings

__all__ = ["Bar", "Recorder"]

_MINUTE = 60_000_000
_JUMPS_PER_MINUTE = 4
_LIQUIDATION_GAP = 100_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of ``bars`` with what stood open at its end; prices in ticks, sizes in lots, ``ts`` its first instant."""

    ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    taker_buy: int
    open_interest: int


@dataclass(slots=True)
class Recorder:
    """Writes minutes down as bars, and every forced close.

    Attributes:
        bars: Finished bars.
        liquidations: Blocks of ``(ts, side, tick, lots, entry, level)`` columns, in time.
        funding: ``(ts, rate)``, every eight hours.
    """

    settings: Settings
    bars: list[Bar] = field(default_factory=list)
    liquidations: list[Ints] = field(default_factory=list)
    funding: list[tuple[int, float]] = field(default_factory=list)
    _now: list[int] = field(default_factory=list)

    def minute(self, minute: int, path: tuple[int, int, int, int], flow: tuple[int, int], open_interest: int) -> bool:
        """Add one minute; says whether it completed a bar.

        Args:
            minute: Minutes since the start of the record.
            path: Open, high, low, close of the mark, ticks.
            flow: Lots traded and lots bought by takers.
            open_interest: Lots at the end of the minute.
        """
        first, high, low, close = path
        if not self._now:
            self._now = [first, high, low, 0, 0]
        opened, top, bottom, volume, bought = self._now
        self._now = [opened, max(top, high), min(bottom, low), volume + flow[0], bought + flow[1]]
        length = self.settings.bar_minutes
        if (minute + 1) % length:
            return False
        ts = self.settings.start + (minute + 1 - length) * _MINUTE
        opened, top, bottom, volume, bought = self._now
        self.bars.append(Bar(ts, opened, top, bottom, close, volume, bought, open_interest))
        self._now = []
        return True

    def fund(self, minute: int, rate: float) -> None:
        """Note the funding rate at the end of a minute, a fraction per eight hours."""
        self.funding.append((self.settings.start + (minute + 1) * _MINUTE, rate))

    def liquidated(self, minute: int, along: Floats, columns: list[Ints]) -> None:
        """Add forced closes of one minute.

        The mark moves in four jumps a minute, and the engine works off what a jump has triggered every tenth of a
        second (faster in a crowd, so that no two share an instant). Three quarters of the orders then come within a
        second of the one before, as they did on Bybit in February 2026.

        Args:
            minute: Minutes since the start of the record.
            along: How far along the minute's path each was triggered, 0 to 1, ascending.
            columns: Side, fill tick, lots, entry tick, level tick.
        """
        jump = np.minimum((along * _JUMPS_PER_MINUTE).astype(np.int64), _JUMPS_PER_MINUTE - 1)
        rank = np.arange(len(jump)) - np.searchsorted(jump, jump)
        crowd = np.bincount(jump, minlength=_JUMPS_PER_MINUTE)[jump]
        within = rank * np.minimum(_LIQUIDATION_GAP, _MINUTE // _JUMPS_PER_MINUTE // crowd)
        ts = self.settings.start + minute * _MINUTE + jump * (_MINUTE // _JUMPS_PER_MINUTE) + within
        self.liquidations.append(np.stack([ts, *columns]))
