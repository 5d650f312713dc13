"""Database snapshots: consistent copies of the history that can be read while a writer holds the original."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.errors import StorageError
from liqmap.history.connection import MEMORY, STORAGE_VERSION, fsync, storage_errors
from liqmap.history.load_journal import journal_path

if TYPE_CHECKING:
    import duckdb

__all__ = ["snapshot"]


def snapshot(connection: duckdb.DuckDBPyConnection, source: Path | str, target: Path) -> None:
    """Copy the open history to another file, which is replaced atomically.

    A plain copy of the file would lack the changes that are still in the write-ahead log.

    Raises:
        StorageError: The target is the history itself, or cannot be written.
    """
    if str(source) != MEMORY and target.exists() and target.samefile(source):
        raise StorageError("snapshot", str(target), "the history itself", "another file", "nothing written")
    if not target.parent.is_dir():
        raise StorageError(
            "snapshot", str(target), f"no folder {target.parent}", "an existing folder", "nothing written"
        )
    draft = target.parent / f".{target.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with storage_errors(target):
            here = connection.execute("SELECT current_database()").fetchone()
            source_name = '"' + str(here[0] if here else "").replace('"', '""') + '"'
            name = str(draft).replace("'", "''")
            connection.execute(f"ATTACH '{name}' AS copied (STORAGE_VERSION '{STORAGE_VERSION}')")
            try:
                connection.execute(f"COPY FROM DATABASE {source_name} TO copied")
            finally:
                connection.execute("DETACH copied")
        fsync(draft)
        # An old load journal of the target may list loads that were committed after this snapshot.
        journal_path(target).unlink(missing_ok=True)
        draft.replace(target)
        fsync(target.parent)
    finally:
        draft.unlink(missing_ok=True)
        Path(f"{draft}.wal").unlink(missing_ok=True)
