"""Depth: order books of venues, rejected orders, merged books, and depth read from a history."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqmap
from _helpers.small_maps import FIVE, by_levels
from liqmap._base.errors import InputError
from liqmap._base.instruments import Instrument
from liqmap.stress.book_side import RestingOrders, SideDepth
from liqmap.stress.cascade import cascade
from liqmap.stress.depth import Depth
from liqmap.stress.depth_from_history import depth_from_history
from liqmap.stress.intraday_depth import hour_factor, measured_profile
from liqmap.stress.venue_order_books import read_book, read_recording

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000_000
BINANCE_2025_05_19 = dict(
    zip(
        (-1, -2, -3, -4, -5, 1, 2, 3, 4, 5),
        (191.4e6, 331.5e6, 450.3e6, 590.8e6, 647.4e6, 176.6e6, 294.6e6, 408.7e6, 485.6e6, 555.0e6),
        strict=True,
    )
)
"""``bookDepth`` of binance-public-data #431, USD."""


def inverse(name: str, usd: float) -> Instrument:
    return Instrument(name, "dated", "inverse", "BTC", "USD", "BTC", usd, 0.1)


@pytest.mark.parametrize(
    ("file", "instrument", "mid", "orders", "far"),
    [
        ("bitmex_XBTUSD_20210722.jsonl", inverse("bitmex:XBTUSD", 1), 32180.25, (5542, 3804), True),
        (
            "binance_coinm_BTCUSD_211231_depth1000_20210722.txt",
            inverse("binance:BTCUSD_211231", 100),
            32623.35,
            (1000, 1000),
            True,
        ),
        ("okx_BTC-USD-220527_20220513.jsonl", inverse("okx:BTC-USD-220527", 100), None, None, False),
        ("krakenfutures_FI_XBTUSD_20210722.jsonl", inverse("kraken:FI_XBTUSD_210924", 1), None, None, True),
        ("bybit_BTCUSD_20210417.jsonl", inverse("bybit:BTCUSD", 1), None, (25, 25), False),
    ],
)
def test_recorded_books_of_five_venues_are_read(
    shared: Path, file: str, instrument: Instrument, mid: float | None, orders: tuple[int, int] | None, far: bool
) -> None:
    book = read_recording(shared / "data" / "books" / file, instrument)
    for one_side in (book.bid, book.ask):
        assert np.all(np.diff(one_side.distance) > 0)
        assert np.all(np.diff(one_side.notional) > 0)
        assert 0 < one_side.distance[0] < 0.002
    if mid is not None:
        assert book.mid == pytest.approx(mid, abs=0.1)
    if orders is not None:
        rejected = sum(book.dropped.values())
        # Each side ends half a gap beyond its last order.
        assert book.bid.distance.size - 1 + book.ask.distance.size - 1 + rejected == sum(orders)
    assert bool(book.dropped) == far
    assert book.ask.edge <= 1.5


def test_asks_far_above_the_mid_are_rejected(shared: Path) -> None:
    book = read_recording(shared / "data" / "books" / "bitmex_XBTUSD_20210722.jsonl", inverse("bitmex:XBTUSD", 1))
    assert book.dropped["far"] > 0
    assert book.ask.edge < 1.2
    assert any("far" in sentence for sentence in book.assumptions)


def test_sizes_of_a_real_inverse_book_are_converted_from_contracts(shared: Path) -> None:
    path = shared / "data" / "books" / "binance_coinm_BTCUSD_211231_depth1000_20210722.txt"
    raw = json.loads(path.read_text().partition(": ")[2])
    book = read_recording(path, inverse("binance:BTCUSD_211231", 100))
    assert book.bid.total == pytest.approx(100 * sum(float(size) for _, size in raw["bids"]))
    near = [float(size) for price, size in raw["asks"] if float(price) <= 2 * book.mid]
    assert len(near) == 998
    assert book.ask.total == pytest.approx(100 * sum(near))


LINEAR = Instrument("okx:BTC-USDT-SWAP", "perpetual", "linear", "BTC", "USDT", "USDT", 0.01, 0.1)


@pytest.mark.parametrize(
    "sample",
    [
        "binance/usdm_depth_swap_testnet_2024.json",
        "okx/books.json",
        "bybit/orderbook.json",
        "hyperliquid/l2Book.json",
        "hyperliquid/l2Book_BTC_2026-09-25.json",
    ],
)
def test_current_payloads_of_venues_are_read(shared: Path, sample: str) -> None:
    payload = json.loads((shared / "api_samples" / sample).read_text())
    book = read_book(payload, LINEAR, 0)
    assert book.bid.total > 0
    assert book.ask.total > 0
    assert not book.dropped


def test_sizes_of_a_linear_book_are_converted_from_contracts(shared: Path) -> None:
    payload = json.loads((shared / "api_samples" / "okx" / "books.json").read_text())
    book = read_book(payload, LINEAR, 0)
    assert book.bid.total == pytest.approx(41006.3 * 0.30178218 * 0.01)


def test_updates_are_skipped_when_reading_a_recording(shared: Path, tmp_path: Path) -> None:
    spot = Instrument("okx:BTC-USDT", "perpetual", "linear", "BTC", "USDT", "USDT", 1.0, 0.1)

    def recorded(*messages: Any) -> Depth:
        path = tmp_path / "book.jsonl"
        path.write_text("".join(f"1.5: {json.dumps(message)}\n" for message in messages))
        return read_recording(path, spot)

    messages = json.loads((shared / "api_samples" / "okx" / "ws_books_snapshot_update.json").read_text())
    assert read_book(messages[0], LINEAR, 0).mid == pytest.approx(83_800.85)
    with pytest.raises(InputError, match="no snapshot"):
        recorded(messages[1])
    assert recorded(messages[1], messages[0]).mid == pytest.approx(83_800.85)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"bids": [["1"]], "asks": []},
        {"bids": [["x", "1"]], "asks": [["2", "1"]]},
        {"levels": [[{"px": "1"}], []]},
        {"data": [1, 2]},
    ],
)
def test_an_invalid_payload_is_rejected(payload: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^liqmap: depth: okx:BTC-USDT-SWAP: "):
        read_book(payload, LINEAR, 0)


def test_an_invalid_line_of_a_recording_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "book.jsonl"
    path.write_text("1.0: {}\n<html>\n")
    with pytest.raises(InputError, match=r"book\.jsonl:2: "):
        read_recording(path, LINEAR)


def orders(bids: dict[float, float], asks: dict[float, float]) -> RestingOrders:
    return RestingOrders(
        *(np.array(list(v), dtype=float) for side in (bids, asks) for v in (side.keys(), side.values()))
    )


def test_a_crossed_book_is_uncrossed_by_rejecting_the_fewest_orders() -> None:
    stale_bid = orders({99: 1, 98: 1, 97: 1, 120: 1}, {101: 1, 102: 1, 103: 1})
    book = Depth.of_orders("sim:X", 0, stale_bid)
    assert dict(book.dropped) == {"crossed": 1}
    assert book.mid == 100
    assert book.bid.total == 3


def test_invalid_orders_are_rejected_and_counted() -> None:
    bad = orders({99: 1, math.nan: 1, -5: 1, 98: -1, 97: math.inf, 96: 0}, {101: 2, 1e6: 50})
    book = Depth.of_orders("sim:X", 0, bad)
    assert dict(book.dropped) == {"invalid": 5, "far": 1}
    assert (book.bid.total, book.ask.total) == (1, 2)


def test_a_book_without_valid_orders_is_rejected() -> None:
    with pytest.raises(InputError, match="no valid order"):
        Depth.of_orders("sim:X", 0, orders({math.nan: 1}, {}))


def test_a_one_sided_book_absorbs_flow_of_its_side_only() -> None:
    book = Depth.of_orders("sim:FIVE", 0, orders({99_900: 1e6, 99_500: 3e8, 99_000: 1e9}, {}))
    assert cascade(by_levels(FIVE), -0.005, book).liquidated == 1_000e6
    with pytest.raises(InputError, match="no asks"):
        cascade(by_levels({101_000.0: 1e6}), 0.01, book)


def test_a_book_around_another_price_is_rejected_unless_moved() -> None:
    book = Depth.of_bands("binance:BTCUSDT", 0, 103_000.0, BINANCE_2025_05_19)
    assert cascade(by_levels(FIVE), -0.005, book).stop_price < 99_500
    with pytest.raises(InputError, match=r"a book around 120,000.00 \(expected a book that covers the mark 100,000.00"):
        cascade(by_levels(FIVE), -0.005, book.moved(120_000.0))
    moved = book.moved(120_000.0).moved(100_000.0)
    assert any("measured at 103,000.00" in s for s in cascade(by_levels(FIVE), -0.005, moved).assumptions)


@pytest.mark.parametrize(
    "bands", [{-1: math.nan}, {-1: -5.0}, {0: 1.0}, {-1: 10.0, -2: 5.0}, {math.inf: 1.0}, {1: 10.0, 2: 5.0}]
)
def test_invalid_bands_are_rejected(bands: dict[float, float]) -> None:
    with pytest.raises(InputError):
        Depth.of_bands("binance:BTCUSDT", 0, 100_000.0, bands)


@pytest.mark.parametrize("multiplier", [0.0, -1.0, math.nan, math.inf])
def test_an_invalid_multiplier_is_rejected(multiplier: float) -> None:
    with pytest.raises(InputError, match="multiplier"):
        Depth.of_bands("binance:BTCUSDT", 0, 103_000.0, BINANCE_2025_05_19).scaled(multiplier)


def test_an_extended_book_follows_the_power_law_beyond_its_visible_orders() -> None:
    book = Depth.of_bands("binance:BTCUSDT", 0, 100_000.0, BINANCE_2025_05_19)
    assert book.within("bid", 0.10) == book.within("bid", 0.05) == pytest.approx(647.4e6)
    longer = book.extended(reach=0.25)
    assert longer.within("bid", 0.10) == pytest.approx(647.4e6 * 2**0.75)
    assert longer.within("bid", 0.03) == pytest.approx(450.3e6)


def test_merged_books_add_depth_at_equal_distances(shared: Path) -> None:
    folder = shared / "data" / "books"
    a = read_recording(folder / "bitmex_XBTUSD_20210722.jsonl", inverse("bitmex:XBTUSD", 1))
    b = read_recording(
        folder / "binance_coinm_BTCUSD_211231_depth1000_20210722.txt", inverse("binance:BTCUSD_211231", 100)
    )
    both = Depth.merged(a, b)
    assert both.instruments == ("bitmex:XBTUSD", "binance:BTCUSD_211231")
    assert both.at == min(a.at, b.at)
    for side in ("bid", "ask"):
        merged, one, other = both.ladder(side), a.ladder(side), b.ladder(side)  # type: ignore[arg-type]
        assert merged.total == pytest.approx(one.total + other.total)
        for x in (0.001, 0.01, 0.02):
            parts = a.within(side, x) + b.within(side, x)  # type: ignore[arg-type]
            assert both.within(side, x) == pytest.approx(parts, rel=1e-3)  # type: ignore[arg-type]


@given(
    st.lists(
        st.lists(st.tuples(st.floats(1e-5, 0.5), st.floats(1.0, 1e6)), min_size=1, max_size=12), min_size=2, max_size=4
    )
)
def test_merging_does_not_depend_on_the_order_of_books(books: list[list[tuple[float, float]]]) -> None:
    made = [
        Depth((f"sim:{i}",), 0, 100.0, side, side)
        for i, rows in enumerate(books)
        for side in [SideDepth.from_orders(*(np.array(c) for c in zip(*rows, strict=True)))]
    ]
    forward, backward = Depth.merged(*made), Depth.merged(*reversed(made))
    assert forward.bid.total == pytest.approx(sum(b.bid.total for b in made))
    assert np.all(np.diff(forward.bid.notional) > 0)
    x = np.geomspace(1e-5, 0.6, 30)
    np.testing.assert_allclose(forward.curve("bid").notional(x), backward.curve("bid").notional(x), rtol=1e-6)


def test_depth_is_lower_at_night() -> None:
    factors = [hour_factor(h * HOUR) for h in range(24)]
    assert max(factors) == factors[11]
    assert min(factors) == factors[21]
    assert factors[11] / factors[21] == pytest.approx(3.86 / 2.36)
    assert np.exp(np.mean(np.log([hour_factor(m * 60_000_000) for m in range(1440)]))) == pytest.approx(1, abs=1e-3)


def test_an_intraday_profile_is_measured_from_books() -> None:
    def book(hour: int, multiplier: float) -> Depth:
        made = Depth.of_bands("binance:BTCUSDT", hour * HOUR, 100_000.0, BINANCE_2025_05_19)
        return made.scaled(multiplier)

    books = [book(24 * day + hour, 2.0 if hour == 11 else 1.0) for day in range(6) for hour in (9, 10, 11)]
    profile = measured_profile(books, "bid", 0.01)
    assert profile[9] == 1
    assert profile[11] == pytest.approx(2)
    assert np.isnan(profile[0])
    with pytest.raises(InputError, match="5 books in some hour"):
        measured_profile(books[:3], "bid", 0.01)


def test_stored_bands_are_read_back_as_the_original_book(tmp_path: Path) -> None:
    mid = 70_000.0
    rows = ["timestamp,percentage,depth,notional"]
    for sign in (-1, 1):
        coin = previous = 0.0
        for band in range(1, 6):
            usd = BINANCE_2025_05_19[sign * band]
            # If depth grows as distance^0.78, the mean distance of orders in the first band is 0.44 %.
            mean = 0.0044 if band == 1 else (band - 0.5) / 100
            coin, previous = coin + (usd - previous) / (mid * (1 + sign * mean)), usd
            rows.append(f"2026-06-01 00:00:08,{sign * band}.00,{coin},{usd}")
    file = tmp_path / "BTCUSDT-bookDepth-2026-06-01.csv"
    file.write_text("\n".join(rows) + "\n")
    book_at = 1_780_272_008_000_000
    with liqmap.open(tmp_path / "h.duckdb", mode="w") as history:
        history.load(file, instrument="binance:BTCUSDT")
        assert depth_from_history(history, "binance:BTCUSDT", book_at - 1) is None, (
            "a book is not known before its time"
        )
        assert depth_from_history(history, "binance:BTCUSDT", book_at + 2 * HOUR) is None, (
            "a book older than the maximum age is not used"
        )
        book = depth_from_history(history, "binance:BTCUSDT", book_at + HOUR // 2)
        assert history.depth("binance:BTCUSDT", book_at + 2 * HOUR, max_age="3h") is not None
    assert book is not None
    assert book.at == book_at
    assert book.mid == pytest.approx(mid, rel=2e-3)
    for percent, usd in BINANCE_2025_05_19.items():
        side = "bid" if percent < 0 else "ask"
        assert book.within(side, abs(percent) / 100) == pytest.approx(usd, rel=0.06)  # type: ignore[arg-type]
