"""The ledger: where every contract of a side went, in coin."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Ledger", "SideLedger"]


@dataclass(frozen=True, slots=True)
class SideLedger:
    """One side's account, in coin: ``opened − closed − liquidated = open = mapped + unmapped``.

    Attributes:
        opened: All that was opened since the first bar, the open interest at the start included.
        closed: Closed by choice, or cut down to open interest; bar by bar the two are told apart
            (:class:`liqmap.positions.engine.bar_ledger.BarLedger`).
        liquidated: Closed by force (as the model predicts; observed positions enter as they are).
        mapped: Open and on the map: the price is expected to liquidate it somewhere.
        unmapped: Open and not on the map: hedged, unlevered or well margined.
    """

    opened: float
    closed: float
    liquidated: float
    mapped: float
    unmapped: float

    @property
    def open(self) -> float:
        """What is open: mapped + unmapped."""
        return self.mapped + self.unmapped

    @property
    def imbalance(self) -> float:
        """``opened − closed − liquidated − open``: zero but for rounding."""
        return self.opened - self.closed - self.liquidated - self.open

    def to_dict(self) -> dict[str, float]:
        """The six figures, ``open`` among them."""
        return {**asdict(self), "open": self.open}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Both sides of one instrument; each side's open is the open interest.

    Example:
        >>> side = SideLedger(opened=10.0, closed=4.0, liquidated=1.0, mapped=2.0, unmapped=3.0)
        >>> Ledger(long=side, short=side).error(open_interest=5.0)
        0.0
    """

    long: SideLedger
    short: SideLedger

    def error(self, open_interest: float) -> float:
        """The worst imbalance of either side, as a share of open interest."""
        worst = max(max(abs(side.imbalance), abs(side.open - open_interest)) for side in (self.long, self.short))
        return worst / open_interest if open_interest > 0 else worst

    def to_dict(self) -> dict[str, dict[str, float]]:
        """``{"long": {...}, "short": {...}}``."""
        return {"long": self.long.to_dict(), "short": self.short.to_dict()}
