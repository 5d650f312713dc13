"""The ``liqmap`` command line; each command is defined in its own module."""

from __future__ import annotations

import sys

from cyclopts import App

from liqmap._base.errors import LiqmapError

__all__ = ["app", "main"]

app = App(
    name="liqmap",
    help="Liquidation maps of crypto derivatives: prices of forced closures, cascades and their market impact.",
)

COMMANDS = {
    "demo": "Simulate a market, map it and write a report.",
    "load": "Load files into a history: CSV, Parquet, JSON, zip, gz.",
    "coverage": "Show the data coverage of a history: spans, gaps, stale runs.",
    "verify": "Verify that load journal, row counts and content hashes of a history agree.",
    "map": "Print the liquidation map of an instrument or market.",
    "heatmap": "Build liquidation maps at regular times (heatmap).",
    "cascade": "Simulate the liquidation cascade after a price shock.",
    "levels": "Derive trading levels: breakouts, zones, stops, liquidity, volatility.",
    "position": "Compute the liquidation price of a position and its cluster.",
    "calibrate": "Fit the distribution of liquidation distances to realised liquidations.",
    "score": "Evaluate maps against realised liquidations and a price-only baseline.",
    "report": "Write a report as static HTML pages.",
    "publish": "Publish a site atomically.",
}

# Commands are registered by import path and loaded on call, so that `liqmap --help` is fast.
for _place, (_verb, _help) in enumerate(COMMANDS.items()):
    app.command(f"liqmap.cli.{_verb}:{_verb}", name=_verb, help=_help, sort_key=_place)


def main() -> None:
    """Run the command line; a LiqmapError prints one line on standard error and exits with status 1."""
    # DuckDB imports pandas, if installed, to inspect query parameters. liqmap does not use it; blocking saves 0.5 s.
    unloaded = "pandas" not in sys.modules
    if unloaded:
        sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        app()
    except LiqmapError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except BrokenPipeError:
        # The reader closed the pipe (`| head`); this is not an error.
        sys.stderr.close()
        sys.exit(0)
    finally:
        if unloaded:
            sys.modules.pop("pandas", None)
