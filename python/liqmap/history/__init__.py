"""The history: one DuckDB file, filled by loads that account for every row, read without seeing the future."""

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
