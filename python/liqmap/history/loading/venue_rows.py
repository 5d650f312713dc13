"""Converts venue JSON to rows of one table: detects the document schema, account, time and contract size."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.instruments import split_name
from liqmap._base.timestamps import iso
from liqmap.history.column_limits import TABLES
from liqmap.history.loading.instrument_lookup import ensure_instrument, find_instrument
from liqmap.history.loading.json_documents import JsonDocument, read_documents
from liqmap.history.loading.margin_tier_chain import fill_deductions
from liqmap.history.loading.types import VenueRows
from liqmap.venues import binance, bybit, collection, hyperliquid, okx
from liqmap.venues.payload import Cell, DocumentSchema, VenueRecord, parse_number, product, quotient, to_cell

if TYPE_CHECKING:
    import duckdb

    from liqmap._base.instruments import Instrument
    from liqmap.history.loading.types import LoadOptions, SourceFile

__all__ = ["document_schemas", "read_venue_rows"]

_MINUTE_US = 60_000_000
_MIN_EPOCH_US = 1e15  # lower limit of plausible times in microseconds; the upper limit is ten times as high


@cache
def document_schemas() -> tuple[DocumentSchema, ...]:
    """Return the document schemas of all venues."""
    return (*hyperliquid.SCHEMAS, *okx.SCHEMAS, *binance.SCHEMAS, *bybit.SCHEMAS, *collection.SCHEMAS)


def read_venue_rows(connection: duckdb.DuckDBPyConnection, source: SourceFile, options: LoadOptions) -> SourceFile:
    """Add the rows of all documents to the source.

    Raises:
        InputError: A document has no known schema or another one than the first, or its account or time is missing.
        NotFoundError: Neither the history nor the catalogue contains a contract, so that its size is unknown.
    """
    reader = _VenueRowReader(connection, source, options)
    for document in read_documents(source):
        reader.read(document)
    rows = reader.result()
    return replace(source, venue_rows=rows, first_row=TABLES[rows.table].names)


class _VenueRowReader:
    def __init__(self, connection: duckdb.DuckDBPyConnection, source: SourceFile, options: LoadOptions) -> None:
        self.connection = connection
        self.source = source
        self.options = options
        self.schema: DocumentSchema | None = None
        self.instruments: dict[str, Instrument | None] = {}
        self.count = 0
        self.rows: list[tuple[int, str, dict[str, Cell]]] = []
        self.snapshots: dict[tuple[str, str, str], None] = {}
        self.left_out: Counter[str] = Counter()
        self.unknown_instruments: set[str] = set()

    def read(self, document: JsonDocument) -> None:
        schema = self._match_schema(document)
        for record in schema.records(document.value, self.options.instrument):
            self.count += 1
            place = ".".join(p for p in (document.place, record.place) if p).replace(".[", "[")
            context = self._account_and_time(schema, document, record, place)
            reason = self._skip_reason(schema, record)
            if reason is not None:
                self.left_out[reason] += 1
                continue
            self.rows.append((self.count, place, self._cells(schema, record) | context))

    def _match_schema(self, document: JsonDocument) -> DocumentSchema:
        found = [s for s in document_schemas() if s.fits(document.value)]
        if len(found) != 1:
            expected = f"one of {', '.join(s.name for s in document_schemas())}"
            raise self._error(_describe_document(document.value), expected, document.place)
        if self.schema is not None and self.schema != found[0]:
            raise self._error(
                found[0].name, f"the schema of the previous documents, {self.schema.name}", document.place
            )
        if self.options.table not in (None, found[0].table):
            raise self._error(f"{found[0].name}: rows for {found[0].table}", f"{self.options.table}", document.place)
        self.schema = found[0]
        return found[0]

    def _skip_reason(self, schema: DocumentSchema, record: VenueRecord) -> str | None:
        """Return the reason why a record is skipped, or ``None``."""
        name = record.instrument
        if record.is_empty:
            return "empty"
        if self.options.instrument not in (None, name):
            return "of other instruments"
        if name.endswith("?"):
            raise self._error(name, "an instrument in the call (--instrument venue:SYMBOL)", record.place)
        if name not in self.instruments:
            if not schema.covers_venue or self.options.instrument == name:
                split_name(name, stage="load")
                self.instruments[name] = ensure_instrument(self.connection, name, self.source.where)
            else:
                self.instruments[name] = find_instrument(self.connection, name)
        if self.instruments[name] is None:
            self.unknown_instruments.add(name)
            return "of unknown instruments"
        return None

    def _cells(self, schema: DocumentSchema, record: VenueRecord) -> dict[str, Cell]:
        cells = {**record.cells, "instrument": record.instrument}
        instrument = self.instruments[record.instrument]
        for name in record.contracts:
            cells[name] = _contracts_to_coin(cells, name, instrument, face=schema.table == "margin_tiers")
        return cells

    def _account_and_time(
        self, schema: DocumentSchema, document: JsonDocument, record: VenueRecord, place: str
    ) -> dict[str, Cell]:
        """Return the cells for the account and time of a record."""
        at = self._snapshot_time(document, record, place)
        if schema.table == "margin_tiers":
            return {"valid_from": at}
        account = record.account or document.account
        if account is not None and self.options.account not in (None, account):
            raise self._error("its own account", "no account in the call", place)
        account = account or to_cell(self.options.account)
        if account is None:
            expected = 'an account in the call (--account), or an envelope {"account": …, "payload": …}'
            raise self._error("no account", expected, place)
        self.snapshots[account, schema.name, at] = None
        return {"ts": at, "account": account}

    def _snapshot_time(self, document: JsonDocument, record: VenueRecord, place: str) -> str:
        own = record.at or document.at
        if own is not None and self.options.at is not None:
            raise self._error(f"its own time {own}", "no time in the call", place)
        if own is None and self.options.at is None:
            expected = 'the time of the snapshot in the call (--at), or an envelope {"time": …, "payload": …}'
            raise self._error("no time", expected, place)
        at = own if own is not None else repr(-(-(self.options.at or 0) // 1000))
        updated, snapshot = _parse_epoch(record.updated), _parse_epoch(at)
        if updated is not None and snapshot is not None and updated > snapshot + _MINUTE_US:
            raise self._error(f"changed at {iso(updated)}, after the snapshot", f"a change by {iso(snapshot)}", place)
        return at

    def result(self) -> VenueRows:
        schema = self.schema
        if schema is None or not self.count:
            raise self._error("no record" if schema else "no document", "positions or tiers", "")
        if schema.table == "margin_tiers":
            fill_deductions(self.source.where, self.rows)
        names = TABLES[schema.table].names
        rows = tuple(tuple(cells.get(name) for name in names) for _, _, cells in self.rows)
        notes = [f"{n:,} left out: {reason}" for reason, n in sorted(self.left_out.items())]
        if self.unknown_instruments:
            some = ", ".join(sorted(self.unknown_instruments)[:5])
            more = f" and {len(self.unknown_instruments) - 5} more" if len(self.unknown_instruments) > 5 else ""  # noqa: PLR2004
            notes.append(
                f"unknown instruments: {some}{more}; define them in the table instruments, then load with --instrument"
            )
        return VenueRows(
            schema.name,
            schema.table,
            rows,
            tuple(n for n, _, _ in self.rows),
            tuple(place for _, place, _ in self.rows),
            tuple(self.snapshots),
            sum(self.left_out.values()),
            tuple(notes),
        )

    def _error(self, found: str, expected: str, place: str) -> InputError:
        return InputError("load", self.source.where, found, expected, "nothing stored", field=place or None)


def _contracts_to_coin(cells: dict[str, Cell], name: str, instrument: Instrument | None, *, face: bool) -> Cell:
    """Convert contracts to coin; inverse ones to face value over entry price, or to face value in USD (``face``)."""
    converted = None if instrument is None else product(cells[name], repr(instrument.contract_size))
    if instrument is not None and instrument.payoff == "inverse" and not face:
        converted = quotient(converted, cells["entry_price"])
    return cells[name] if converted is None else converted  # staging rejects an invalid number


def _parse_epoch(text: Cell) -> int | None:
    """Convert a Unix time to microseconds, with its unit detected from its magnitude; ``None`` if it is not a time."""
    value = parse_number(text)
    scale = next(
        (s for s in (1e6, 1e3, 1.0) if value is not None and _MIN_EPOCH_US <= value * s < 10 * _MIN_EPOCH_US), None
    )
    return None if value is None or scale is None else round(value * scale)


def _describe_document(value: object) -> str:
    """Describe a document of unknown schema for an error message; includes the venue's error message if it has one."""
    if isinstance(value, dict):
        code = next((to_cell(value[k]) for k in ("code", "retCode") if k in value), None)
        if code not in (None, "0"):
            message = next((to_cell(value[k]) for k in ("msg", "retMsg") if k in value), None)
            return f"the venue's error {code}: {message}"[:200]
        return f"an object with {', '.join(sorted(map(str, value))[:8]) or 'no members'}"[:200]
    return "a list without items" if value == [] else f"{type(value).__name__} of an unknown schema"
