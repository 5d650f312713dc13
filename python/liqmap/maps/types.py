"""Protocol of a map for clusters and exports, which avoids an import of the map itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.timestamps import Instant
    from liqmap.maps.observed_modelled import ObservedPart

__all__ = ["BinnedMap"]


class BinnedMap(Protocol):
    """The attributes of a map that clusters and tables read; see :class:`liqmap.maps.map.LiquidationMap`."""

    @property
    def instrument(self) -> str:
        """The instrument or market."""

    @property
    def at(self) -> Instant:
        """Time of the map, UTC microseconds."""

    @property
    def mark_price(self) -> float:
        """Mark price, quote currency."""

    @property
    def grid(self) -> Grid:
        """The price axis."""

    @property
    def brackets(self) -> tuple[float, ...]:
        """Leverage of each bracket."""

    @property
    def long(self) -> npt.NDArray[np.float64]:
        """USD of longs by bracket and bin."""

    @property
    def short(self) -> npt.NDArray[np.float64]:
        """USD of shorts by bracket and bin."""

    @property
    def observed(self) -> ObservedPart | None:
        """The observed part of the notional."""

    @property
    def past(self) -> npt.NDArray[np.float64] | None:
        """Notional of the clusters of the preceding 90 days, ascending, USD."""
