"""Stored calibrations: dated, append-only, and not in force before their issue time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import InputError
from liqmap._base.provenance import digest

if TYPE_CHECKING:
    import duckdb

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store

__all__ = ["calibration_in_force", "record_calibration"]


def record_calibration(
    store: Store,
    name: str,
    parameters: dict[str, JSON],
    *,
    issued_at: Instant,
    data_cutoff: Instant,
    interval_s: int,
    price_source: str,
) -> str:
    """Store a calibration; idempotent.

    Args:
        store: The history, opened for writing.
        name: Name of the instrument.
        parameters: The calibration as plain data.
        issued_at: Time from which maps may use it.
        data_cutoff: Latest time of the data it was fitted to.
        interval_s: Length of the bars it applies to, seconds.
        price_source: Price source of the bars it applies to.

    Returns:
        The id of the calibration: a hash of all arguments.

    Raises:
        InputError: ``issued_at`` is before ``data_cutoff``.
        NotFoundError: The history does not contain the instrument.
        StorageError: The history is read-only, or cannot be written.
    """
    if issued_at < data_cutoff:
        raise InputError("calibrate", name, "parameters issued before their data end", "a later issue", "not stored")
    store.instrument(name)
    key = digest([name, issued_at, data_cutoff, interval_s, price_source, parameters])
    with store.transaction() as connection:
        known = connection.execute("SELECT 1 FROM calibrations WHERE calibration_id = $1", [key]).fetchone()
        if known is None:
            text = json.dumps(parameters, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            row = [key, name, issued_at, data_cutoff, interval_s, price_source, text]
            connection.execute("INSERT INTO calibrations VALUES ($1, $2, $3, $4, $5, $6, $7)", row)
    return key


def calibration_in_force(
    store: Store, name: str, at: Instant, *, interval_s: int, price_source: str
) -> tuple[str, dict[str, Any]] | None:
    """Return id and parameters of the latest calibration for these bars issued by ``at``, or ``None``."""
    stored = store.cached_query(_read_calibrations, name, interval_s, price_source)
    return next(((key, parameters) for issued_at, key, parameters in stored if issued_at <= at), None)


def _read_calibrations(
    connection: duckdb.DuckDBPyConnection, name: str, interval_s: int, price_source: str
) -> tuple[tuple[Instant, str, dict[str, Any]], ...]:
    """Return all calibrations for these bars, latest first."""
    rows = connection.execute(
        "SELECT issued_at, calibration_id, parameters FROM calibrations "
        "WHERE instrument = $1 AND interval_s = $2 AND price_source = $3 "
        "ORDER BY issued_at DESC, data_cutoff DESC, calibration_id",
        [name, interval_s, price_source],
    ).fetchall()
    return tuple((int(issued_at), str(key), json.loads(text)) for issued_at, key, text in rows)
