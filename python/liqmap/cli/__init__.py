"""The front door: one command, one verb, one file."""

from __future__ import annotations

import sys

from cyclopts import App

from liqmap.errors import LiqmapError

__all__ = ["app", "main"]

app = App(
    name="liqmap",
    help="Liquidation maps that balance: where leveraged positions would be force-closed, and what happens next.",
)

# Each verb is named by its place and loaded when it is called, so that `liqmap --help` stays quick.
for _verb in ("demo", "load", "coverage", "map", "heatmap", "cascade", "score", "report"):
    app.command(f"liqmap.cli.{_verb}:{_verb}", name=_verb)


def main() -> None:
    """Run the command line; a known error is one line on standard error and exit status 1."""
    try:
        app()
    except LiqmapError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe has gone (`| head`): that is no fault.
        sys.stderr.close()
        sys.exit(0)
