"""Liquidation maps that balance: where leveraged positions would be force-closed, and what happens next.

Example:
    >>> import liqmap
    >>> with liqmap.open(":memory:", mode="w") as history:
    ...     history.coverage().spans
    ()
"""

from importlib import import_module
from typing import TYPE_CHECKING

from liqmap._core import __version__

if TYPE_CHECKING:
    from liqmap._base.errors import InputError, InternalError, LiqmapError, NotFoundError, StorageError
    from liqmap._base.grid import Grid
    from liqmap.maps.histogram import Histogram, histogram
    from liqmap.maps.map import LiquidationMap
    from liqmap.positions.engine.recipe import Recipe
    from liqmap.positions.margin import liquidation_prices, liquidation_tranches
    from liqmap.public import History
    from liqmap.public import open_history as open  # noqa: A004 - `liqmap.open` is the name users know
    from liqmap.strategies.conditions import Conditions
    from liqmap.strategies.trading_levels import levels_to_use
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

# A name is looked up where it lives when it is first used: `import liqmap` costs no numpy and no database.
_PLACES = {
    "liqmap._base.errors": ("InputError", "InternalError", "LiqmapError", "NotFoundError", "StorageError"),
    "liqmap._base.grid": ("Grid",),
    "liqmap.maps.histogram": ("Histogram", "histogram"),
    "liqmap.maps.map": ("LiquidationMap",),
    "liqmap.positions.margin": ("liquidation_prices", "liquidation_tranches"),
    "liqmap.positions.engine.recipe": ("Recipe",),
    "liqmap.public": ("History", "open_history"),
    "liqmap.strategies.conditions": ("Conditions",),
    "liqmap.strategies.trading_levels": ("levels_to_use",),
    "liqmap.stress.depth": ("Depth",),
    "liqmap.stress.scenarios": ("scenarios",),
}
_PLACE = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    wanted = "open_history" if name == "open" else name
    if name not in __all__ or wanted not in _PLACE:
        raise AttributeError(f"module 'liqmap' has no attribute {name!r}")
    found: object = getattr(import_module(_PLACE[wanted]), wanted)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
