"""Positions from venue JSON: units, signs, margin modes and reported liquidation prices."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import fingerprint
from _helpers.venue_payloads import (
    binance_position_risk,
    clearinghouse_state,
    hyperliquid_position,
    load_contracts,
    stored_positions,
    write_json,
)
from liqmap._base import timestamps

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import LoadReport, Store

ENTRY_2021 = 11707.70000003
UNITS = "instrument, side, margin_mode, size_base, entry_price, liquidation, liquidation_price"


def accounted(report: LoadReport) -> bool:
    return all(t.read == t.stored + t.duplicates + t.known + t.rejected + t.blank + t.left_out for t in report.tables)


@pytest.mark.parametrize(
    ("sample", "at", "expected"),
    [
        (
            "okx/account_positions.json",
            None,
            [("okx:ETH-USD-210430", "long", "isolated", 10 / 2566.31, 2566.31, "reported", 2352.8496681818233)],
        ),
        (
            "okx/account_positions_BTC-USD-SWAP_live_2026-01.json",
            "2026-01-20T09:10Z",
            [
                ("okx:BTC-USD-SWAP", "long", "cross", 100 / 91957.1, 91957.1, "reported", 89.11497615226264),
                ("okx:BTC-USD-SWAP", "long", "isolated", 100 / 92300, 92300.0, "reported", 69536.6125000014),
            ],
        ),
        (
            "binance/usdm_positionRisk_v3.json",
            "2022-06-15",
            [("binance:BTCUSDT", "long", "cross", 0.001, 22185.2, "reported", 19731.45529116)],
        ),
        (
            "binance/coinm_positionRisk.json",
            "2021-07-24",
            [("binance:BTCUSD_201225", "long", "cross", 100 / ENTRY_2021, ENTRY_2021, "reported", 11667.63509587)],
        ),
        (
            "bybit/position_list.json",
            None,
            [("bybit:BTCUSD", "short", "cross", 300 / 27464.50441675, 27464.50441675, "none", None)],
        ),
        (
            "bybit/ws_position_wallet_sol.json",
            "2025-10-02",
            [("bybit:SOLUSDT", "long", "cross", 0.2, 233.02, "reported", 176.89650029)],
        ),
        (
            "hyperliquid/clearinghouseState_isolated_2025-08.json",
            None,
            [("hyperliquid:HYPE", "long", "isolated", 2.0, 37.829, "reported", 35.8559189474)],
        ),
        (
            "hyperliquid/clearinghouseState_2023-03.json",
            "2023-05-27",
            [
                ("hyperliquid:BTC", "short", "cross", 0.00785, 26951.0, "reported", 173198.69592357),
                ("hyperliquid:ETH", "long", "cross", 0.1334, 1705.82, "none", None),
            ],
        ),
    ],
)  # fmt: skip
def test_sizes_are_stored_in_coin_with_the_reported_liquidation_price(
    store: Store, tmp_path: Path, shared: Path, sample: str, at: str | None, expected: list[tuple[object, ...]]
) -> None:
    load_contracts(store, tmp_path)
    file = shared / "api_samples" / sample
    report = store.load(file, table="positions", account="desk", at=at)
    assert accounted(report)
    found = stored_positions(store, UNITS)
    assert [row[:3] + row[4:] for row in found] == [row[:3] + row[4:] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], rel=1e-12)
    before = fingerprint(store)
    assert store.load(file, account="desk", at=at).already
    assert fingerprint(store) == before


def test_an_excerpt_of_many_accounts_is_loaded(store: Store, shared: Path) -> None:
    report = store.load(shared / "data/positions/xyz1367487_accounts_excerpt.json", table="positions")
    assert accounted(report)
    assert (report.stored, report.tables[0].left_out) == (3, 30)
    assert any("hyperliquid:AAVE" in note for note in report.notes)
    rows = stored_positions(store, "side, size_base, mark_price, liquidation, leverage, ts")
    when = timestamps.parse_instant("2026-10-03T22:32:18Z")
    assert rows == [
        ("long", 1.18327, pytest.approx(84_721), "none", 40.0, when),
        ("long", 3.83271, pytest.approx(84_721), "none", 5.0, when),
        ("short", 0.45822, pytest.approx(84_721), "reported", 20.0, when),
    ]
    assert len(stored_positions(store, "DISTINCT account")) == 3


def test_one_instrument_of_a_packed_file_with_an_account_per_line_is_loaded(store: Store, tmp_path: Path) -> None:
    load_contracts(store, tmp_path)
    answer = clearinghouse_state(hyperliquid_position(), hyperliquid_position("ETH", "-2"))
    lines = (
        '{"account": "a", "payload": ' + write_json(tmp_path, answer).read_text() + "}\n"
        '{"user": "b", "time": 1768397011000, "clearinghouseState": '
        + write_json(tmp_path, clearinghouse_state(hyperliquid_position(size="-0.2"), time=None)).read_text() + "}\n"
    )  # fmt: skip
    file = tmp_path / "all.ndjson.gz"
    file.write_bytes(gzip.compress(lines.encode()))
    report = store.load(file, instrument="hyperliquid:BTC")
    assert accounted(report)
    assert [r[0] for r in stored_positions(store, "side || size_base")] == ["long0.1", "short0.2"]
    assert report.tables[0].left_out == 1
    assert store.load(file).tables[0].line.startswith("positions hyperliquid:BTC, hyperliquid:ETH: 1 rows")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"positionAmt": "-0.5"}, ("short", 0.5, "isolated", 1625.0)),
        ({"positionSide": "SHORT", "positionAmt": "-0.5"}, ("short", 0.5, "isolated", 1625.0)),
        ({"marginType": "cross"}, ("long", 0.5, "cross", None)),
        ({"isolatedWallet": None, "isolatedMargin": "1675", "unRealizedProfit": "50"}, ("long", 0.5, "isolated", 1625)),
        ({"isolatedWallet": None, "isolatedMargin": "1620", "unRealizedProfit": "-5"}, ("long", 0.5, "isolated", 1625)),
        ({"marginType": None, "isolatedMargin": "1"}, ("long", 0.5, "isolated", 1625.0)),
        ({"marginType": None, "isolatedMargin": "0"}, ("long", 0.5, "cross", None)),
    ],
)  # fmt: skip
def test_binance_signs_hedge_legs_and_wallets_are_interpreted(
    store: Store, tmp_path: Path, row: dict[str, str], expected: tuple[object, ...]
) -> None:
    store.load(write_json(tmp_path, [binance_position_risk(**row)]), account="desk", at="2026-09-01")
    assert stored_positions(store, "side, size_base, margin_mode, margin") == [expected]


@pytest.mark.parametrize("sign", ["0", "0.0001", "999999", "999999.00", "", None])
def test_fault_51_a_code_for_no_price_is_stored_as_no_price(store: Store, tmp_path: Path, sign: str | None) -> None:
    store.load(write_json(tmp_path, [binance_position_risk(liquidationPrice=sign)]), account="desk", at="2026-09-01")
    assert stored_positions(store, "liquidation, liquidation_price") == [("none", None)]


def test_fault_19_a_missing_liquidation_price_is_stored_as_none(store: Store, tmp_path: Path) -> None:
    store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position(liquidationPx=None))), account="desk")
    assert stored_positions(store, "liquidation, liquidation_price, margin, maintenance") == [
        ("none", None, 1000.0, 100.0)
    ]


def okx(**more: str) -> dict[str, str]:
    return {
        "instId": "BTC-USDT-SWAP",
        "mgnMode": "cross",
        "posSide": "net",
        "pos": "-200",
        "avgPx": "65000",
        "markPx": "65100",
        "lever": "10",
        "ccy": "USDT",
        "imr": "50",
        "mmr": "5",
        "mgnRatio": "10",
        "liqPx": "70000",
        "pTime": "1780000000000",
    } | more


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        # equity = ratio · (5 + 500 · 0.0005 + 3 + 300 · 0.0005); maintenance is the part of the other position
        ({"imr": "30", "mmr": "3"}, [("long", 5.0, 84.0, 5.25), ("short", 2.0, 84.0, 3.15)]),
        ({"ccy": "USDC"}, [("long", 5.0, None, None), ("short", 2.0, None, None)]),  # one ratio for two currencies
        ({"mgnRatio": "11"}, [("long", 5.0, None, None), ("short", 2.0, None, None)]),
        ({"imr": ""}, [("long", 5.0, None, None), ("short", 2.0, None, None)]),
        ({"ccy": "USDC", "mgnRatio": "4"}, [("long", 5.0, 21.0, 0.0), ("short", 2.0, 52.5, 0.0)]),
        ({"mgnMode": "isolated", "margin": "7"}, [("long", 5.0, 7.0, None), ("short", 2.0, 52.5, 0.0)]),
        ({"pos": "0"}, [("short", 2.0, 52.5, 0.0)]),
    ],
)
def test_okx_equity_is_derived_from_the_margin_ratio(
    store: Store, tmp_path: Path, second: dict[str, str], expected: list[tuple[object, ...]]
) -> None:
    rows = [okx(), okx(**({"posSide": "long", "pos": "500"} | second))]
    store.load(write_json(tmp_path, {"code": "0", "data": rows}), account="desk")
    found = stored_positions(store, "side, size_base, margin, maintenance")
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2:] for row in found] == [
        tuple(None if v is None else pytest.approx(v) for v in row[2:]) for row in expected
    ]
