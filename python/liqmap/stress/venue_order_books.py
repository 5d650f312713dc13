"""Order books in the formats of the venues; the format is detected from the structure of the payload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.errors import InputError
from liqmap.stress.book_side import RestingOrders
from liqmap.stress.depth import Depth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    import numpy.typing as npt

    from liqmap._base.instruments import Instrument
    from liqmap._base.timestamps import Instant

__all__ = ["read_book", "read_recording"]

Rows = list[tuple[float, float]]


def read_book(payload: dict[str, Any], instrument: Instrument, at: Instant) -> Depth:
    """Read one snapshot of Binance, OKX, Bybit, Hyperliquid, Kraken Futures or BitMEX as a :class:`Depth`.

    Sizes are in the instrument's contracts: ``contract_size`` coin each for a linear contract, USD each for an
    inverse one.

    Args:
        payload: A REST response or a websocket message with a whole book, not an update.
        instrument: The instrument of the book.
        at: Time of receipt, UTC microseconds.

    Raises:
        InputError: The payload contains no book, or a price or size is not a number.
    """
    try:
        sides = next((found for parse in _PARSERS if (found := parse(payload)) is not None), None)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            "depth", instrument.name, f"a book with {type(error).__name__} {error}", "prices and sizes", "nothing read"
        ) from None
    if sides is None:
        keys = ", ".join(sorted(map(str, payload))[:8])
        raise InputError("depth", instrument.name, f"a payload of {keys}", "a snapshot of a book", "nothing read")
    (bid, bid_size), (ask, ask_size) = (_columns(rows) for rows in sides)
    # Contract size is USD for an inverse contract, coin for a linear one.
    bid_usd, ask_usd = (size * instrument.contract_size for size in (bid_size, ask_size))
    if instrument.payoff == "linear":
        bid_usd, ask_usd = bid_usd * bid, ask_usd * ask
    return Depth.of_orders(instrument.name, at, RestingOrders(bid, bid_usd, ask, ask_usd))


def read_recording(path: str | PathLike[str], instrument: Instrument) -> Depth:
    """Read the first snapshot of an instrument in a recording: lines of ``[address -> ]<epoch seconds>: <json>``.

    Raises:
        InputError: A line with another format, or no snapshot of the instrument's symbol.
    """
    with Path(path).open(encoding="utf-8") as lines:
        for row, line in enumerate(lines, 1):
            head, colon, body = line.partition(": ")
            try:
                at, message = float(head.rpartition(" -> ")[2]), json.loads(body)
            except ValueError:
                found = f"{line[:60]!r}" if colon else f"{line[:60]!r} without a colon"
                raise InputError("depth", str(path), found, "<epoch>: <json>", "nothing read", row=row) from None
            if isinstance(message, dict) and instrument.symbol in body and _is_snapshot(message):
                return read_book(message, instrument, round(at * 1e6))
    raise InputError("depth", str(path), f"no snapshot of {instrument.symbol}", "one whole book", "nothing read")


def _is_snapshot(message: dict[str, Any]) -> bool:
    """Whether a message contains a whole book, not an update."""
    if message.get("action") in ("update", "insert", "delete") or message.get("type") == "delta":
        return False
    return any(parse(message) is not None for parse in _PARSERS)


def _parse_bids_asks(payload: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """Binance, OKX, Kraken Futures: ``bids`` and ``asks``, at the top level or in the only entry of ``data``."""
    data = payload.get("data")
    book = data[0] if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict) else payload
    if "bids" not in book or "asks" not in book:
        return None
    return _price_sizes(book["bids"]), _price_sizes(book["asks"])


def _parse_bybit(payload: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """Bybit v5: ``b`` and ``a`` under ``result`` (REST) or ``data`` (websocket)."""
    book = payload.get("result", payload.get("data"))
    if not isinstance(book, dict) or "b" not in book or "a" not in book or payload.get("type") == "delta":
        return None
    return _price_sizes(book["b"]), _price_sizes(book["a"])


def _parse_hyperliquid(payload: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """Hyperliquid: ``levels`` of bids, then asks."""
    book = payload.get("data", payload)
    levels = book.get("levels") if isinstance(book, dict) else None
    return None if levels is None else (_price_sizes(levels[0]), _price_sizes(levels[1]))


def _parse_sided_rows(payload: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """BitMEX and Bybit's first websocket: one list, each order with its side."""
    data = payload.get("data")
    if not isinstance(data, list) or not data or not all({"side", "price", "size"} <= set(row) for row in data):
        return None
    if not (payload.get("table") == "orderBookL2" or str(payload.get("topic", "")).startswith("orderBook")):
        return None
    sides: dict[str, Rows] = {"Buy": [], "Sell": []}
    for row in data:
        sides[row["side"]].append((float(row["price"]), float(row["size"])))
    return sides["Buy"], sides["Sell"]


_PARSERS: tuple[Callable[[dict[str, Any]], tuple[Rows, Rows] | None], ...] = (
    _parse_bids_asks,
    _parse_bybit,
    _parse_hyperliquid,
    _parse_sided_rows,
)

_KEY_NAMES = (("price", "qty"), ("px", "sz"))


def _price_sizes(rows: Iterable[Any]) -> Rows:
    """Read rows of ``[price, size, …]`` or of objects with named price and size."""
    return [_price_size(row) for row in rows]


def _price_size(row: Any) -> tuple[float, float]:  # noqa: ANN401 - list or object, by venue
    if isinstance(row, dict):
        price, size = next(names for names in _KEY_NAMES if names[0] in row)
        return float(row[price]), float(row[size])
    return float(row[0]), float(row[1])


def _columns(rows: Rows) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
