"""Liquidation maps that balance: where leveraged positions would be force-closed, and what happens next.

The public names are listed in ``__init__.pyi``. Each is loaded at its first use, so that ``import liqmap`` loads
neither numpy nor DuckDB.

Example:
    >>> import liqmap
    >>> with liqmap.open(":memory:", mode="w") as history:
    ...     history.coverage().spans
    ()
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
