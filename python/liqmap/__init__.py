"""Liquidation maps that balance: where leveraged positions would be force-closed, and what happens next.

Example:
    >>> import liqmap
    >>> with liqmap.open(":memory:", mode="w") as history:
    ...     history.coverage().spans
    ()
"""

from liqmap._core import __version__
from liqmap.errors import InputError, InternalError, LiqmapError, NotFoundError, StorageError
from liqmap.grid import Grid
from liqmap.maps.histogram import Histogram, histogram
from liqmap.maps.map import LiquidationMap
from liqmap.positions.margin import liquidation_prices, liquidation_tranches
from liqmap.positions.recipe import Recipe
from liqmap.public import History
from liqmap.public import open_history as open  # noqa: A004 - `liqmap.open` is the name users know
from liqmap.strategies.conditions import Conditions
from liqmap.strategies.levels import levels_to_use
from liqmap.stress.depth import Depth
from liqmap.stress.scenarios import scenarios

__all__ = [
    "Conditions",
    "Depth",
    "Grid",
    "Histogram",
    "History",
    "InputError",
    "InternalError",
    "LiqmapError",
    "LiquidationMap",
    "NotFoundError",
    "Recipe",
    "StorageError",
    "__version__",
    "histogram",
    "levels_to_use",
    "liquidation_prices",
    "liquidation_tranches",
    "open",
    "scenarios",
]
