"""The history as an object: loads, coverage and reads without later data over one DuckDB connection."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import duckdb

from liqmap._base.errors import StorageError
from liqmap.history import lineage, load_journal, queries
from liqmap.history.connection import MEMORY, Mode, open_connection, storage_errors, translate_error
from liqmap.history.coverage import STALE_AFTER, Coverage, measure_coverage
from liqmap.history.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping
    from os import PathLike
    from types import TracebackType

    from liqmap._base.instruments import Instrument
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant, InstantLike
    from liqmap.history.loading.load_report import LoadReport
    from liqmap.history.queries import Funding, Liquidations, MarketBars, OpenInterest, Tier

__all__ = ["Store", "open_store"]

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait while another process locks the file."""


def open_store(path: str | PathLike[str], mode: Mode = "r", *, patience: float = PATIENCE) -> Store:
    """Open a history.

    Args:
        path: The file; ``:memory:`` with mode ``w`` for a history in memory.
        mode: ``r`` never creates or changes anything; ``w`` creates a missing file.
        patience: Seconds to wait while another process locks the file.

    Raises:
        StorageError: The file is missing, locked, damaged, not a liqmap history, of another schema version, or lacks
            committed loads; or its load journal is damaged or belongs to another history.

    Example:
        >>> with open_store(":memory:", mode="w") as store:
        ...     store.instruments()
        ()
    """
    return Store(path, mode, patience=patience)


class Store:
    """One open history; close it or use it as a context manager."""

    def __init__(self, path: str | PathLike[str], mode: Mode = "r", *, patience: float = PATIENCE) -> None:
        if mode not in ("r", "w"):
            raise StorageError("open", str(path), f"mode {mode!r}", 'mode "r" or "w"', "stopped")
        self.path = MEMORY if str(path) == MEMORY else Path(path)
        self.mode = mode
        load_journal.require_no_journal(self.path)
        self._connection = open_connection(self.path, mode, patience=patience)
        self._query_cache: dict[Hashable, Any] = {}
        try:
            load_journal.check_loads(self._connection, self.path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An atomic transaction: commits at the end of the block, rolls back on any exception.

        After a failed statement, DuckDB accepts ``COMMIT`` but stores nothing; this method raises an error instead.

        Raises:
            StorageError: The history is read-only, the disk is full, or the file cannot be written.
        """
        if self.mode != "w":
            raise StorageError("write", str(self.path), "a read-only history", 'mode "w"', "nothing changed")
        connection = self._connection
        self._query_cache.clear()
        try:
            connection.execute("BEGIN TRANSACTION")
            yield connection
            connection.execute("SELECT 1").fetchall()  # fails where a statement inside had failed
            connection.execute("COMMIT")
        except BaseException as error:
            self._rollback(error)
            if isinstance(error, duckdb.Error):
                raise translate_error(error, self.path, "write") from error
            raise
        finally:
            self._query_cache.clear()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection for queries; errors of DuckDB become :class:`StorageError`."""
        with storage_errors(self.path, "read"):
            yield self._connection

    def cached_query(self, query: Callable[..., T], *arguments: Hashable) -> T:
        """Return the result of a query from a cache, which every write clears.

        Many maps of one history need the same data. Queries therefore read all rows of an instrument, and the caller
        selects the rows known at a time.

        Args:
            query: Function of the connection and ``arguments``; part of the cache key, so it must not be a new object
                in each call.
            arguments: Its arguments, the other part of the cache key.
        """
        key = (query, arguments)
        if key not in self._query_cache:
            with self.reading() as connection:
                self._query_cache[key] = query(connection, *arguments)
        found: T = self._query_cache[key]
        return found

    def _rollback(self, error: BaseException) -> None:
        if isinstance(error, duckdb.FatalException):
            # The database instance is unusable; all committed data remain in the file.
            self.close()
            return
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error:
            # The failure was at BEGIN or COMMIT, which already ended the transaction.
            return

    def load(
        self,
        path: str | PathLike[str],
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
        """Load a CSV, Parquet, JSON, zip or gz file in one transaction; see `liqmap.history.loading.load.load_file`."""
        from liqmap.history.loading.load import load_file  # noqa: PLC0415 - readers never need the loader: slow to import

        return load_file(
            self,
            Path(path),
            table=table,
            instrument=instrument,
            mapping=mapping,
            columns=columns,
            account=account,
            at=at,
            allow_rejects=allow_rejects,
            replace=replace,
        )

    def coverage(self, instrument: str | None = None, *, stale_after: int = STALE_AFTER) -> Coverage:
        """Spans, gaps and stale runs of one instrument, or of all.

        Raises:
            NotFoundError: The history has no such instrument.
        """
        if instrument is not None:
            self.instrument(instrument)
        return self.cached_query(measure_coverage, instrument, stale_after)

    def snapshot(self, target: str | PathLike[str]) -> None:
        """Write a database snapshot: an atomic copy of the history that can be read while this one is being written.

        Raises:
            StorageError: The history is read-only, the target is the same file, or it cannot be written.
        """
        if self.mode != "w":
            raise StorageError("snapshot", str(self.path), "a read-only history", 'mode "w"', "nothing written")
        snapshot(self._connection, self.path, Path(target))

    def instrument(self, name: str) -> Instrument:
        """Return an instrument by name.

        Raises:
            NotFoundError: The history does not contain the instrument.
        """
        return queries.require_instrument(self.instruments(), name)

    def instruments(self) -> tuple[Instrument, ...]:
        """Return all instruments of the history, sorted by name."""
        return self.cached_query(queries.read_instruments)

    def tiers(self, name: str, at: Instant) -> list[Tier]:
        """Return the margin tiers in force at a time, or the earliest table if ``at`` precedes it (cf. ``valid_from``).

        Raises:
            NotFoundError: The history has no tier table for the instrument.
        """
        self.instrument(name)
        return queries.tiers_in_force(self.cached_query(queries.read_tiers, name), at)

    def market_bars(
        self,
        name: str,
        until: Instant | None = None,
        *,
        interval_s: int | None = None,
        price_source: str | None = None,
    ) -> MarketBars:
        """Return the bars that ended by ``until`` (default: all), with the open interest known at the end of each.

        Raises:
            NotFoundError: The history does not contain the instrument, or no bar that ended by then.
        """
        self.instrument(name)
        ends = self.cached_query(queries.read_series_ends, name)
        length, source = queries.choose_series(ends, name, until, interval_s=interval_s, price_source=price_source)
        whole = self.cached_query(queries.read_market_bars, name, length, source)
        return whole if until is None else whole.known(until)

    def funding(self, name: str, until: Instant | None = None) -> Funding:
        """Return the funding rates known by ``until`` (default: all)."""
        self.instrument(name)
        with self.reading() as connection:
            return queries.read_funding(connection, name, until)

    def open_interest(self, name: str, until: Instant) -> OpenInterest | None:
        """Return the latest reading of open interest by ``until``, or ``None``."""
        with self.reading() as connection:
            return queries.read_open_interest(connection, name, until)

    def liquidations(self, name: str, start: Instant, end: Instant) -> Liquidations:
        """Return the reported liquidations whose window lies inside ``[start, end)``."""
        self.instrument(name)
        return self.cached_query(queries.read_liquidations, name).between(start, end)

    def input_hashes(self, name: str, until: Instant) -> dict[str, JSON]:
        """Return the lineage by ``until``: row count, first and last time, hashes of source files for each table."""
        return lineage.summarise_lineage(self.cached_query(lineage.read_lineage, name), until)
