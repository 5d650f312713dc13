"""Loads a file into the history in one transaction; every row is accounted for, and repeated loads are idempotent."""

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
        store: The history, opened for writing.
        path: The file.
        table: Table of the rows, for files whose columns have the names of its fields, or together with ``columns``.
        instrument: ``venue:SYMBOL``, if the file does not contain it.
        mapping: Path of a mapping file or name of a bundled mapping. Default: detected from the file's header.
        columns: Field → column (text), constant (number) or ``{"column": …, "unit": …}``; needs ``table``.
        account: Account of a venue's response, if the response lacks it; only its salted hash is stored.
        at: Time of a venue's response, if the response lacks it.
        allow_rejects: Number of invalid rows that are rejected individually; one more is an error.
        replace: Whether the rows replace stored rows with the same key, and all rows of an earlier version of the same
            file.

    Returns:
        The load report, which accounts for every row.

    Raises:
        InputError: The file or a value in it is invalid; nothing was stored.
        NotFoundError: Neither the history nor the catalogue contains the instrument.
        StorageError: The history cannot be written.
    """
    if allow_rejects < 0:
        raise InputError("load", "allow_rejects", repr(allow_rejects), "0 or more", "nothing stored")
    snapshot_time = None if at is None else parse_instant(at, stage="load")
    options = LoadOptions(table, instrument, mapping, columns, account, snapshot_time)
    with open_file(path) as opened, store.transaction() as connection:
        require_disk_space(store.path, sum(s.size for s in opened.sources))
        sources = [
            read_venue_rows(connection, s, options) if s.kind == "json" else with_column_names(connection, s)
            for s in opened.sources
        ]
        matches = [match_mapping(s, options) for s in sources]
        load = LoadTransaction(connection, opened, options, allow_rejects=allow_rejects, replace=replace)
        if (earlier := load.find_identical_load(matches[0])) is not None:
            report = LoadReport(opened.where, opened.sha256, matches[0].mapping.name, earlier, already=True)
        else:
            report = load.run(sources, matches)
    _verify_commit(store, report)
    return report


def _verify_commit(store: HistoryWriter, report: LoadReport) -> None:
    """Verify after the commit that the load is stored and in the load journal.

    This includes a load that was already stored: its process may have been killed between the commit and the journal.
    """
    with store.reading() as connection:
        row = connection.execute("SELECT rows FROM loads WHERE load_id = $1", [report.load_id]).fetchone()
        if row is None or (not report.already and row[0] != report.stored):
            raise StorageError(
                "load", report.source, "the load is missing after its commit", "a stored load", "check the disk"
            )
        load_journal.append_loads(connection, store.path, report.load_id)
