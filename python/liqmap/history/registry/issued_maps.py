"""The tables of the map registry: issued maps and their bins, append-only, identified by content hash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import StorageError
from liqmap._base.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    import numpy.typing as npt

    from liqmap._base.timestamps import Instant
    from liqmap.history.store import Store

__all__ = [
    "MapBins",
    "MapRecord",
    "MapTotals",
    "read_map_bins",
    "read_map_records",
    "read_map_totals",
    "record_issued_maps",
]


@dataclass(frozen=True, slots=True)
class MapRecord:
    """Data of an issued map except its bins; the columns of the table ``maps`` in order.

    Attributes:
        map_id: SHA-256 of the published map (``map.json``), which the manifest of a site also contains.
        instrument: ``venue:SYMBOL``.
        issued_at: Issue time, UTC microseconds.
        data_cutoff: Latest time of any input, UTC microseconds.
        mark_price: Mark price, quote currency.
        open_interest: Open interest, coin.
        tick, low_tick, width_ticks, bins: The price grid; see :class:`liqmap._base.grid.Grid`.
        params_hash, inputs_hash, provenance: Provenance of the map.
    """

    map_id: str
    instrument: str
    issued_at: Instant
    data_cutoff: Instant
    mark_price: float
    open_interest: float
    tick: float
    low_tick: int
    width_ticks: int
    bins: int
    params_hash: str
    inputs_hash: str
    provenance: dict[str, Any]


@dataclass(frozen=True, eq=False, slots=True)
class MapBins:
    """The non-empty bins of a map, one entry each: longs first, then by descending leverage and price.

    Attributes:
        long: True for longs, false for shorts.
        leverage: Leverage of the bracket.
        bin: Index on the map's grid.
        notional: USD at the price of the level.
    """

    long: npt.NDArray[np.bool_]
    leverage: npt.NDArray[np.float64]
    bin: npt.NDArray[np.int64]
    notional: npt.NDArray[np.float64]

    def is_identical(self, other: MapBins) -> bool:
        """Return whether both are identical bit by bit."""
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in self.__slots__)


@dataclass(frozen=True, eq=False, slots=True)
class MapTotals:
    """A stored map summed over leverage brackets: ``usd`` has shape (2, bins), longs first."""

    mark_price: float
    axis: Grid
    usd: npt.NDArray[np.float64]


_RECORD_COLUMNS = ", ".join(MapRecord.__slots__)
_SELECT_BINS = "SELECT side = 'long' AS long, leverage, bin, notional FROM map_bins WHERE map_id = $1 ORDER BY ALL DESC"


def record_issued_maps(store: Store, maps: Iterable[tuple[MapRecord, MapBins]]) -> int:
    """Store issued maps in one transaction; maps that are already stored are not changed.

    Returns:
        Number of new maps.

    Raises:
        StorageError: The history is read-only or cannot be written, or contains a different map with the same id.
    """
    new = 0
    with store.transaction() as connection:
        for record, bins in maps:
            known = _select_records(connection, "WHERE map_id = $1", [record.map_id])
            if not known:
                _insert_map(connection, record, bins)
                new += 1
            elif known[0] != record or not _select_bins(connection, record.map_id).is_identical(bins):
                raise StorageError(
                    "record", str(store.path), f"another map with id {record.map_id[:16]}", "the same map", "not stored"
                )
    return new


def read_map_records(store: Store, instrument: str | None = None) -> tuple[MapRecord, ...]:
    """Return stored maps by instrument and issue time; maps of one time in the order in which they were stored."""
    rest = "ORDER BY instrument, issued_at, rowid"
    with store.reading() as connection:
        if instrument is None:
            return _select_records(connection, rest, [])
        return _select_records(connection, f"WHERE instrument = $1 {rest}", [instrument])


def read_map_bins(store: Store, map_id: str) -> MapBins:
    """Return the non-empty bins of a stored map."""
    with store.reading() as connection:
        return _select_bins(connection, map_id)


def read_map_totals(store: Store, instrument: str, start: Instant, end: Instant) -> dict[Instant, MapTotals]:
    """Return the maps issued in ``[start, end]``, summed over brackets; of several at one time the one stored first."""
    with store.reading() as connection:
        maps = connection.execute(
            "SELECT issued_at, map_id, mark_price, tick, low_tick, width_ticks, bins FROM maps "
            "WHERE instrument = $1 AND issued_at BETWEEN $2 AND $3 "
            "QUALIFY row_number() OVER (PARTITION BY issued_at ORDER BY rowid) = 1",
            [instrument, start, end],
        ).fetchall()
        if not maps:
            return {}
        rows = connection.execute(
            "SELECT list_position($1, map_id) - 1 AS map, side = 'short' AS short, bin, sum(notional) AS notional "
            "FROM map_bins WHERE list_contains($1, map_id) GROUP BY ALL ORDER BY ALL",
            [[row[1] for row in maps]],
        ).fetchnumpy()
    found = {}
    for i, (at, _, mark, tick, low, width, count) in enumerate(maps):
        mine = rows["map"] == i
        usd = np.zeros((2, count))
        usd[rows["short"][mine].astype(np.int64), rows["bin"][mine]] = rows["notional"][mine]
        found[int(at)] = MapTotals(float(mark), Grid(tick, low, width, count), usd)
    return found


def _insert_map(connection: duckdb.DuckDBPyConnection, record: MapRecord, bins: MapBins) -> None:
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when a map is recorded

    values = [getattr(record, name) for name in MapRecord.__slots__]
    values[-1] = json.dumps(record.provenance, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    places = ", ".join(f"${i + 1}" for i in range(len(values)))
    connection.execute(f"INSERT INTO maps ({_RECORD_COLUMNS}) VALUES ({places})", values)
    sides = np.array(["short", "long"], dtype=object)[bins.long.astype(np.int64)]
    table = Table.from_pydict(
        {
            "side": Array(sides.tolist(), type=DataType.utf8()),
            "leverage": Array.from_numpy(bins.leverage),
            "bin": Array.from_numpy(bins.bin),
            "notional": Array.from_numpy(bins.notional),
        }
    )
    rows = connection.from_arrow(table)
    connection.register("issued_bins", rows)
    connection.execute(
        "INSERT INTO map_bins SELECT $1, side, leverage, bin, notional FROM issued_bins", [record.map_id]
    )
    connection.unregister("issued_bins")


def _select_records(connection: duckdb.DuckDBPyConnection, rest: str, values: list[str]) -> tuple[MapRecord, ...]:
    rows = connection.execute(f"SELECT {_RECORD_COLUMNS} FROM maps {rest}", values).fetchall()
    return tuple(
        MapRecord(**dict(zip(MapRecord.__slots__, (*row[:-1], json.loads(row[-1])), strict=True))) for row in rows
    )


def _select_bins(connection: duckdb.DuckDBPyConnection, map_id: str) -> MapBins:
    columns = connection.execute(_SELECT_BINS, [map_id]).fetchnumpy()
    return MapBins(
        np.asarray(columns["long"], dtype=np.bool_),
        np.asarray(columns["leverage"], dtype=np.float64),
        np.asarray(columns["bin"], dtype=np.int64),
        np.asarray(columns["notional"], dtype=np.float64),
    )
