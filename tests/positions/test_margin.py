"""Liquidation prices agree with reported and published ones; rows that cannot be priced state the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import liqmap
from _helpers.reported_liquidation_prices import NOT_REPRODUCED, cases, table, verdicts
from liqmap import InputError
from liqmap._base import timestamps

if TYPE_CHECKING:
    from pathlib import Path

PERP = "binance:BTCUSDT"


def tiers_of(name: str, *rows: tuple[float, float | None, float, float]) -> pa.Table:
    """A tier table from rows of floor, cap, maximum leverage and maintenance margin rate."""
    columns = zip(*rows, strict=True)
    floor, cap, leverage, mmr = (list(column) for column in columns)
    return pa.table(
        {
            "instrument": [name] * len(rows),
            "tier": list(range(1, len(rows) + 1)),
            "notional_floor": [float(x) for x in floor],
            "notional_cap": cap,
            "max_leverage": [float(x) for x in leverage],
            "mmr": mmr,
        }
    )


TIERS = tiers_of(PERP, (0, 300_000.0, 150, 0.004), (300_000, 800_000.0, 100, 0.005), (800_000, 3e6, 75, 0.0065))


def price(tiers: pa.Table = TIERS, instruments: Any = None, **position: Any) -> tuple[float | None, str | None]:
    row = {"instrument": PERP, "side": "long", "size_base": 0.5, "entry_price": 65_000.0} | position
    out = liqmap.liquidation_prices(pa.table({key: [value] for key, value in row.items()}), tiers, instruments)
    return out["liquidation_price"][0].as_py(), out["reason"][0].as_py()


def test_every_reported_price_with_complete_inputs_is_reproduced(shared: Path) -> None:
    found = verdicts(cases(shared / "vectors"))
    print(table(found))  # noqa: T201 - shown by `pytest -s`
    assert len(found) == 46
    assert [v.case.name for v in found if v.case.complete and not v.reproduced] == []
    assert sum(v.reproduced for v in found) == sum(v.case.complete for v in found) == 36
    assert {v.case.name for v in found if not v.case.complete and v.price is not None} == set(NOT_REPRODUCED)


def test_reported_prices_of_venue_payloads_are_reproduced(shared: Path) -> None:
    samples = shared / "api_samples"
    cross = json.loads((samples / "okx/account_positions_BTC-USD-SWAP_live_2026-01.json").read_text())["data"][1]
    mark, maintenance = float(cross["markPx"]), float(cross["mmr"])
    equity = float(cross["mgnRatio"]) * (maintenance + 100 / mark * 0.0005)
    okx = tiers_of("okx:BTC-USD-SWAP", (0, None, 100, maintenance * mark / 100))
    entry = float(cross["avgPx"])
    found, _ = price(
        okx, instrument="okx:BTC-USD-SWAP", entry_price=entry, size_base=100 / entry, margin_mode="cross",
        margin=equity, mark_price=mark,
    )  # fmt: skip
    assert found == pytest.approx(float(cross["liqPx"]), rel=1e-6)

    pair = json.loads((samples / "bybit/ws_position_wallet_sol.json").read_text())
    position, wallet = pair["position"], pair["wallet"]
    found, _ = price(
        tiers_of("bybit:SOLUSDT", (0, None, 100, 0.005)), instrument="bybit:SOLUSDT", margin_mode="cross",
        size_base=float(position["size"]), entry_price=float(position["entryPrice"]),
        mark_price=float(position["markPrice"]), margin=float(wallet["totalMarginBalance"]),
        maintenance=float(wallet["totalMaintenanceMargin"]),
    )  # fmt: skip
    assert found == pytest.approx(float(position["liqPrice"]), rel=1e-6)


# Distance in percent of the entry, long then short, first tier, margin = entry / leverage; venues.md §1.
DISTANCES = {
    "binance:BTCUSDT": (0.004, {10: (-9.64, 9.56), 20: (-4.62, 4.58), 50: (-1.61, 1.59), 100: (-0.60, 0.60)}),
    "binance:BTCUSDT_261225": (0.01, {10: (-9.09, 8.91), 20: (-4.04, 3.96), 50: (-1.01, 0.99)}),
    "okx:BTC-USDT-SWAP": (0.004, {10: (-9.59, 9.51), 20: (-4.57, 4.53), 50: (-1.56, 1.54), 100: (-0.55, 0.55)}),
    "okx:BTC-USD_UM-261225": (0.02, {10: (-8.12, 7.79), 20: (-3.01, 2.89)}),
    "bybit:BTCUSDT": (0.005, {10: (-9.50, 9.50), 20: (-4.50, 4.50), 50: (-1.50, 1.50), 100: (-0.50, 0.50)}),
    "hyperliquid:BTC": (0.0125, {10: (-8.86, 8.64), 20: (-3.80, 3.70)}),
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_equal_the_documented_table(name: str) -> None:
    mmr, rows = DISTANCES[name]
    table_of_one = tiers_of(name, (0, None, 150, mmr))
    for leverage, expected in rows.items():
        found = []
        for side in ("long", "short"):
            at, _ = price(table_of_one, instrument=name, side=side, entry_price=100_000.0, leverage=float(leverage))
            assert at is not None
            found.append(round(100 * (at / 100_000 - 1), 2))
        assert tuple(found) == expected, leverage


def test_the_price_of_a_100x_long_on_binance() -> None:
    assert price(leverage=100.0)[0] == pytest.approx(64_608.43, abs=0.005)


def test_the_tier_at_the_liquidation_price_applies() -> None:
    # 310,000 at entry is tier 2; 290,000 at liquidation is tier 1, whose rate applies.
    size, entry, margin = 5.0, 62_000.0, 20_000.0
    out = liqmap.liquidation_prices(
        pa.table({"instrument": [PERP], "side": ["long"], "size_base": [size], "entry_price": [entry],
                  "margin": [margin]}),
        TIERS,
    )  # fmt: skip
    assert out["liquidation_price"][0].as_py() == pytest.approx((size * entry - margin) / (size * (1 - 0.004)))
    assert out["tier"].to_pylist() == [1]
    assert out["bankruptcy_price"].to_pylist() == [entry - margin / size]


def test_hedged_legs_share_one_price_at_which_equity_equals_maintenance_margin() -> None:
    legs = pa.table(
        {
            "instrument": [PERP, PERP],
            "side": ["long", "short"],
            "size_base": [2.0, 0.5],
            "entry_price": [65_000.0, 66_000.0],
            "margin_mode": ["cross", "cross"],
            "margin": [9_000.0, 9_000.0],
            "maintenance": [500.0, 500.0],
            "hedge_size_base": [0.5, 2.0],
            "hedge_entry_price": [66_000.0, 65_000.0],
        }
    )
    long, short = liqmap.liquidation_prices(legs, TIERS)["liquidation_price"].to_pylist()
    assert long == pytest.approx(short)
    equity = 9_000 - 500 + 2.0 * (long - 65_000) - 0.5 * (long - 66_000)
    assert equity == pytest.approx(2.5 * long * 0.004)
    okx = tiers_of("okx:BTC-USDT-SWAP", (0, 10.0, 100, 0.004))
    hedged = {"margin_mode": "cross", "margin": 1e4, "mark_price": 65e3, "hedge_size_base": 1.0}
    assert price(okx, instrument="okx:BTC-USDT-SWAP", **hedged, hedge_entry_price=66e3)[1] == (
        "no formula is known for this venue's hedged accounts"
    )


def test_prices_of_isolated_longs_on_okx_are_one_tick_higher() -> None:
    name = "okx:BTC-USDT-SWAP"
    tiers = tiers_of(name, (0, 10.0, 100, 0.004))
    contract = pa.table({"instrument": [name], "payoff": ["linear"], "tick_size": [0.1]})
    for side, ticks in (("long", 1), ("short", 0)):
        plain, _ = price(tiers, instrument=name, side=side, leverage=10.0)
        with_tick, _ = price(tiers, contract, instrument=name, side=side, leverage=10.0)
        assert plain is not None
        assert with_tick == pytest.approx(plain + ticks * 0.1, abs=1e-9)


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        ({"leverage": 1.0}, "margin covers the whole move"),
        ({"leverage": 200.0}, "leverage is above the tier's maximum"),
        ({"leverage": 0.0}, "leverage is below 1"),
        ({"leverage": float("inf")}, "leverage is below 1"),
        ({"leverage": 10.0, "size_base": 0.0}, "size is not above 0"),
        ({"leverage": 10.0, "size_base": -1.0}, "size is not above 0"),
        ({"leverage": 10.0, "size_base": float("nan")}, "size is not above 0"),
        ({"leverage": 10.0, "size_base": 1e3}, "size is above the last tier"),
        ({"leverage": 10.0, "entry_price": 0.0}, "entry price is not above 0"),
        ({"leverage": 10.0, "entry_price": float("inf")}, "entry price is not above 0"),
        ({"leverage": 10.0, "side": "buy"}, "side is neither long nor short"),
        ({"leverage": 10.0, "margin_mode": "portfolio"}, "margin mode is neither isolated nor cross"),
        ({"leverage": 10.0, "margin_mode": "cross"}, "cross margin without the account's equity and maintenance"),
        ({}, "neither margin nor leverage is given"),
        ({"leverage": 10.0, "instrument": "mars:BTCUSDT"}, "unknown venue"),
        ({"leverage": 10.0, "instrument": "BTCUSDT"}, "unknown venue"),
        ({"leverage": 10.0, "instrument": "binance:BTCUSDT_261225"}, "no tier table of this instrument at this time"),
    ],
)
def test_a_row_that_cannot_be_priced_is_null_with_a_reason(position: dict[str, Any], reason: str) -> None:
    assert price(**position) == (None, reason)


def test_a_tier_table_applies_from_its_date_on() -> None:
    old = TIERS.append_column("valid_from", pa.array([timestamps.parse_instant("2025-01-01")] * 3))
    new = TIERS.set_column(5, "mmr", pa.array([0.01, 0.02, 0.03]))
    new = new.append_column("valid_from", pa.array([timestamps.parse_instant("2026-01-01")] * 3))
    dated = pa.concat_tables([new, old])
    assert price(dated, leverage=10.0, ts=timestamps.parse_instant("2024-12-31"))[1] == (
        "no tier table of this instrument at this time"
    )
    for ts, mmr in (("2025-06-01", 0.004), ("2026-01-01", 0.01)):
        expected = pytest.approx(65_000 * 0.9 / (1 - mmr))
        assert price(dated, leverage=10.0, ts=timestamps.parse_instant(ts))[0] == expected
    assert price(dated, leverage=10.0)[0] == pytest.approx(65_000 * 0.9 / 0.99)


def test_the_payoff_is_inferred_from_the_venue_symbol() -> None:
    inverse = ["okx:BTC-USD-SWAP", "okx:BTC-USD-261225", "binance:BTCUSD_PERP", "binance:BTCUSD_261225"]
    inverse += ["bybit:BTCUSD", "bybit:BTCUSDM26"]
    linear = ["okx:BTC-USDT-SWAP", "okx:BTC-USD_UM-261030", "binance:BTCUSDT", "binance:BTCUSDT_261225"]
    linear += ["bybit:BTCUSDT", "bybit:BTCPERP", "bybit:BTCUSDT-26DEC26", "hyperliquid:BTC"]
    for name in inverse + linear:
        found, reason = price(
            tiers_of(name, (0, None, 100, 0.005)), instrument=name, entry_price=100.0, size_base=1.0, leverage=2.0
        )
        assert reason is None
        assert found is not None
        # Bankrupt at 50 if linear, at 66.7 if inverse.
        assert (found > 60) == (name in inverse), name


def columns(n: int) -> dict[str, list[Any]]:
    return {
        "instrument": [PERP if i % 3 else "okx:BTC-USDT-SWAP" for i in range(n)],
        "side": ["long" if i % 2 else "short" for i in range(n)],
        "size_base": [0.01 * (i % 400) for i in range(n)],
        "entry_price": [60_000.0 + i for i in range(n)],
        "leverage": [None if i % 7 == 0 else float(2 + i % 90) for i in range(n)],
    }


TWO_VENUES = pa.concat_tables([TIERS, tiers_of("okx:BTC-USDT-SWAP", (0, 1.0, 100, 0.004), (1.0, 3.0, 50, 0.01))])


def results(positions: Any) -> list[dict[str, Any]]:
    return pa.table(liqmap.liquidation_prices(positions, TWO_VENUES)).to_pylist()


def test_the_result_does_not_depend_on_the_library_or_encoding_of_the_table() -> None:
    plain = pa.table(columns(1_000))
    expected = results(plain)
    coded = plain
    for i, name in enumerate(("instrument", "side")):
        coded = coded.set_column(i, name, plain[name].dictionary_encode())
    assert results(coded) == expected
    assert results(pl.from_arrow(plain)) == expected
    assert results(pl.from_arrow(plain).with_columns(pl.col("instrument", "side").cast(pl.Categorical))) == expected
    assert results(plain.to_pandas()) == expected
    assert results(duckdb.sql("SELECT * FROM plain")) == expected
    # Both tables may come from one connection, which holds one open result at a time.
    relation = duckdb.sql("SELECT * FROM TWO_VENUES")
    assert pa.table(liqmap.liquidation_prices(duckdb.sql("SELECT * FROM plain"), relation)).to_pylist() == expected
    numbers = duckdb.sql("SELECT * REPLACE (CASE side WHEN 'long' THEN 1 ELSE -1 END AS side) FROM plain")
    assert results(numbers) == expected
    for i, j in ((0, 0), (3, 3), (1, 8), (63, 130), (997, 1_000)):
        assert results(coded.slice(i, j - i)) == expected[i:j]
    chunked = pa.concat_tables([coded.slice(i, 97) for i in range(0, 1_000, 97)])
    assert results(chunked) == expected


def test_invalid_arrow_data_is_rejected() -> None:
    base = pa.table(columns(4))
    beyond = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0]), pa.array(["long", "short"]), safe=False)
    with pytest.raises(InputError, match=r"positions, side: key 2 of a dictionary of 2 \(expected a column of words\)"):
        results(base.set_column(1, "side", beyond))
    offsets = pa.py_buffer(bytes(bytearray(b"".join(i.to_bytes(4, "little") for i in (0, 4, 900, 8, 12)))))
    broken = pa.Array.from_buffers(pa.utf8(), 4, [None, offsets, pa.py_buffer(b"longlonglong")])
    with pytest.raises(InputError, match="positions, side"):
        results(base.set_column(1, "side", broken))
    expected = r"positions, side: columns instrument, .* \(expected a column of this name\)"
    with pytest.raises(InputError, match=expected):
        results(base.drop_columns(["side"]))
    with pytest.raises(InputError, match=r"positions, entry_price: type Utf8 \(expected a numeric column\)"):
        results(base.set_column(3, "entry_price", pa.array(["x"] * 4)))
    with pytest.raises(InputError, match=r"positions: a list \(expected an Arrow stream"):
        liqmap.liquidation_prices([], TIERS)
    with pytest.raises(InputError, match=r"tiers, binance:BTCUSDT, tier 3: floor 800000 \(expected the cap"):
        liqmap.liquidation_prices(base, pa.concat_tables([TIERS.slice(0, 1), TIERS.slice(2, 1)]))


def test_tranches_are_in_order_and_sum_to_the_position() -> None:
    okx = tiers_of("okx:BTC-USDT-SWAP", (0, 10.0, 100, 0.004), (10, 20.0, 50, 0.01), (20, 40.0, 25, 0.02),
                   (40, 80.0, 20, 0.025), (80, 160.0, 10, 0.03))  # fmt: skip
    position = pa.table(
        {"instrument": ["okx:BTC-USDT-SWAP"], "side": ["long"], "size_base": [100.0], "entry_price": [65_000.0],
         "leverage": [10.0]}
    )  # fmt: skip
    tranches = pa.table(liqmap.liquidation_tranches(position, okx)).to_pylist()
    # Tier 5 → the cap of tier 3 (40), tier 3 → the cap of tier 1 (10), tier 1 → the rest.
    assert [tranche["size_base"] for tranche in tranches] == pytest.approx([60.0, 30.0, 10.0])
    prices = [tranche["price"] for tranche in tranches]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] == liqmap.liquidation_prices(position, okx)["liquidation_price"][0].as_py()
    assert [tranche["tranche"] for tranche in tranches] == [0, 1, 2]
