"""Selection of the price series that represents a market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liqmap._base.timestamps import Instant
    from liqmap.history.queries import MarketBars
    from liqmap.history.store import Store
    from liqmap.maps.market import MarketMap

__all__ = ["fresh_bars", "spot_series"]

_FRESH = 3_600_000_000


def fresh_bars(store: Store, name: str, at: Instant, source: str | None = None) -> MarketBars | None:
    """An instrument's bars, or ``None`` if the last one ended more than one hour before a time."""
    try:
        bars = store.market_bars(name, until=at, price_source=source)
    except NotFoundError:
        return None
    return bars if at - int(bars.end[-1]) <= _FRESH else None


def spot_series(store: Store, of: MarketMap, names: Sequence[str]) -> tuple[MarketBars, str]:
    """The most recent spot series of any instrument, or else an index series, or else the largest perpetual's bars.

    Returns:
        The bars, and a description of their source.

    Raises:
        NotFoundError: No series has a bar in the hour before the map.
    """
    for source in ("spot", "index"):
        found = [bars for name in names if (bars := fresh_bars(store, name, of.at, source)) is not None]
        if found:
            best = max(found, key=lambda bars: (int(bars.end[-1]), -bars.interval_s, len(bars)))
            return best, f"{source} price of {best.instrument}"
    kinds = {one.name: one.kind for one in store.instruments()}
    parts = sorted(
        of.parts,
        key=lambda part: (kinds.get(part.instrument) != "perpetual", -part.open_interest, part.instrument),
    )
    for part in parts:
        bars = fresh_bars(store, part.instrument, of.at)
        if bars is not None:
            return bars, f"{part.instrument}, as fallback for a missing spot price"
    raise NotFoundError(
        "levels", of.instrument, "no bars in the last hour", "recent bars of spot or of a perpetual", "nothing computed"
    )
