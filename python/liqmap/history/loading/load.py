"""A file into the history: one transaction, every row accounted for, the same file twice changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError, StorageError
from liqmap._base.timestamps import InstantLike, parse_instant
from liqmap.history import load_journal
from liqmap.history.connection import require_disk_space
from liqmap.history.loading.file_rows import with_column_names
from liqmap.history.loading.load_report import LoadReport
from liqmap.history.loading.load_transaction import LoadTransaction
from liqmap.history.loading.mapping_match import match_mapping
from liqmap.history.loading.source import open_file
from liqmap.history.loading.types import LoadOptions
from liqmap.history.loading.venue_rows import read_venue_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from liqmap.history.loading.types import HistoryWriter


__all__ = ["load_file"]


def load_file(
    store: HistoryWriter,
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
    taken = None if at is None else parse_instant(at, stage="load")
    options = LoadOptions(table, instrument, mapping, columns, account, taken)
    with open_file(path) as opened, store.transaction() as connection:
        require_disk_space(store.path, sum(s.size for s in opened.sources))
        sources = [
            read_venue_rows(connection, s, options) if s.kind == "json" else with_column_names(connection, s)
            for s in opened.sources
        ]
        matches = [match_mapping(s, options) for s in sources]
        job = LoadTransaction(connection, opened, options, allow_rejects=allow_rejects, replace=replace)
        if (earlier := job.already(matches[0])) is not None:
            return LoadReport(opened.where, opened.sha256, matches[0].mapping.name, earlier, already=True)
        report = job.run(sources, matches)
    _verify_commit(store, report)
    return report


def _verify_commit(store: HistoryWriter, report: LoadReport) -> None:
    """After the commit: the load is there, and is written down beside the history."""
    with store.reading() as connection:
        row = connection.execute("SELECT rows FROM loads WHERE load_id = $1", [report.load_id]).fetchone()
        if row is None or row[0] != report.stored:
            raise StorageError(
                "load", report.source, "the commit left no trace", "the load on record", "check the disk"
            )
        load_journal.append_loads(connection, store.path)
