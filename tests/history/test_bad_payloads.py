"""Invalid and incomplete venue JSON gives a one-line error, and nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _helpers.history_files import fingerprint
from _helpers.venue_payloads import (
    binance_position_risk,
    clearinghouse_state,
    hyperliquid_position,
    stored_positions,
    write_json,
)
from liqmap import InputError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import Store


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "an empty file"),
        ("ts,open\n1,2\n", "not json"),
        ('{"a": 1', "Expecting"),
        ('{"a": NaN}', "NaN, which is not JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' is repeated"),
        ("[" * 100_000, "too many nested brackets"),
        ('{"a": 1}\n{"a": 2}', "Extra data"),
        ("[]", "a list without items"),
        ('{"account": "\\ud800", "payload": {}}', "surrogates not allowed"),
        ({"code": "50111", "msg": "Invalid key", "data": []}, "the venue's error 50111: Invalid key"),
        ({"retCode": 10003, "retMsg": "API key is invalid."}, "the venue's error 10003"),
        ({"code": "0", "msg": "", "data": [{"asks": [], "bids": []}]}, "an object with code, data, msg"),
        (clearinghouse_state(hyperliquid_position(), time=None), "no time"),
        ({"account": "b", "payload": clearinghouse_state(hyperliquid_position())}, "its own account"),
        ({"generated_at_unix": 1780000000, "accounts": [{"a": 1, "p": [[1, 2]]}]}, "an object with accounts"),
    ],
)  # fmt: skip
def test_fault_9_the_error_describes_an_unknown_document(
    store: Store, tmp_path: Path, value: Any, message: str
) -> None:
    before = fingerprint(store)
    with pytest.raises(InputError) as error:
        store.load(write_json(tmp_path, value), account="desk")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert fingerprint(store) == before


def test_account_and_time_must_be_given_exactly_once(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"assetPositions\[0\].position: no account .*--account"):
        store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position())))
    with pytest.raises(InputError, match="its own time 1768397010203"):
        store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position())), account="a", at="2026-01-01")
    with pytest.raises(InputError, match="changed at 2026-05-28T20:26:40Z, after the snapshot"):
        store.load(write_json(tmp_path, [binance_position_risk()]), account="a", at="2026-05-01")
    with pytest.raises(InputError, match="the file's own columns"):
        store.load(write_json(tmp_path, "ts\n1\n", "a.csv"), table="positions", account="a")
    with pytest.raises(InputError, match="rows for positions"):
        store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position())), table="bars", account="a")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"entryPrice": "0.0"}, "[0] entry_price: '0.0' (expected a finite price above 0)"),
        ({"entryPrice": "-5"}, "[0] entry_price: '-5' (expected a finite price above 0)"),
        ({"entryPrice": "999999"}, "[0] entry_price: '999999' (expected a price, not a venue's code for no price)"),
        ({"entryPrice": "0.0001"}, "a price, not a venue's code for no price"),
        ({"entryPrice": None}, "[0] entry_price: blank"),
        ({"positionAmt": "?"}, "[0] size_base: '?'"),
        ({"positionAmt": "-0.5", "positionSide": "LONG"}, "[0] size_base: '-0.5'"),
        ({"positionAmt": "0.5", "positionSide": "SHORT"}, "[0] size_base: '-0.5'"),
        ({"positionSide": "UP"}, "[0] side: 'UP'"),
        ({"liquidationPrice": "-1"}, "[0] liquidation_price: '-1'"),
        ({"liquidationPrice": "1e999"}, "[0] liquidation_price: '1e999'"),
        ({"leverage": "0"}, "[0] leverage: '0'"),
    ],
)
def test_fault_51_the_error_for_an_invalid_row_names_its_path(
    store: Store, tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    file = write_json(tmp_path, [binance_position_risk(**row), binance_position_risk(symbol="BTCUSDT_261225")])
    with pytest.raises(InputError) as error:
        store.load(file, account="desk", at="2026-09-01")
    assert f"{file}:1, [0] " in str(error.value)
    assert message in str(error.value)
    report = store.load(file, account="desk", at="2026-09-01", allow_rejects=1)
    assert (report.stored, len(report.rejects), report.rejects[0].row) == (1, 1, 1)
    assert stored_positions(store, "instrument") == [("binance:BTCUSDT_261225",)]


def test_a_contract_of_unknown_size_is_an_error(store: Store, tmp_path: Path, shared: Path) -> None:
    with pytest.raises(NotFoundError, match=r"unknown instrument 'okx:ETH-USD-210430'.*contract_size"):
        store.load(shared / "api_samples/okx/account_positions.json", account="desk")
    with pytest.raises(NotFoundError, match="unknown instrument 'hyperliquid:WIF'"):
        store.load(
            write_json(tmp_path, clearinghouse_state(hyperliquid_position("WIF"))),
            account="desk",
            instrument="hyperliquid:WIF",
        )
    assert stored_positions(store) == []


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\n"])
def test_hostile_text_is_rejected_as_account_and_coin(store: Store, tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="printable text"):
        store.load(
            write_json(tmp_path, {"account": f"a{text}b", "payload": clearinghouse_state(hyperliquid_position())})
        )
    report = store.load(write_json(tmp_path, clearinghouse_state(hyperliquid_position(f"BTC{text}x"))), account="desk")
    assert (report.stored, report.tables[0].left_out) == (0, 1)
    with pytest.raises(InputError, match="venue:SYMBOL"):
        store.load(write_json(tmp_path, [binance_position_risk(symbol=f"BTC{text}x")]), account="desk", at="2026-09-01")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("65000,,999999", "liquidation_price: '999999' (expected a price, or blank for no price)"),
        ("65000,,0", "liquidation_price: '0' (expected a finite price above 0)"),
        ("999999,,", "entry_price: '999999' (expected a price, not a venue's code for no price)"),
        ("65000,none,60000", "liquidation: 'none' (expected no liquidation_price with 'none')"),
        ("65000,reported,", "liquidation: 'reported' (expected a liquidation_price with 'reported')"),
    ],
)
def test_fault_51_a_code_for_no_price_is_rejected_in_a_user_s_own_file(
    store: Store, tmp_path: Path, cells: str, message: str
) -> None:
    head = "ts,account,side,size_base,margin_mode,source,entry_price,liquidation,liquidation_price"
    file = write_json(tmp_path, f"{head}\n1780000000000,a,long,0.5,cross,desk,{cells}\n", "book.csv")
    with pytest.raises(InputError) as error:
        store.load(file, table="positions", instrument="binance:BTCUSDT")
    assert message in str(error.value)
