"""``liqmap load``: files into the history."""

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
    """Load files into a history, each in one transaction; loading a file twice changes nothing.

    Args:
        paths: CSV, Parquet, JSON, zip or gz files.
        db: The history; made if it is not there.
        table: The table, for files whose columns are named like its fields.
        instrument: venue:SYMBOL, where the files do not say.
        mapping: A TOML mapping, or the name of a shipped one; found by the file's header if left out.
        account: Whose positions a venue's answer holds, where it does not say; only a salted hash is stored.
        at: When a venue's answer was taken (2026-06-04T12:00Z), where it does not say.
        allow_rejects: How many bad rows of a file to put aside rather than stop.
        replace: Let the files' rows take the place of stored ones.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - the front door opens quickly
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
