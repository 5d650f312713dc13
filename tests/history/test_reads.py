"""Queries return only what was known at a time: no later bar, open interest or margin tier."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from _helpers.history_files import START, bars, count, perp
from liqmap._base.errors import NotFoundError
from liqmap._base.timestamps import iso, parse_instant
from liqmap.history import open_store
from liqmap.history.queries import FOREVER
from liqmap.venues import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"
MINUTE = 60_000_000
T0 = START * 1000


def series(store: Store, until: int | None = None) -> list[np.ndarray]:
    found = store.market_bars(BTC, until=until)
    return [getattr(found, n) for n in ("ts", "open", "high", "low", "close", "taker_net_base", "oi_base", "oi_age_us")]


def test_a_read_as_of_an_earlier_time_is_a_prefix_of_a_later_one(store: Store, shared: Path) -> None:
    store.load(shared / "data" / "binance_btcusdt_perp_5m_20260525_20260614.csv", instrument=BTC)
    whole = series(store)
    rng = random.Random(6)
    for _ in range(20):
        until = int(rng.choice(whole[0][1:])) + rng.randrange(300) * 1_000_000
        known = int((whole[0] + 300_000_000 <= until).sum())
        for early, late in zip(series(store, until), whole, strict=True):
            np.testing.assert_array_equal(early, late[:known])


@pytest.mark.parametrize("rows", [2, 700, 5_000])
def test_bars_do_not_depend_on_later_rows(write: Write, shared: Path, rows: int) -> None:
    lines = (shared / "data" / "binance_btcusdt_perp_5m_20260525_20260614.csv").read_text().splitlines(keepends=True)
    with open_store(":memory:", "w") as earlier:
        earlier.load(write("early.csv", "".join(lines[: rows + 1])), instrument=BTC)
        early = series(earlier)
        earlier.load(write("late.csv", lines[0] + "".join(lines[rows + 1 :])), instrument=BTC)
        later = series(earlier)  # the second load clears cached results
    assert len(later[0]) == len(lines) - 1
    for before, after in zip(early, later, strict=True):
        # The open interest at the end of the last bar is in the next row, which the first file does not contain.
        np.testing.assert_array_equal(before[:-1], after[: rows - 1])


def test_open_interest_is_the_latest_reading_at_the_end_of_the_bar(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(6)), instrument=BTC)
    # At the start of the first bar, within the second, at its end, and long after all bars.
    readings = [(0, 10), (450, 11), (600, 12), (601, 13), (99_999, 14)]
    text = "ts,oi_base,oi_usd\n" + "".join(f"{START + s * 1000},{oi},\n" for s, oi in readings)
    store.load(write("oi.csv", text), instrument=BTC)
    found = store.market_bars(BTC)
    assert found.oi_base.tolist() == [10, 12, 13, 13, 13, 13]
    assert (found.oi_age_us / 1e6).tolist() == [300, 0, 299, 599, 899, 1199]
    assert store.market_bars(BTC, until=T0 + 600_000_000).oi_base.tolist() == [10, 12]


def test_open_interest_in_usd_is_converted_at_the_price_of_its_own_time(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(4)), instrument=BTC)
    text = "ts,oi_base,oi_usd\n" + "".join(f"{START + s * 1000},,7000000000\n" for s in (0, 300, 900))
    store.load(write("oi.csv", text), instrument=BTC)
    found = store.market_bars(BTC)
    close = found.close
    assert found.oi_base.tolist() == pytest.approx([7e9 / close[0], 7e9 / close[0], 7e9 / close[2], 7e9 / close[2]])


def test_missing_open_interest_is_nan_and_not_zero(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(3)), instrument=BTC)
    found = store.market_bars(BTC)
    assert np.isnan(found.oi_base).all()
    assert found.oi_age_us.tolist() == [-1, -1, -1]
    assert np.isnan(found.volume_base).all()
    assert {found.ts.dtype, found.oi_age_us.dtype} == {np.dtype(np.int64)}
    assert {found.open.dtype, found.volume_base.dtype} == {np.dtype(np.float64)}


def test_the_most_current_series_then_the_preferred_price_source_is_chosen(store: Store, write: Write) -> None:
    def put(source: str, rows: int, *, step: int = 300_000, start: int = START) -> None:
        columns = {"price_source": {"constant": source}}
        store.load(
            write(f"{source}{step}.csv", bars(rows, step=step, start=start)),
            table="bars",
            instrument=BTC,
            columns=columns,
        )

    put("spot", 12, step=3_600_000, start=START - 12 * 3_600_000)
    assert store.market_bars(BTC).price_source == "spot"
    put("mark", 50)
    put("last", 40)
    put("last", 100, step=60_000)
    assert store.market_bars(BTC).price_source == "mark"
    put("last", 49)
    both = store.market_bars(BTC)
    assert (both.price_source, both.interval_s) == ("last", 300)
    assert store.market_bars(BTC, price_source="spot").interval_s == 3600
    assert store.market_bars(BTC, interval_s=60).price_source == "last"
    assert store.market_bars(BTC, until=T0).price_source == "spot"
    with pytest.raises(NotFoundError):
        store.market_bars(BTC, interval_s=7)


def test_errors_for_missing_data_list_the_available_data(store: Store, write: Write) -> None:
    with pytest.raises(NotFoundError, match="none yet"):
        store.instrument(BTC)
    store.load(write("b.csv", bars(3)), instrument=BTC)
    with pytest.raises(NotFoundError, match=BTC):
        store.market_bars("bybit:BTCUSDT")
    with pytest.raises(NotFoundError, match=iso(T0 + 300_000_000)):
        store.market_bars(BTC, until=T0)
    store.load(write("oi.csv", f"ts,oi_base\n{START},1\n"), instrument="bybit:BTCUSDT")
    with pytest.raises(NotFoundError, match="no bars"):
        store.market_bars("bybit:BTCUSDT")


def test_the_tier_table_in_force_is_used(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(3)), instrument=BTC)
    header = "valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source\n"
    older = header + "2026-01-01,1,0,1000,50,0.01,0,old\n2026-01-01,2,1000,,25,0.02,10,old\n"
    store.load(write("t.csv", older), instrument=BTC, table="margin_tiers")
    at = parse_instant("2026-06-01")
    assert [t.source for t in store.tiers(BTC, at)] == ["old", "old"]
    assert store.tiers(BTC, at)[1].notional_cap is None
    assert len(store.tiers(BTC, parse_instant("2026-10-01"))) == 12
    before = store.tiers(BTC, parse_instant("2020-01-01"))
    assert {t.valid_from for t in before} == {parse_instant("2026-01-01")}


def test_a_write_clears_the_query_cache(store: Store, write: Write) -> None:
    asked: list[str] = []

    def names(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
        asked.append(kind)
        rows = connection.execute("SELECT instrument FROM instruments WHERE kind = $1 ORDER BY 1", [kind]).fetchall()
        return [str(row[0]) for row in rows]

    assert store.cached_query(names, "perpetual") == store.cached_query(names, "perpetual") == []
    store.load(write("b.csv", bars(3)), instrument=BTC)
    assert store.cached_query(names, "perpetual") == [BTC]
    assert asked == ["perpetual", "perpetual"]
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        connection.execute("DELETE FROM instruments")
        assert store.cached_query(names, "perpetual") == []
        raise ZeroDivisionError
    assert store.cached_query(names, "perpetual") == [BTC]


def test_of_two_current_series_the_one_with_more_bars_is_chosen(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(30)), instrument=BTC)
    hour = "ts,open,high,low,close\n" + "".join(f"{START + i * 3_600_000},1,2,1,2\n" for i in range(3))
    store.load(write("h.csv", hour), instrument=BTC)
    assert store.market_bars(BTC, until=T0 + 3_600_000_000).interval_s == 300
    # Later than two of its bars, the series of short bars is not current any more.
    assert store.market_bars(BTC, until=T0 + 3 * 3_600_000_000).interval_s == 3600


def test_only_liquidations_whose_window_has_ended_are_returned(store: Store, write: Write) -> None:
    header = "ts,window_s,side,usd,feed\n"
    lines = [f"{START + i * 1_800_000},1800,{side},{i},aggregate" for i in range(4) for side in ("long", "short")]
    store.load(write("l.csv", header + "\n".join(lines) + "\n"), instrument="coinglass:BTC")
    found = store.liquidations("coinglass:BTC", T0, T0 + 2 * 1_800_000_000 + 1)
    assert found.usd.tolist() == [0, 0, 1, 1]
    assert found.long.tolist() == [True, False, True, False]
    assert np.isnan(found.price).all()


def test_all_liquidations_at_one_time_are_stored(store: Store, write: Write) -> None:
    header = "ts,window_s,side,price,size_base,usd,feed\n"
    lines = [f"{START},0,long,{70_000 + i},1,{70_000 + i},complete" for i in range(3)]
    report = store.load(write("l.csv", header + "\n".join([*lines, lines[0]]) + "\n"), instrument=BTC)
    assert (report.tables[0].stored, report.tables[0].duplicates) == (3, 1)


def test_the_lineage_contains_the_hashes_of_the_source_files(store: Store, write: Write) -> None:
    first = store.load(write("a.csv", perp(10)), instrument=BTC)
    second = store.load(write("b.csv", perp(10, start=START + 3_000_000)), instrument=BTC)
    early = store.input_hashes(BTC, T0 + 3_000_000_000 - 1)
    assert early["bars"]["rows"] == 9  # type: ignore[index,call-overload]
    assert early["bars"]["sha256s"] == [first.sha256]  # type: ignore[index,call-overload]
    late = store.input_hashes(BTC, FOREVER // 2)
    assert set(late["bars"]["sha256s"]) == {first.sha256, second.sha256}  # type: ignore[index,call-overload,arg-type]
    assert json.loads(json.dumps(late)) == late


def test_coverage_reports_gaps_and_stale_runs(store: Store, write: Write) -> None:
    lines = bars(20).splitlines()
    del lines[5:8]
    store.load(write("b.csv", "\n".join(lines) + "\n"), instrument=BTC)
    frozen = [f"{START + i * 300_000},{1000 + (i if i < 8 or i > 14 else 8)}" for i in range(20) if i not in (3, 17)]
    store.load(write("oi.csv", "ts,oi_base\n" + "\n".join(frozen) + "\n"), instrument=BTC)
    hourly = [f"{START + 8 * 3_600_000 + i * 3_600_000},{2000 + i}" for i in range(5)]
    store.load(write("oi2.csv", "ts,oi_base\n" + "\n".join(hourly) + "\n"), instrument=BTC)
    by_table = {s.table: s for s in store.coverage(BTC).spans}
    assert [(g.missing, (g.start - T0) // MINUTE, (g.end - T0) // MINUTE) for g in by_table["bars"].gaps] == [
        (3, 20, 35)
    ]
    oi = by_table["open_interest"]
    # Two single readings, then the hours between two files with different steps, counted in the longer step.
    assert [g.missing for g in oi.gaps] == [1, 1, 5]
    assert [(r.rows, (r.start - T0) // MINUTE, (r.end - T0) // MINUTE) for r in oi.stale] == [(7, 40, 70)]
    assert store.coverage(BTC, stale_after=8).spans[1].stale == ()
    plain = store.coverage().to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    text = "\n".join(store.coverage().lines)
    assert "3 missing" in text
    assert "7 equal readings" in text


def test_coverage_reports_the_gaps_of_real_files(store: Store, shared: Path) -> None:
    store.load(shared / "data" / "btc_1h_20251204_20260131.csv", instrument=BTC)
    gaps = [iso(g.start) for s in store.coverage(BTC).spans if s.table == "bars" for g in s.gaps]
    assert gaps == ["2025-12-27T18:00:00Z", "2026-01-14T21:00:00Z"]


def test_the_catalogue_agrees_with_the_recorded_tables(shared: Path) -> None:
    tables = json.loads((shared / "vectors" / "margin_tiers.json").read_text())

    def ours(name: str) -> list[tuple[float, float | None, float, float, float]]:
        entry = catalogue.find_entry(name)
        assert entry is not None
        return [(t.notional_floor, t.notional_cap, t.max_leverage, t.mmr, t.deduction) for t in entry.tiers]

    for name, key in ((BTC, "BTC/USDT:USDT"), ("binance:BTCUSDT_261225", "BTC/USDT:USDT-261225")):
        recorded = tables["binance_usdm"][key]
        wanted = [
            (r["notionalFloor"], r["notionalCap"], r["initialLeverage"], r["maintMarginRatio"], r["cum"])
            for r in recorded
        ]
        np.testing.assert_allclose(np.array(ours(name), dtype=float), wanted, rtol=1e-12)
    bybit = tables["bybit_BTCUSDT_undated_webpage"]
    assert [t[4] for t in ours("bybit:BTCUSDT")] == pytest.approx([r["mmDeduction"] for r in bybit])
    hyper = tables["hyperliquid_BTC_2026-09-25"]
    assert [t[4] for t in ours("hyperliquid:BTC")] == pytest.approx([r["deduction"] for r in hyper])
    assert [t[2:4] for t in ours("okx:BTC-USDT-SWAP")] == [(100.0, 0.004)]


def test_the_catalogue_is_copied_by_the_first_load_and_changes_no_rows(store: Store, write: Write) -> None:
    assert {"binance:BTCUSDT", "okx:BTC-USD-SWAP", "bybit:BTCUSD", "hyperliquid:BTC", "sim:BTCUSDT"} <= set(
        catalogue.instrument_names()
    )
    row = "instrument,kind,payoff,base,quote,settle,contract_size,tick_size,expiry\n"
    store.load(write("i.csv", f"{row}{BTC},perpetual,linear,BTC,USDT,USDT,1,0.5,\n"))
    store.load(write("b.csv", bars(3)), instrument=BTC)
    assert store.instrument(BTC).tick_size == 0.5
    assert count(store, "margin_tiers") == 12
    store.load(write("c.csv", bars(3)), instrument="sim:BTCUSDT")
    assert store.instrument("sim:BTCUSDT").simulated
    assert [t.mmr for t in store.tiers("sim:BTCUSDT", T0)] == [t.mmr for t in store.tiers(BTC, T0)]
