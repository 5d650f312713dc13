"""``liqmap coverage``: what the history holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["coverage"]


def coverage(
    *,
    db: Path,
    instrument: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Show the spans, gaps and stale runs of a history.

    Args:
        db: The history.
        instrument: Only this one, venue:SYMBOL.
        as_json: Print one JSON object.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - the front door opens quickly

    with open_store(db) as store:
        found = store.coverage(instrument)
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in found.lines) or "nothing loaded yet\n")
