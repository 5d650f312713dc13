"""Protocol of a map for clusters and exports, which avoids an import of the map itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from liqmap.stress.directional_levels import MapLike

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from liqmap.maps.observed_modelled import ObservedPart

__all__ = ["BinnedMap"]


class BinnedMap(MapLike, Protocol):
    """The attributes of a map that clusters and tables read; see :class:`liqmap.maps.map.LiquidationMap`."""

    @property
    def observed(self) -> ObservedPart | None:
        """The observed part of the notional."""

    @property
    def past(self) -> npt.NDArray[np.float64] | None:
        """Notional of the clusters of the preceding 90 days, ascending, USD."""
