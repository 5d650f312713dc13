"""The ledger of an instrument: contracts opened, closed, liquidated and open per side, in coin."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Ledger", "SideLedger"]


@dataclass(frozen=True, slots=True)
class SideLedger:
    """Ledger of one side, in coin: ``opened − closed − liquidated = open = mapped + unmapped``.

    Attributes:
        opened: Opened since the first bar, including the open interest at the start.
        closed: Closed voluntarily, or rescaled to fit open interest; the bar ledger separates the two
            (:class:`liqmap.positions.engine.bar_ledger.BarLedger`).
        liquidated: Liquidated according to the model; observed positions are included as they were reported.
        mapped: Open and on the map, with a known liquidation level.
        unmapped: Open and not on the map, because it is hedged, unlevered or well margined.
    """

    opened: float
    closed: float
    liquidated: float
    mapped: float
    unmapped: float

    @property
    def open(self) -> float:
        """Open amount: mapped + unmapped."""
        return self.mapped + self.unmapped

    @property
    def imbalance(self) -> float:
        """``opened − closed − liquidated − open``; zero up to rounding."""
        return self.opened - self.closed - self.liquidated - self.open

    def to_dict(self) -> dict[str, float]:
        """Return the five fields and ``open``."""
        return {**asdict(self), "open": self.open}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Ledger of one instrument; the open amount of each side equals open interest.

    Example:
        >>> side = SideLedger(opened=10.0, closed=4.0, liquidated=1.0, mapped=2.0, unmapped=3.0)
        >>> Ledger(long=side, short=side).error(open_interest=5.0)
        0.0
    """

    long: SideLedger
    short: SideLedger

    def error(self, open_interest: float) -> float:
        """Return the largest imbalance of either side, as a share of open interest (in coin if that is 0)."""
        worst = max(max(abs(side.imbalance), abs(side.open - open_interest)) for side in (self.long, self.short))
        return worst / open_interest if open_interest > 0 else worst

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return ``{"long": {...}, "short": {...}}``."""
        return {"long": self.long.to_dict(), "short": self.short.to_dict()}
