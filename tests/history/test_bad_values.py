"""Invalid values: the error names the field, the value and the valid values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from _helpers.history_files import START, bars, count
from liqmap._base.errors import InputError, LiqmapError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from liqmap.history import Store

    Write = Callable[[str, str | bytes], Path]

BTC = "binance:BTCUSDT"
BARS = "ts,interval_s,open,high,low,close,volume_base,taker_buy_base"
POSITIONS = "ts,account,side,size_base,entry_price,leverage,margin_mode,margin,liquidation_price,source"
LIQUIDATIONS = "ts,window_s,side,price,size_base,usd,feed"
TIERS = "valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source"
INSTRUMENTS = "instrument,kind,payoff,base,quote,settle,contract_size,tick_size,expiry"


@pytest.mark.parametrize(
    ("header", "row", "field"),
    [
        (BARS, "{t},60,10,9,8,10,1,1", "high"),
        (BARS, "{t},60,10,12,11,11,1,1", "low"),
        (BARS, "{t},60,10,12,9,13,1,1", "high"),
        (BARS, "{t},60,10,9,11,10,1,1", "high"),
        (BARS, "{t},60,10,12,9,,1,1", "close"),
        (BARS, "{t},60,10,12,9,11,-1,1", "volume_base"),
        (BARS, "{t},60,10,12,9,11,1,2", "taker_buy_base"),
        (BARS, "{t},0,10,12,9,11,1,1", "interval_s"),
        (BARS, "{t},1.5,10,12,9,11,1,1", "interval_s"),
        (BARS, "{t},-60,10,12,9,11,1,1", "interval_s"),
        (BARS, ",60,10,12,9,11,1,1", "ts"),
        ("ts,oi_base,oi_usd", "{t},-1,", "oi_base"),
        ("ts,oi_base,oi_usd", "{t},nan,", "oi_base"),
        ("ts,rate,interval_h", "{t},1.5,8", "rate"),
        ("ts,rate,interval_h", "{t},0.0001,0", "interval_h"),
        ("ts,rate,interval_h", "{t},0.0001,", "interval_h"),
        (LIQUIDATIONS, "{t},0,buy,10,1,10,complete", "side"),
        (LIQUIDATIONS, "{t},0,long,10,1,-10,complete", "usd"),
        (LIQUIDATIONS, "{t},0,long,10,1,10,full", "feed"),
        (LIQUIDATIONS, "{t},0,,10,1,10,complete", "side"),
        (POSITIONS, "{t},a,long,0,100,10,cross,,,desk", "size_base"),
        (POSITIONS, "{t},a,long,-1,100,10,cross,,,desk", "size_base"),
        (POSITIONS, "{t},a,long,1,0,10,cross,,,desk", "entry_price"),
        (POSITIONS, "{t},a,long,1,100,0,cross,,,desk", "leverage"),
        (POSITIONS, "{t},a,long,1,100,10,hedged,,,desk", "margin_mode"),
        (POSITIONS, "{t},a,long,1,100,10,cross,,0,desk", "liquidation_price"),
        (POSITIONS, "{t},,long,1,100,10,cross,,,desk", "account"),
        (TIERS, "{t},1,0,1000,100,-0.1,0,x", "mmr"),
        (TIERS, "{t},1,0,1000,100,1.5,0,x", "mmr"),
        (TIERS, "{t},1,1000,1000,100,0.01,0,x", "notional_cap"),
        (TIERS, "{t},1,0,1000,100,0.01,0,", "source"),
        (INSTRUMENTS, "x:A,perpetual,linear,A,USD,USD,0,1,", "contract_size"),
        (INSTRUMENTS, "x:A,perpetual,linear,A,USD,USD,,1,", "contract_size"),
        (INSTRUMENTS, "x:A,perpetual,linear,A,USD,USD,,,", "contract_size"),
        (POSITIONS, "{t},a,long,,,,cross,,,desk", "size_base"),
        (INSTRUMENTS, "x:A,perpetual,linear,A,USD,USD,1,-1,", "tick_size"),
        (INSTRUMENTS, "x:A,swap,linear,A,USD,USD,1,1,", "kind"),
        (INSTRUMENTS, "x:A,dated,linear,A,USD,USD,1,1,", "expiry"),
    ],
)
def test_an_invalid_row_is_rejected(store: Store, write: Write, header: str, row: str, field: str) -> None:
    file = write("f.csv", f"{header}\n{row.format(t=START)}\n")
    instrument = None if header == INSTRUMENTS else BTC
    with pytest.raises(InputError) as caught:
        store.load(file, instrument=instrument)
    assert (caught.value.row, caught.value.field) == (2, field)
    for table in ("bars", "open_interest", "funding", "liquidations", "positions", "loads"):
        assert count(store, table) == 0


def test_open_interest_in_coin_and_usd_must_agree_with_the_price(store: Store, write: Write) -> None:
    store.load(write("b.csv", bars(10)), instrument=BTC)
    good = write("good.csv", f"ts,oi_base,oi_usd\n{START + 600_000},100000,7000000000\n")
    assert store.load(good, instrument=BTC).stored == 1
    # A number of contracts of 0.01 coin in a field for coin.
    bad = write("bad.csv", f"ts,oi_base,oi_usd\n{START + 900_000},10000000,7000000000\n")
    with pytest.raises(InputError) as caught:
        store.load(bad, instrument=BTC)
    assert (caught.value.row, caught.value.field, caught.value.found) == (2, "oi_usd", "'7000000000'")
    assert "within 5%" in caught.value.expected


@pytest.mark.parametrize(("factor", "fits"), [(0.96, True), (1.04, True), (0.94, False), (1.06, False)])
def test_open_interest_may_differ_by_five_percent(store: Store, write: Write, factor: float, fits: bool) -> None:
    store.load(write("b.csv", bars(10)), instrument=BTC)
    file = write("oi.csv", f"ts,oi_base,oi_usd\n{START + 600_000},100,{100 * 70_002 * factor}\n")
    if fits:
        assert store.load(file, instrument=BTC).stored == 1
    else:
        with pytest.raises(InputError, match="oi_usd"):
            store.load(file, instrument=BTC)


def test_open_interest_without_a_price_is_stored_with_a_note(store: Store, write: Write) -> None:
    report = store.load(write("oi.csv", f"ts,oi_base,oi_usd\n{START},100,7000000\n"), instrument=BTC)
    assert report.stored == 1
    assert "no price" in report.notes[0]


def test_rows_of_another_instrument_than_the_requested_one_are_rejected(store: Store, write: Write) -> None:
    file = write("oi.csv", f"instrument,ts,oi_base\n{BTC},{START},1\nbybit:BTCUSDT,{START},1\n")
    with pytest.raises(InputError) as caught:
        store.load(file, instrument=BTC)
    assert (caught.value.row, caught.value.field) == (3, "instrument")
    assert store.load(file).stored == 2


@pytest.mark.parametrize(
    "name", ["BTCUSDT", ":X", "bin ance:X", "binance:", "x'); DROP TABLE bars; --", "binance:" + "X" * 300]
)
def test_fault_68_hostile_instrument_names_are_rejected(store: Store, write: Write, name: str) -> None:
    with pytest.raises(LiqmapError) as caught:
        store.load(write("b.csv", bars(3)), instrument=name)
    assert "\n" not in str(caught.value)
    assert count(store, "bars") == 0


def test_fault_18_instrument_names_can_have_any_script(store: Store, write: Write) -> None:
    rows = "binance:币安人生USDT,perpetual,linear,币安人生,USDT,USDT,1,0.0001,"
    store.load(write("i.csv", f"{INSTRUMENTS}\n{rows}\nx:it's; DROP TABLE bars,perpetual,linear,A,USD,USD,1,1,\n"))
    for name in ("binance:币安人生USDT", "x:it's; DROP TABLE bars"):
        store.load(write("b.csv", bars(3)), instrument=name)
        assert len(store.market_bars(name)) == 3
        assert store.instrument(name).symbol == name.partition(":")[2]


def test_a_defined_instrument_can_be_loaded(store: Store, write: Write) -> None:
    row = "kraken:PF_XBTUSD,perpetual,linear,BTC,USD,USD,1,1,"
    store.load(write("i.csv", f"{INSTRUMENTS}\n{row}\n"))
    store.load(write("b.csv", bars(3)), instrument="kraken:PF_XBTUSD")
    assert store.instrument("kraken:PF_XBTUSD").tick_size == 1.0
    with pytest.raises(LiqmapError, match="margin"):
        store.tiers("kraken:PF_XBTUSD", at=START * 1000)


@pytest.mark.parametrize("spacing", [1, 60_000, 3_600_000])
def test_the_bar_length_is_inferred_from_the_spacing(store: Store, write: Write, spacing: int) -> None:
    file = write("b.csv", bars(5, step=spacing))
    if spacing < 1000:
        with pytest.raises(InputError, match="interval_s"):
            store.load(file, instrument=BTC)
        return
    store.load(file, instrument=BTC)
    assert store.market_bars(BTC).interval_s == spacing // 1000


def test_a_single_bar_or_irregular_bars_need_an_explicit_length(store: Store, write: Write) -> None:
    with pytest.raises(InputError, match="one bar"):
        store.load(write("b.csv", bars(1)), instrument=BTC)
    odd = bars(5) + f"{START + 1_234_000},1,1,1,1\n"
    with pytest.raises(InputError, match="off the 300 s grid"):
        store.load(write("b.csv", odd), instrument=BTC)
    assert store.load(write("b.csv", odd), table="bars", instrument=BTC, columns={"interval_s": 300}).stored == 6
