"""A file into the history: one transaction, every row accounted for, the same file twice changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import InstantLike, parse
from liqmap.history import load_journal
from liqmap.history.connection import refuse_a_full_disk
from liqmap.history.loading.file_rows import name_columns
from liqmap.history.loading.load_report import LoadReport
from liqmap.history.loading.load_transaction import Job
from liqmap.history.loading.mapping_match import Asked, find_layout
from liqmap.history.loading.source import open_file
from liqmap.history.loading.venue_rows import flatten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from liqmap.history.store import Store

__all__ = ["load"]


def load(
    store: Store,
    path: Path,
    *,
    table: str | None = None,
    instrument: str | None = None,
    mapping: str | PathLike[str] | None = None,
    columns: Mapping[str, Any] | None = None,
    account: str | None = None,
    at: InstantLike | None = None,
    allow_rejects: int = 0,
    replace: bool = False,
) -> LoadReport:
    """Load a CSV, Parquet, JSON, zip or gz file.

    Args:
        store: The history, opened to write.
        path: The file.
        table: The table, for files whose columns are named like its fields, or with ``columns``.
        instrument: ``venue:SYMBOL``, where the file does not say.
        mapping: A mapping file, or the name of a shipped one; found by the file's header if left out.
        columns: Field → column (text), constant (number) or ``{"column": …, "unit": …}``; needs ``table``.
        account: Whose positions a venue's answer holds, where it does not say; only its salted hash is stored.
        at: When a venue's answer was taken, where it does not say.
        allow_rejects: How many bad rows to put aside rather than stop.
        replace: Let this file's rows take the place of stored ones with the same key, and of all rows an earlier
            version of this very file stored.

    Returns:
        What became of every row.

    Raises:
        InputError: The file, or a value in it, is not what it has to be; nothing was stored.
        NotFoundError: An instrument the history does not know.
        StorageError: The history cannot be written.
    """
    if allow_rejects < 0:
        raise InputError("load", "allow_rejects", repr(allow_rejects), "0 or more", "nothing stored")
    taken = None if at is None else parse(at, stage="load")
    asked = Asked(table, instrument, mapping, columns, account, taken)
    with open_file(path) as opened, store.transaction() as connection:
        refuse_a_full_disk(store.path, sum(s.size for s in opened.sources))
        sources = [
            flatten(connection, s, asked) if s.kind == "json" else name_columns(connection, s) for s in opened.sources
        ]
        layouts = [find_layout(s, asked) for s in sources]
        job = Job(connection, opened, asked, allow_rejects=allow_rejects, replace=replace)
        if (earlier := job.already(layouts[0])) is not None:
            return LoadReport(opened.where, opened.sha256, layouts[0].mapping.name, earlier, already=True)
        report = job.run(sources, layouts)
    _prove(store, report)
    return report


def _prove(store: Store, report: LoadReport) -> None:
    """After the commit: the load is there, and is written down beside the history."""
    with store.reading() as connection:
        row = connection.execute("SELECT rows FROM loads WHERE load_id = $1", [report.load_id]).fetchone()
        if row is None or row[0] != report.stored:
            raise StorageError(
                "load", report.source, "the commit left no trace", "the load on record", "check the disk"
            )
        load_journal.append(connection, store.path)
