"""Finds the instrument of rows, and copies its contract and margin tiers from the catalogue into the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError, NotFoundError
from liqmap._base.instruments import Instrument, split_name
from liqmap.history import queries
from liqmap.venues import catalogue

if TYPE_CHECKING:
    import duckdb

    from liqmap.history.loading.mapping import FileMapping, TargetTable
    from liqmap.history.loading.staging import Staging
    from liqmap.history.loading.types import LoadOptions, StagedRows

__all__ = ["check_instruments", "ensure_instrument", "find_instrument", "resolve_instrument"]


def resolve_instrument(
    connection: duckdb.DuckDBPyConnection, target: TargetTable, mapping: FileMapping, options: LoadOptions, where: str
) -> tuple[str | None, Instrument | None]:
    """Return name and data of the instrument of all rows; ``(None, None)`` if the file has an instrument column.

    Raises:
        InputError: No instrument is given by the mapping or the call.
        NotFoundError: Neither the history nor the catalogue contains the instrument.
    """
    if target.instrument is None and "instrument" in target.fields:
        return None, None
    name = target.instrument or options.instrument or mapping.instrument
    if name is None:
        expected = "an instrument in the call (--instrument venue:SYMBOL)"
        raise InputError("load", where, "no instrument", expected, "nothing stored")
    split_name(name, stage="load")
    return name, ensure_instrument(connection, name, where)


def check_instruments(staging: Staging, staged: StagedRows, options: LoadOptions) -> None:
    """Validate the instruments in the file's instrument column against the requested one, the history and catalogue.

    Raises:
        InputError: A row has another instrument than the requested one, or an invalid name.
        NotFoundError: Neither the history nor the catalogue contains an instrument.
    """
    if staged.target.instrument is not None or "instrument" not in staged.target.fields:
        return
    rows = staging.connection.execute(
        f"SELECT instrument, min(row_index) FROM {staged.name} WHERE failed_check IS NULL "
        "GROUP BY instrument ORDER BY 2"
    ).fetchall()
    where = staging.source.where
    for name, row in rows:
        line = staging.rows.line_number(int(row))
        if options.instrument is not None and name != options.instrument:
            raise InputError(
                "load", where, f"{name!r}", options.instrument, "nothing stored", row=line, field="instrument"
            )
        split_name(str(name), stage="load")
        if staged.table.name != "instruments":
            ensure_instrument(staging.connection, str(name), where)


def find_instrument(connection: duckdb.DuckDBPyConnection, name: str) -> Instrument | None:
    """Return the instrument from the history, or else from the catalogue; ``None`` if neither contains it."""
    try:
        return queries.read_instrument(connection, name)
    except NotFoundError:
        entry = catalogue.find_entry(name)
        return None if entry is None else entry.instrument


def ensure_instrument(connection: duckdb.DuckDBPyConnection, name: str, where: str) -> Instrument:
    """Return the instrument from the history, after copying its contract and tiers from the catalogue if missing.

    Raises:
        NotFoundError: Neither the history nor the catalogue contains the instrument.
    """
    entry = catalogue.find_entry(name)
    if entry is not None:
        _insert_catalogue_entry(connection, entry)
    try:
        return queries.read_instrument(connection, name)
    except NotFoundError:
        expected = (
            "an instrument of the history or the catalogue; to define one, load a CSV into the table instruments with "
            "the columns instrument, kind, payoff, base, quote, settle, contract_size, tick_size"
        )
        raise NotFoundError("load", where, f"unknown instrument {name!r}", expected, "nothing stored") from None


def _insert_catalogue_entry(connection: duckdb.DuckDBPyConnection, entry: catalogue.CatalogueEntry) -> None:
    """Insert the instrument and tier tables that the history lacks; existing rows are not changed."""
    known = entry.instrument
    stored = connection.execute("SELECT 1 FROM instruments WHERE instrument = $1", [known.name]).fetchone()
    if stored is None:
        connection.execute(
            "INSERT INTO instruments VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)",
            [
                known.name,
                known.venue,
                known.symbol,
                known.kind,
                known.payoff,
                known.base,
                known.quote,
                known.settle,
                known.contract_size,
                known.tick_size,
                known.expiry,
            ],
        )
    dates = connection.execute("SELECT DISTINCT valid_from FROM margin_tiers WHERE instrument = $1", [known.name])
    there = {int(row[0]) for row in dates.fetchall()}
    rows = [
        [
            known.name,
            t.valid_from,
            t.tier,
            t.notional_floor,
            t.notional_cap,
            t.max_leverage,
            t.mmr,
            t.deduction,
            t.source,
        ]
        for t in entry.tiers
        if t.valid_from not in there
    ]
    if rows:
        connection.executemany("INSERT INTO margin_tiers VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)", rows)
