"""Mappings: public archives of Binance, files with the table's own columns, and mappings given in the call."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import InputError
from liqmap._base.timestamps import parse_instant
from liqmap.history.column_limits import SQL_TYPE, TABLES
from liqmap.history.loading.mapping import bundled_mappings, read_mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as connection:
        return connection.execute(sql).fetchall()


def test_every_bundled_mapping_is_valid_and_has_a_unique_header() -> None:
    mappings = bundled_mappings()
    assert len(mappings) >= 12
    headers = [m.columns for m in mappings if not m.ask]
    assert len(set(headers)) == len(headers)
    assert all(m.about and m.columns for m in mappings)


def test_the_tables_of_the_loader_match_the_schema(store: Store) -> None:
    for table in TABLES.values():
        if table.aggregated_into:
            continue
        described = {str(n): (str(t), null) for n, t, null, *_ in rows(store, f"DESCRIBE {table.name}")}
        own = {"load_id", "venue", "symbol"} if table.name == "instruments" else {"load_id"}
        assert set(described) - own == set(table.names)
        for column in table.columns:
            kind, null = described[column.name]
            assert kind in (SQL_TYPE[column.kind], "INTEGER"), (table.name, column.name)
            assert (null == "NO") == (column.required and kind != ""), (table.name, column.name)


def test_binance_metrics_contain_the_instrument_and_are_checked_against_bars(store: Store, write: Write) -> None:
    header = (
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
        "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    )
    store.load(write("b.csv", bars(10)), instrument=BTC)
    text = (
        header + "2026-06-01 00:05:00,BTCUSDT,100000.5,7000135000.0,1.1,1.2,,0.9\n2026-06-01 00:10:00,BTCUSDT,,,,,,\n"
    )
    report = store.load(write("BTCUSDT-metrics-2026-06-01.csv", text))
    assert (report.layout, report.tables[0].stored, report.tables[0].blank) == ("binance-metrics", 1, 1)
    assert rows(store, "SELECT instrument, ts, oi_base FROM open_interest") == [
        (BTC, parse_instant("2026-06-01T00:05Z"), 100000.5)
    ]
    # COIN-M: open interest in contracts of 100 USD, and its "value" in coin.
    coin = header + "2026-06-01 00:15:00,BTCUSDT,70000000,100000,,,,\n"
    with pytest.raises(InputError, match="sum_open_interest_value"):
        store.load(write("BTCUSDT-metrics-2026-06.csv", coin))


def test_settled_funding_is_stored_as_a_fraction(store: Store, write: Write) -> None:
    text = f"calc_time,funding_interval_hours,last_funding_rate\n{START + 3},8,-0.00012\n"
    store.load(write("BTCUSDT-fundingRate-2026-06.csv", text), instrument=BTC)
    assert rows(store, "SELECT ts, rate, interval_h FROM funding") == [((START + 3) * 1000, -0.00012, 8.0)]


@pytest.mark.parametrize("header", [True, False])
def test_trades_are_aggregated_to_minute_bars_with_taker_buys(store: Store, write: Write, *, header: bool) -> None:
    trades = [
        (1, 70000.0, 1.0, 0, "false"),
        (2, 70010.0, 2.0, 500, "true"),
        (3, 69990.0, 0.5, 59_999, "true"),
        (4, 70005.0, 4.0, 60_000, "false"),
        (6, 70001.0, 1.0, 60_000, "true"),
        (5, 70009.0, 1.0, 60_000, "false"),
    ]
    lines = [f"{i},{p},{q},{i},{i},{START + t},{maker}" for i, p, q, t, maker in trades for _ in range(2)]
    names = ["agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"] if header else []
    report = store.load(write("BTCUSDT-aggTrades-2026-06-01.csv", "\n".join([*names, *lines]) + "\n"), instrument=BTC)
    assert (report.tables[0].read, report.tables[0].duplicates, report.tables[0].stored) == (12, 6, 2)
    sql = "SELECT ts, interval_s, open, high, low, close, volume_base, taker_buy_base FROM bars ORDER BY ts"
    assert rows(store, sql) == [
        (START * 1000, 60, 70000.0, 70010.0, 69990.0, 69990.0, 3.5, 1.0),
        (START * 1000 + 60_000_000, 60, 70005.0, 70009.0, 70001.0, 70001.0, 6.0, 5.0),
    ]


def test_depth_bands_preserve_coin_and_usd(store: Store, write: Write) -> None:
    bands = [
        (-2, 300, 300 * 69_000),
        (-1, 100, 100 * 69_600),
        (-0.2, 20, 20 * 69_950),
        (1, 80, 80 * 70_300),
        (2, 200, 200 * 70_600),
    ]
    text = "timestamp,percentage,depth,notional\n" + "".join(
        f"2026-06-01 00:00:08,{p:.2f},{d},{n}\n" for p, d, n in bands
    )
    store.load(write("BTCUSDT-bookDepth-2026-06-01.csv", text), instrument=BTC)
    per_side = rows(store, "SELECT side, sum(size_base), sum(size_base * price) FROM depth GROUP BY side ORDER BY side")
    assert per_side == [("ask", 200.0, pytest.approx(200 * 70_600)), ("bid", 300.0, pytest.approx(300 * 69_000))]
    prices = [p for (p,) in rows(store, "SELECT price FROM depth WHERE side = 'bid' ORDER BY price DESC")]
    assert prices == pytest.approx([69_950.0, (100 * 69_600 - 20 * 69_950) / 80, (300 * 69_000 - 100 * 69_600) / 200])


@pytest.mark.parametrize(
    ("instrument", "size", "usd"), [(BTC, 0.5, 35_000.0), ("binance:BTCUSD_PERP", 0.5 * 100 / 70_000, 50.0)]
)
def test_liquidation_orders_are_stored_with_the_liquidated_side(
    store: Store, write: Write, instrument: str, size: float, usd: float
) -> None:
    header = (
        "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,"
        "accumulated_fill_quantity\n"
    )
    line = f"{START},SELL,LIMIT,IOC,0.7,69500,70000,FILLED,0.5,0.5\n"
    store.load(write("X-liquidationSnapshot-2026-06-01.csv", header + line + line), instrument=instrument)
    (row,) = rows(store, "SELECT side, price, size_base, usd, feed, window_s FROM liquidations")
    assert row == ("long", 70000.0, pytest.approx(size), pytest.approx(usd), "throttled", 0)


def test_mark_price_klines_need_their_mapping_by_name(store: Store, write: Write) -> None:
    text = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
        f"{START},70000,70010,69990,70005,0,{START + 299_999},0,60,0,0,0\n"
    )
    file = write("BTCUSDT-5m-2026-06-01.csv", text)
    store.load(file, instrument=BTC, mapping="binance-mark-klines")
    assert rows(store, "SELECT price_source, volume_base FROM bars") == [("mark", None)]
    store.load(file, instrument=BTC)
    assert count(store, "bars WHERE price_source = 'last' AND volume_base = 0") == 1


def test_columns_can_be_given_in_the_call(store: Store, write: Write) -> None:
    text = "t,o,h,l,c,v,extra\n" + "".join(f"{START // 1000 + i * 60},1,2,0.5,1,{i},x\n" for i in range(3))
    columns = {
        "ts": "t",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume_base": {"column": "v", "scale": 1000},
    }
    report = store.load(write("mine.csv", text), table="bars", instrument=BTC, columns=columns)
    assert report.stored == 3
    assert store.market_bars(BTC).volume_base.tolist() == [0.0, 1000.0, 2000.0]


@pytest.mark.parametrize(
    ("instrument", "field", "unit", "expected"),
    [
        ("okx:BTC-USDT-SWAP", "oi_base", "contracts", 10.0),
        ("okx:BTC-USD-SWAP", "oi_usd", "contracts", 100_000.0),
        (BTC, "oi_usd", "quote", 1000.0),
        (BTC, "oi_base", "base", 1000.0),
    ],
)
def test_units_are_converted_with_the_contract_size(
    store: Store, write: Write, instrument: str, field: str, unit: str, expected: float
) -> None:
    columns = {field: {"column": "n", "unit": unit}}
    store.load(write("oi.csv", f"ts,n\n{START},1000\n"), table="open_interest", instrument=instrument, columns=columns)
    assert rows(store, f"SELECT {field} FROM open_interest") == [(expected,)]


@pytest.mark.parametrize(("unit", "expected"), [("fraction", 0.5), ("percent", 0.005), ("bps", 0.00005)])
def test_rates_are_converted_to_fractions(store: Store, write: Write, unit: str, expected: float) -> None:
    columns = {"rate": {"column": "n", "unit": unit}, "interval_h": 8}
    store.load(write("f.csv", f"ts,n\n{START},0.5\n"), table="funding", instrument=BTC, columns=columns)
    assert rows(store, "SELECT rate FROM funding") == [(expected,)]


def test_a_unit_that_cannot_be_converted_is_an_error(store: Store, write: Write) -> None:
    file = write("oi.csv", f"ts,n\n{START},1000\n")
    for instrument, unit in (("okx:BTC-USD-SWAP", "contracts"), (BTC, "usd"), (BTC, "percent")):
        columns = {"oi_base": {"column": "n", "unit": unit}}
        with pytest.raises(InputError, match="oi_base"):
            store.load(file, table="open_interest", instrument=instrument, columns=columns)


MINE = """
about = "mine"
columns = ["when", "px"]
[[target]]
table = "{table}"
[target.fields]
{fields}
"""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("about = ", "value"),
        ("about = 'x'\ntargets = []", "target"),
        (MINE.format(table="barz", fields="ts = 'when'"), "barz"),
        (MINE.format(table="funding", fields="ts = 'when'"), "rate"),
        (MINE.format(table="funding", fields="ts = 'when'\nrate = 'px'\ninterval_h = 8\ncolour = 'px'"), "colour"),
        (MINE.format(table="funding", fields="ts = 'when'\nrate = 'pxx'\ninterval_h = 8"), "pxx"),
        (
            MINE.format(table="funding", fields="ts = 'when'\nrate = {column = 'px', units = 'bps'}\ninterval_h = 8"),
            "units",
        ),
        (
            MINE.format(table="funding", fields="ts = 'when'\nrate = {column = 'px', unit = 'pct'}\ninterval_h = 8"),
            "unit",
        ),
        (MINE.format(table="funding", fields="ts = 'when'\nrate = {}\ninterval_h = 8"), "exactly one"),
        (
            MINE.format(table="funding", fields="ts = {column = 'when', time = 'ns'}\nrate = 'px'\ninterval_h = 8"),
            "time",
        ),
    ],
)
def test_the_error_names_an_invalid_key_of_a_mapping(store: Store, write: Write, text: str, word: str) -> None:
    mapping = write("mine.toml", text)
    with pytest.raises(InputError) as caught:
        store.load(write("f.csv", f"when,px\n{START},1\n"), instrument=BTC, mapping=mapping)
    assert str(caught.value).startswith("liqmap: mapping: ")
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_mapping_is_an_error(store: Store, write: Write) -> None:
    with pytest.raises(InputError, match="binance-klines"):
        store.load(write("f.csv", bars(2)), mapping="nowhere.toml")


def test_the_error_for_an_unsuitable_mapping_lists_both_headers(store: Store, write: Write) -> None:
    with pytest.raises(InputError) as caught:
        store.load(write("f.csv", bars(2)), instrument=BTC, mapping="binance-metrics")
    assert "[ts, open, high, low, close]" in caught.value.found
    assert "create_time" in caught.value.expected
    assert read_mapping("binance-metrics").name == "binance-metrics"


def test_an_archive_is_stored_in_one_load(store: Store, write: Write) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", bars(5))
        archive.writestr("b.csv", bars(5, start=START + 5 * 300_000))
    report = store.load(write("both.zip", buffer.getvalue()), instrument=BTC)
    assert report.stored == 10
    assert count(store, "loads") == 1


def test_conflicting_files_of_one_archive_are_rejected(store: Store, write: Write) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", bars(5))
        archive.writestr("b.csv", bars(5, price=71_000.0))
    with pytest.raises(InputError, match="another file of this archive"):
        store.load(write("both.zip", buffer.getvalue()), instrument=BTC, replace=True)
    assert count(store, "bars") == 0


def test_parquet_timestamps_are_read(store: Store, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "ts": pl.datetime_range(
                pl.datetime(2026, 6, 1), pl.datetime(2026, 6, 1, 1), "5m", time_unit="us", time_zone="UTC", eager=True
            )
        }
    ).with_columns(open=70_000.0, high=70_010.5, low=69_990.0, close=70_001.0, volume_base=None)
    file = tmp_path / "bars.parquet"
    frame.write_parquet(file)
    store.load(file, instrument=BTC)
    found = store.market_bars(BTC)
    assert (len(found), int(found.ts[0]), found.high[0]) == (13, START * 1000, 70_010.5)


def test_parquet_errors_name_row_and_column_for_any_column_name(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "odd.parquet"
    duckdb.sql(
        f"""COPY (SELECT {START} + i * 60000 AS "t""; DROP", CASE WHEN i = 2 THEN 'nan'::DOUBLE ELSE 1.0 END AS "a b"
        FROM range(4) t(i)) TO '{file}' (FORMAT parquet)"""
    )
    columns = {"ts": 't"; DROP', "rate": {"column": "a b", "unit": "percent"}, "interval_h": 8}
    with pytest.raises(InputError) as caught:
        store.load(file, table="funding", instrument=BTC, columns=columns)
    assert (caught.value.row, caught.value.field, caught.value.found) == (3, "a b", "'nan'")


def test_repeated_column_names_are_rejected(store: Store, write: Write) -> None:
    with pytest.raises(InputError, match="'ts' twice"):
        store.load(
            write("f.csv", f"ts,ts,rate\n{START},1,2\n"), table="funding", instrument=BTC, columns={"interval_h": 8}
        )
