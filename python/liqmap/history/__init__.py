"""The history: one DuckDB file with all market data; loads account for every row, and reads use no later data."""

from liqmap.history.coverage import Coverage, Gap, Span, StaleRun
from liqmap.history.loading.load_report import LoadReport, Reject, TableReport
from liqmap.history.queries import Funding, Liquidations, MarketBars, Tier
from liqmap.history.store import Store, open_store

__all__ = [
    "Coverage",
    "Funding",
    "Gap",
    "Liquidations",
    "LoadReport",
    "MarketBars",
    "Reject",
    "Span",
    "StaleRun",
    "Store",
    "TableReport",
    "Tier",
    "open_store",
]
