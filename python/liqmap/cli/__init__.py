"""The front door: one command, one verb, one file."""

from __future__ import annotations

import sys

from cyclopts import App

from liqmap._base.errors import LiqmapError

__all__ = ["app", "main"]

app = App(
    name="liqmap",
    help="Liquidation maps that balance: where leveraged positions would be force-closed, and what happens next.",
)

COMMANDS = {
    "demo": "A simulated market from nothing to a page.",
    "load": "Put files into a history: CSV, Parquet, zip, gz.",
    "coverage": "What a history holds: spans, gaps, stale runs.",
    "map": "The liquidation map of an instrument.",
    "heatmap": "Maps through time.",
    "cascade": "Where a shock would stop, and what it would set off.",
    "levels": "What to do with a map: breakouts, zones, stops, liquidity, volatility.",
    "position": "Where one position is liquidated, and in which cluster.",
    "calibrate": "Fit the distances of positions to realised liquidations.",
    "score": "Was the map right? Beside what price alone says.",
    "report": "Static pages that open from disk.",
    "publish": "Put a site where people read it: wholly old or wholly new.",
}

# Each verb is named by its place and loaded when it is called, so that `liqmap --help` stays quick.
for _place, (_verb, _help) in enumerate(COMMANDS.items()):
    app.command(f"liqmap.cli.{_verb}:{_verb}", name=_verb, help=_help, sort_key=_place)


def main() -> None:
    """Run the command line; a known error is one line on standard error and exit status 1."""
    # DuckDB loads pandas, where it is installed, to look at a query's values: half a second for what is never used.
    unloaded = "pandas" not in sys.modules
    if unloaded:
        sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        app()
    except LiqmapError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe has gone (`| head`): that is no fault.
        sys.stderr.close()
        sys.exit(0)
    finally:
        if unloaded:
            sys.modules.pop("pandas", None)
