"""Observed positions: the latest snapshot of every account, with exact liquidation prices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import Instant, iso
from liqmap.positions.margin import liquidation_prices, tier_table

if TYPE_CHECKING:
    import duckdb

    from liqmap._base.instruments import Instrument
    from liqmap.history.store import Store

__all__ = ["MAX_AGE", "ObservedPositions", "last_snapshot_time", "read_observed"]

MAX_AGE: Instant = 24 * 3_600_000_000
"""Maximum age of an account snapshot, microseconds."""

_RELATIVE_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class ObservedPositions:
    """Observed positions of one instrument; all arrays have one entry per position.

    Attributes:
        instrument: ``venue:SYMBOL``.
        as_of: Time of the newest snapshot among them, UTC microseconds.
        ts: Snapshot time of each, UTC microseconds.
        side: 1 long, −1 short.
        size_base: Coin; of an inverse contract its face value over the entry price.
        entry_price: Quote currency.
        leverage: As set at the venue; NaN if unknown.
        price: Liquidation price: the one reported by the venue, else the one by formula. NaN if the venue reports that
            there is none, or if neither source gives a price.
        reported: Whether ``price`` was reported by the venue.
        formula_price: Price by the venue's rule from the stored inputs; NaN if the rule gives none.
        differs: Whether the reported price and the formula price differ by more than 1e-6 and by more than one tick.
        due: Whether the mark has already passed ``price``, so that the position should have been liquidated.
        mark_price: The latest mark price stored with a position; ``None`` without one.
        notes: Remarks for the reader of a map, one sentence each.
    """

    instrument: str
    as_of: Instant
    ts: npt.NDArray[np.int64]
    side: npt.NDArray[np.int8]
    size_base: npt.NDArray[np.float64]
    entry_price: npt.NDArray[np.float64]
    leverage: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    reported: npt.NDArray[np.bool_]
    formula_price: npt.NDArray[np.float64]
    differs: npt.NDArray[np.bool_]
    due: npt.NDArray[np.bool_]
    mark_price: float | None
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.side)


def read_observed(
    store: Store, instrument: str, at: Instant, *, max_age: Instant = MAX_AGE
) -> ObservedPositions | None:
    """Return the latest observed positions of an instrument as of ``at``; ``None`` if there are none.

    An account snapshot contains all positions of an account in one source at one time, so positions missing from the
    newest snapshot are closed. (A file loaded for one instrument only is a snapshot of that instrument.) Snapshots
    older than ``max_age`` are counted but not used.

    Args:
        store: The history.
        instrument: ``venue:SYMBOL``.
        at: As-of time, UTC microseconds; later snapshots are not used.
        max_age: Maximum age of a snapshot, microseconds.

    Raises:
        NotFoundError: The history has no such instrument.
        InputError: Its margin tiers have gaps.
    """
    contract = store.instrument(instrument)
    span = store.cached_query(_snapshot_span, instrument)
    if span is None or at < span[0] or span[1] < at - max_age:
        return None
    rows, stale = _read_latest(store, instrument, at, max_age)
    if not len(rows["ts"]):
        return None
    side = np.where(rows["side"] == "long", 1, -1).astype(np.int8)
    venue_price = _floats(rows["liquidation_price"])
    formula, tier_notes = _price_positions(store, contract, rows, at)
    reported = np.isfinite(venue_price)
    none = rows["liquidation"] == "none"
    price = np.where(reported, venue_price, np.where(none, np.nan, formula))
    marks = _floats(rows["mark_price"])
    known = np.flatnonzero(np.isfinite(marks))
    mark = float(marks[known[np.argmax(rows["ts"][known])]]) if len(known) else None
    mark_of_row = np.where(np.isfinite(marks), marks, np.nan if mark is None else mark)
    with np.errstate(invalid="ignore"):
        difference = np.abs(venue_price - formula)
        differs = (difference > _RELATIVE_TOLERANCE * venue_price) & (difference > contract.tick_size * (1 + 1e-9))
        due = side * (price - mark_of_row) >= 0
    notes = (
        *_account_notes(rows, stale, max_age),
        *_price_notes(price, reported=reported, none=none, formula=formula, differs=differs, due=due),
        *tier_notes,
    )
    return ObservedPositions(
        instrument=instrument,
        as_of=int(rows["ts"].max()),
        ts=np.asarray(rows["ts"], dtype=np.int64),
        side=side,
        size_base=_floats(rows["size_base"]),
        entry_price=_floats(rows["entry_price"]),
        leverage=_floats(rows["leverage"]),
        price=price,
        reported=reported,
        formula_price=formula,
        differs=differs,
        due=due,
        mark_price=mark,
        notes=notes,
    )


def last_snapshot_time(store: Store, instrument: str, until: Instant) -> Instant | None:
    """Return the time of the newest snapshot not after ``until``, UTC microseconds; ``None`` without one."""
    with store.reading() as connection:
        row = connection.execute(
            "SELECT max(ts) FROM positions WHERE instrument = $1 AND ts <= $2", [instrument, until]
        ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _snapshot_span(connection: duckdb.DuckDBPyConnection, instrument: str) -> tuple[Instant, Instant] | None:
    """Return the times of the first and the last snapshot of the instrument, if any."""
    row = connection.execute("SELECT min(ts), max(ts) FROM positions WHERE instrument = $1", [instrument]).fetchone()
    return None if row is None or row[0] is None else (int(row[0]), int(row[1]))


# Binance margins both legs of a hedge in cross mode together, so each row is joined with the opposite leg.
_LATEST_SQL = """
WITH queried AS (
    SELECT account, source, ts FROM sightings WHERE ts <= $at AND (instrument IS NULL OR instrument = $name)
    UNION ALL SELECT account, source, ts FROM positions WHERE ts <= $at AND instrument = $name
), snapshots AS (SELECT account, source, max(ts) AS ts FROM queried GROUP BY ALL),
latest AS (
    SELECT p.*, CASE WHEN p.margin_mode = 'cross' THEN p.side END AS leg,
           CASE WHEN p.margin_mode = 'cross' AND starts_with($name, 'binance:') THEN
               CASE p.side WHEN 'long' THEN 'short' ELSE 'long' END END AS other
    FROM positions p JOIN snapshots USING (account, source, ts) WHERE p.instrument = $name
)
SELECT p.*, h.size_base AS hedge_size_base, h.entry_price AS hedge_entry_price
FROM latest p LEFT JOIN latest h ON h.account = p.account AND h.source = p.source AND h.leg = p.other
ORDER BY p.account, p.source, p.side, p.margin_mode
"""


def _read_latest(store: Store, name: str, at: Instant, max_age: Instant) -> tuple[dict[str, Any], int]:
    """Return the rows of recent snapshots as columns, and the number of accounts with only older ones."""
    with store.reading() as connection:
        columns = connection.execute(_LATEST_SQL, {"name": name, "at": at}).fetchnumpy()
    fresh = columns["ts"] >= at - max_age
    stale = len(set(columns["account"][~fresh]) - set(columns["account"][fresh]))
    return {key: column[fresh] for key, column in columns.items()}, stale


def _price_positions(
    store: Store, instrument: Instrument, rows: dict[str, Any], at: Instant
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return the prices by formula, and notes on the margin tiers used."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when positions are priced

    try:
        tiers = store.tiers(instrument.name, at)
    except NotFoundError:
        note = "no margin tiers are known: only liquidation prices reported by the venue are used"
        return np.full(len(rows["ts"]), np.nan), (note,)

    def texts(values: Any) -> Array:  # noqa: ANN401 - any sequence of texts
        return Array([str(v) for v in values], type=DataType.utf8())

    def numbers(values: Any) -> Array:  # noqa: ANN401
        filled = (None if v is None or not np.isfinite(v) else float(v) for v in values)
        return Array(list(filled), type=DataType.float64())

    count = len(rows["ts"])
    inputs = ("size_base", "entry_price", "leverage", "margin", "maintenance", "mark_price")
    columns = {name: numbers(_floats(rows[name])) for name in (*inputs, "hedge_size_base", "hedge_entry_price")}
    # Portfolio margin has no closed formula: the rows are priced as cross margin, then set to NaN below.
    positions = Table.from_pydict(
        {
            "instrument": texts([instrument.name] * count),
            "side": texts(rows["side"]),
            "margin_mode": texts(["cross" if m == "portfolio" else m for m in rows["margin_mode"]]),
            **columns,
        }
    )
    contract = Table.from_pydict(
        {
            "instrument": texts([instrument.name]),
            "payoff": texts([instrument.payoff]),
            "tick_size": numbers([instrument.tick_size]),
        }
    )
    priced = liquidation_prices(positions, tier_table(instrument.name, tiers), contract)
    first = tiers[0].valid_from
    notes = (f"the margin tiers are those of {iso(first)}, the earliest known",) if first > at else ()
    formula = np.array([np.nan if p is None else p for p in priced["liquidation_price"].to_pylist()], dtype=np.float64)
    formula[rows["margin_mode"] == "portfolio"] = np.nan
    return formula, notes


def _account_notes(rows: dict[str, Any], stale: int, max_age: Instant) -> list[str]:
    sources = Counter(str(s) for s in rows["source"])
    by_source = ", ".join(f"{n:,} from {source}" for source, n in sorted(sources.items()))
    accounts = len(set(rows["account"]))
    first, last = iso(int(rows["ts"].min())), iso(int(rows["ts"].max()))
    span = first if first == last else f"{first} … {last}"
    positions = f"{_plural(len(rows['ts']), 'position')} of {_plural(accounts, 'account')}"
    notes = [f"{positions} observed ({by_source}), snapshots of {span}"]
    twice = len({(a, s) for a, s in zip(rows["account"], rows["source"], strict=True)}) - accounts
    if twice:
        notes.append(f"{_plural(twice, 'account')} in more than one source: counted once per source")
    if stale:
        hours = max_age / 3_600_000_000
        notes.append(f"{_plural(stale, 'account')} not used: last snapshot more than {hours:g} h old")
    return notes


def _price_notes(
    price: npt.NDArray[np.float64],
    *,
    reported: npt.NDArray[np.bool_],
    none: npt.NDArray[np.bool_],
    formula: npt.NDArray[np.float64],
    differs: npt.NDArray[np.bool_],
    due: npt.NDArray[np.bool_],
) -> list[str]:
    has_formula = np.isfinite(formula)
    groups = (
        (reported, "have a liquidation price reported by the venue"),
        (~reported & ~none & has_formula, "have a liquidation price by formula only"),
        (~np.isfinite(price), "have no liquidation price"),
        (differs, "have a reported price that differs from the formula: collateral outside the account is likely"),
        (none & has_formula, "have no reported price but one by formula: collateral outside the account is likely"),
        (due, "have a liquidation price that the mark has already passed"),
    )
    counts = ((int(np.count_nonzero(members)), text) for members, text in groups)
    return [f"{n:,} of {len(price):,} observed {text}" for n, text in counts if n]


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _floats(column: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401 - DuckDB returns masked or plain arrays
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), dtype=np.float64)
