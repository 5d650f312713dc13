"""Instruments: one contract on one venue, written ``venue:SYMBOL``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant

__all__ = ["SIDES", "Instrument", "Kind", "Payoff", "Side", "slug", "split_name"]

Side: TypeAlias = Literal["long", "short"]
SIDES: tuple[Side, Side] = ("long", "short")
"""The order of sides in every array that has a side axis."""
Kind: TypeAlias = Literal["perpetual", "dated", "aggregate"]
Payoff: TypeAlias = Literal["linear", "inverse"]

_NAME_LIMIT = 200
_VENUE = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of the ``instruments`` table.

    Attributes:
        name: ``venue:SYMBOL``; the symbol is any printable text, such as ``币安人生USDT``.
        kind: ``perpetual``, ``dated`` (with an ``expiry``), or ``aggregate`` (a vendor's sum over venues, no contract).
        payoff: ``linear`` or ``inverse``.
        base: Coin of the underlying.
        quote: Currency of prices.
        settle: Currency of margin and profit.
        contract_size: Coin per contract (linear) or USD per contract (inverse); never assumed.
        tick_size: Smallest price increment, in quote currency.
        expiry: UTC microseconds for a dated contract; ``None`` otherwise.
    """

    name: str
    kind: Kind
    payoff: Payoff
    base: str
    quote: str
    settle: str
    contract_size: float
    tick_size: float
    expiry: Instant | None = None

    @property
    def venue(self) -> str:
        """Venue: the part before the first colon."""
        return split_name(self.name)[0]

    @property
    def symbol(self) -> str:
        """Symbol: the part after the first colon."""
        return split_name(self.name)[1]

    @property
    def simulated(self) -> bool:
        """Whether the market is simulated; every page and chart of it must be labelled SIMULATED."""
        return self.venue == "sim"


def split_name(name: str, *, stage: str = "instrument") -> tuple[str, str]:
    """Split ``venue:SYMBOL``.

    Raises:
        InputError: The colon is missing, the venue is invalid, the symbol is empty or too long, or the name contains
            control characters.

    Example:
        >>> split_name("okx:BTC-USDT-SWAP")
        ('okx', 'BTC-USDT-SWAP')
    """
    venue, colon, symbol = name.partition(":")
    if not colon or not _VENUE.fullmatch(venue) or not symbol.strip() or not symbol.isprintable():
        raise InputError(stage, "instrument", repr(name), "venue:SYMBOL, such as binance:BTCUSDT", "stopped")
    if len(name) > _NAME_LIMIT:
        raise InputError(stage, "instrument", f"{len(name)} characters", f"at most {_NAME_LIMIT}", "stopped")
    return venue, symbol


def slug(name: str) -> str:
    """Return a file name for any label: readable letters and eight hexadecimal digits that keep it unique.

    Example:
        >>> slug("binance:BTCUSDT")
        'binance-btcusdt-191120de'
    """
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "x"
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
