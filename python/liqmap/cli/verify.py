"""``liqmap verify``: consistency of a history."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["verify"]


def verify(
    *,
    db: Path,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Verify that the load journal, the row counts of the loads and the content hashes of a history agree.

    The exit status is 0 if they agree and 1 if they do not.

    Args:
        db: The history file.
        as_json: Print one JSON object.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - keep start-up fast
    from liqmap.history.verify import verify_history  # noqa: PLC0415 - keep start-up fast

    with open_store(db) as store:
        found = verify_history(store)
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in found.lines))
    if found.problems:
        sys.stdout.flush()
        sys.exit(1)
