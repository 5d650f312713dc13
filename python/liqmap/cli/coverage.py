"""``liqmap coverage``: data coverage of a history."""

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
        db: The history file.
        instrument: Limit the output to this instrument, venue:SYMBOL.
        as_json: Print one JSON object.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - keep start-up fast

    with open_store(db) as store:
        found = store.coverage(instrument)
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in found.lines) or "no data loaded\n")
