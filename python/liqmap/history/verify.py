"""Verification of a history: load journal, row counts of loads, content hashes, and a full read of all tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.provenance import digest
from liqmap.history.column_limits import TABLES
from liqmap.history.connection import MEMORY
from liqmap.history.load_journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from liqmap._base.provenance import JSON
    from liqmap.history.store import Store

__all__ = ["Verification", "verify_history"]


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of verifying a history.

    Attributes:
        loads: Number of loads.
        rows: Number of data rows that loads stored.
        maps: Number of issued maps.
        calibrations: Number of calibrations.
        problems: The disagreements, one sentence each; empty if the history is consistent.
    """

    loads: int
    rows: int
    maps: int
    calibrations: int
    problems: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The result as text: the problems, or one line with the verified counts."""
        if self.problems:
            return self.problems
        counts = f"{self.loads:,} loads, {self.rows:,} rows, {self.maps:,} maps, {self.calibrations:,} calibrations"
        return (f"consistent: {counts}",)

    def to_dict(self) -> dict[str, JSON]:
        """Return the result as plain data."""
        return {
            "consistent": not self.problems,
            "loads": self.loads,
            "rows": self.rows,
            "maps": self.maps,
            "calibrations": self.calibrations,
            "problems": list(self.problems),
        }


def verify_history(store: Store) -> Verification:
    """Verify an open history; opening has already compared it with the entries of its load journal.

    Every block of the data tables is read, so that DuckDB verifies its checksum. Issued maps are compared with their
    hashes of inputs and parameters; ``History.recreate`` computes a map again.

    Raises:
        StorageError: The load journal or a block of the file is damaged.
    """
    with store.reading() as connection:
        stored = _rows_by_load(connection)
        problems = (
            *_journal_problems(store, connection),
            *_count_problems(connection, stored),
            *_map_problems(connection),
            *_calibration_problems(connection),
        )
        loads, maps, calibrations = (_count(connection, name) for name in ("loads", "maps", "calibrations"))
    return Verification(loads, sum(stored.values()), maps, calibrations, problems)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(row[0][0])


def _rows_by_load(connection: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Count the rows of every load; the hash forces DuckDB to read all columns."""
    stored: dict[int, int] = {}
    for table in sorted({table.destination for table in TABLES.values()}):
        counted = connection.execute(f"SELECT load_id, count(*), bit_xor(hash(t)) FROM {table} t GROUP BY load_id")
        for load_id, rows, _ in counted.fetchall():
            if load_id is not None:  # NULL: from the catalogue
                stored[int(load_id)] = stored.get(int(load_id), 0) + int(rows)
    return stored


def _journal_problems(store: Store, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    if str(store.path) == MEMORY:
        return
    listed = {entry.load_id for entry in read_journal(store.path)}
    for load_id, source in connection.execute("SELECT load_id, source FROM loads ORDER BY load_id").fetchall():
        if load_id not in listed:
            yield f"load {load_id} ({source}) is not in the load journal; repeat the load to add it"


def _count_problems(connection: duckdb.DuckDBPyConnection, stored: dict[int, int]) -> Iterator[str]:
    loads = connection.execute("SELECT load_id, source, rows, replaced_by FROM loads ORDER BY load_id").fetchall()
    for load_id, source, rows, replaced_by in loads:
        expected, found = 0 if replaced_by is not None else int(rows), stored.get(int(load_id), 0)
        if found < expected:
            cause = "unless an earlier version of liqmap replaced some, rows are lost"
            yield f"load {load_id} ({source}): {found:,} rows stored, {expected:,} recorded; {cause}"
        elif found > expected:
            yield f"load {load_id} ({source}): {found:,} rows stored, {expected:,} recorded"
    for load_id in sorted(stored.keys() - {int(row[0]) for row in loads}):
        yield f"load {load_id}: {stored[load_id]:,} rows stored, but the load is not recorded"
    for load_id, count in connection.execute(
        "SELECT load_id, count(*) FROM loads GROUP BY load_id HAVING count(*) > 1 ORDER BY load_id"
    ).fetchall():
        yield f"load {load_id} is recorded {count} times"


def _map_problems(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT map_id, inputs_hash, params_hash, provenance, bins, "
        "(SELECT count(*) FROM map_bins b WHERE b.map_id = m.map_id AND NOT b.bin BETWEEN 0 AND m.bins - 1) "
        "FROM maps m ORDER BY issued_at, map_id"
    ).fetchall()
    for map_id, inputs_hash, params_hash, text, bins, outside in rows:
        name = f"map {map_id[:16]}"
        provenance = _parse_object(text)
        for what, stored in (("inputs", inputs_hash), ("parameters", params_hash)):
            if provenance is None or digest(provenance.get(what)) != stored:
                yield f"{name}: the hash of its {what} differs from the stored {what}"
        if outside:
            yield f"{name}: {outside:,} levels outside its {bins:,} bins"
    orphans = connection.execute(
        "SELECT map_id, count(*), bit_xor(hash(b)) FROM map_bins b GROUP BY map_id ORDER BY map_id"
    ).fetchall()
    recorded = {row[0] for row in rows}
    for map_id, count, _ in orphans:
        if map_id not in recorded:
            yield f"map {map_id[:16]}: {count:,} bins stored, but the map is not recorded"


def _calibration_problems(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT calibration_id, instrument, issued_at, data_cutoff, interval_s, price_source, parameters "
        "FROM calibrations ORDER BY issued_at, calibration_id"
    ).fetchall()
    for key, *fields, text in rows:
        parameters = _parse_object(text)
        if parameters is None or digest([*fields, parameters]) != key:
            yield f"calibration {key}: the stored calibration differs from its content hash"


def _parse_object(text: str) -> dict[str, JSON] | None:
    try:
        plain = json.loads(text)
    except ValueError:
        return None
    return plain if isinstance(plain, dict) else None
