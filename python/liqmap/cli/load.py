"""``liqmap load``: load files into a history."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["load"]


def load(
    paths: list[Path],
    /,
    *,
    db: Path,
    table: str | None = None,
    instrument: str | None = None,
    mapping: str | None = None,
    account: str | None = None,
    at: str | None = None,
    allow_rejects: int = 0,
    replace: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Load files into a history, one transaction per file; loading is idempotent.

    Args:
        paths: CSV, Parquet, JSON, zip or gz files.
        db: The history file; created if missing.
        table: Target table, for files whose columns carry the field names of the table.
        instrument: venue:SYMBOL, if the files do not contain it.
        mapping: A TOML mapping or the name of a built-in one; detected from the file header by default.
        account: Account of a venue response that does not name it; only a salted hash is stored.
        at: Time of a venue response without a timestamp, such as 2026-06-04T12:00Z.
        allow_rejects: Number of invalid rows per file to reject without stopping.
        replace: Overwrite stored rows with the rows of the files.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - keep start-up fast
    from liqmap.history.loading.source import check_readable  # noqa: PLC0415

    for path in paths:
        check_readable(path)
    with open_store(db, "w") as store:
        for path in paths:
            report = store.load(
                path,
                table=table,
                instrument=instrument,
                mapping=mapping,
                account=account,
                at=at,
                allow_rejects=allow_rejects,
                replace=replace,
            )
            sys.stdout.write("".join(f"{line}\n" for line in report.lines))
            sys.stdout.flush()
