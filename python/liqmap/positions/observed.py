"""Positions that were seen: the latest snapshot of every account, each with the price at which its venue takes it."""

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
"""A snapshot older than this says nothing about now, microseconds."""

_RELATIVE_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class ObservedPositions:
    """Observed positions of one instrument; all arrays have one entry per position.

    Attributes:
        instrument: ``venue:SYMBOL``.
        as_of: Time of the newest snapshot among them, UTC microseconds.
        ts: When each was seen, UTC microseconds.
        side: 1 long, −1 short.
        size_base: Coin; of an inverse contract its face value over the entry price.
        entry_price: Quote currency.
        leverage: As set at the venue; NaN where unknown.
        price: Liquidation price: the venue's own where it gave one, else the formula's, NaN where there is none. Where
            the venue said that there is none, that stands too.
        reported: Whether ``price`` is the venue's own.
        formula_price: What the venue's rule gives from the stored inputs; NaN where it gives none.
        differs: Where the venue and the formula both have a price and lie further apart than 1e-6 of it and one tick.
        due: Where ``price`` lies on the wrong side of the mark: the position should have been taken already.
        mark_price: The latest that came with a position by then; ``None`` if none did.
        notes: What a reader has to know, one sentence each.
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
    """The positions of an instrument as they were last seen by ``at``; ``None`` where none was.

    An account's snapshot is all it holds in one source at one time: what is missing from the newest one is closed (a
    file that was read for one instrument only says nothing of the others). Snapshots older than ``max_age`` are counted
    and not used.

    Args:
        store: The history.
        instrument: ``venue:SYMBOL``.
        at: As-of time; nothing later is used.
        max_age: How old a snapshot may be, microseconds.

    Raises:
        NotFoundError: The history does not have the instrument.
        InputError: Its margin tiers have gaps.
    """
    about = store.instrument(instrument)
    ever = store.cached_query(_snapshot_span, instrument)
    if ever is None or at < ever[0] or ever[1] < at - max_age:
        return None
    rows, stale = _read_latest(store, instrument, at, max_age)
    if not len(rows["ts"]):
        return None
    side = np.where(rows["side"] == "long", 1, -1).astype(np.int8)
    given = _floats(rows["liquidation_price"])
    formula, of_tiers = _price_positions(store, about, rows, at)
    reported = np.isfinite(given)
    none = rows["liquidation"] == "none"
    price = np.where(reported, given, np.where(none, np.nan, formula))
    marks = _floats(rows["mark_price"])
    known = np.flatnonzero(np.isfinite(marks))
    mark = float(marks[known[np.argmax(rows["ts"][known])]]) if len(known) else None
    beside = np.where(np.isfinite(marks), marks, np.nan if mark is None else mark)
    with np.errstate(invalid="ignore"):
        apart = np.abs(given - formula)
        differs = (apart > _RELATIVE_TOLERANCE * given) & (apart > about.tick_size * (1 + 1e-9))
        due = side * (price - beside) >= 0
    notes = (
        *_account_notes(rows, stale, max_age),
        *_price_notes(price, reported=reported, none=none, formula=formula, differs=differs, due=due),
        *of_tiers,
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
    """Time of the newest snapshot by ``until``, UTC microseconds; ``None`` where there is none."""
    with store.reading() as connection:
        row = connection.execute(
            "SELECT max(ts) FROM positions WHERE instrument = $1 AND ts <= $2", [instrument, until]
        ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def _snapshot_span(connection: duckdb.DuckDBPyConnection, instrument: str) -> tuple[Instant, Instant] | None:
    """When positions of the instrument were first and last seen, if ever."""
    row = connection.execute("SELECT min(ts), max(ts) FROM positions WHERE instrument = $1", [instrument]).fetchone()
    return None if row is None or row[0] is None else (int(row[0]), int(row[1]))


# Binance counts both legs of a hedge in cross together: each row carries the other leg.
_LATEST_SQL = """
WITH seen AS (
    SELECT account, source, ts FROM sightings WHERE ts <= $at AND (instrument IS NULL OR instrument = $name)
    UNION ALL SELECT account, source, ts FROM positions WHERE ts <= $at AND instrument = $name
), snapshots AS (SELECT account, source, max(ts) AS ts FROM seen GROUP BY ALL),
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
    """The rows in use as plain columns, and how many accounts were seen too long ago."""
    with store.reading() as connection:
        columns = connection.execute(_LATEST_SQL, {"name": name, "at": at}).fetchnumpy()
    fresh = columns["ts"] >= at - max_age
    stale = len(set(columns["account"][~fresh]) - set(columns["account"][fresh]))
    return {key: column[fresh] for key, column in columns.items()}, stale


def _price_positions(
    store: Store, about: Instrument, rows: dict[str, Any], at: Instant
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """The formula's prices, and what is to be said of the tiers behind them."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - only where it is needed

    try:
        tiers = store.tiers(about.name, at)
    except NotFoundError:
        return np.full(len(rows["ts"]), np.nan), ("no margin tiers are known: prices are the venue's own, or none",)

    def words(values: Any) -> Array:  # noqa: ANN401 - any sequence of labels
        return Array([str(v) for v in values], type=DataType.utf8())

    def numbers(values: Any) -> Array:  # noqa: ANN401
        filled = (None if v is None or not np.isfinite(v) else float(v) for v in values)
        return Array(list(filled), type=DataType.float64())

    count = len(rows["ts"])
    given = ("size_base", "entry_price", "leverage", "margin", "maintenance", "mark_price")
    columns = {name: numbers(_floats(rows[name])) for name in (*given, "hedge_size_base", "hedge_entry_price")}
    # A portfolio margin account has no price of its own formula; cross is the nearest rule that says so.
    positions = Table.from_pydict(
        {
            "instrument": words([about.name] * count),
            "side": words(rows["side"]),
            "margin_mode": words(["cross" if m == "portfolio" else m for m in rows["margin_mode"]]),
            **columns,
        }
    )
    contract = Table.from_pydict(
        {
            "instrument": words([about.name]),
            "payoff": words([about.payoff]),
            "tick_size": numbers([about.tick_size]),
        }
    )
    prices = liquidation_prices(positions, tier_table(about.name, tiers), contract)["liquidation_price"].to_pylist()
    later = tiers[0].valid_from > at
    said = (f"the margin tiers are those of {iso(tiers[0].valid_from)}, none older are known",) if later else ()
    formula = np.array([np.nan if p is None else p for p in prices], dtype=np.float64)
    formula[rows["margin_mode"] == "portfolio"] = np.nan
    return formula, said


def _account_notes(rows: dict[str, Any], stale: int, max_age: Instant) -> list[str]:
    sources = Counter(str(s) for s in rows["source"])
    told = ", ".join(f"{n:,} from {source}" for source, n in sorted(sources.items()))
    accounts = len(set(rows["account"]))
    first, last = iso(int(rows["ts"].min())), iso(int(rows["ts"].max()))
    span = first if first == last else f"{first} … {last}"
    notes = [
        (f"{_count_notes(len(rows['ts']), 'position')} of {_count_notes(accounts, 'account')} observed ({told}), "
        f"seen {span}")
    ]
    twice = len({(a, s) for a, s in zip(rows["account"], rows["source"], strict=True)}) - accounts
    if twice:
        notes.append(f"{_count_notes(twice, 'account')} stands in more than one source, and counts once for each")
    if stale:
        hours = max_age / 3_600_000_000
        notes.append(f"{_count_notes(stale, 'account')} last seen more than {hours:g} h before is not used")
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
    has = np.isfinite(formula)
    told = (
        (reported, "have the venue's own liquidation price"),
        (~reported & ~none & has, "have the formula's liquidation price, the venue's is not known"),
        (~np.isfinite(price), "have no liquidation price"),
        (differs, "have another price at their venue than by the formula: collateral outside the account"),
        (none & has, "have none at their venue although the formula gives one: collateral outside the account"),
        (due, "have a liquidation price that the mark has passed already"),
    )
    counted = ((int(np.count_nonzero(which)), what) for which, what in told)
    return [f"{n:,} of {len(price):,} observed {what}" for n, what in counted if n]


def _count_notes(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _floats(column: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401 - masked or plain, as DuckDB gives it
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), dtype=np.float64)
