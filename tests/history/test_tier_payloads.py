"""Margin tiers from venue JSON: dated contiguous tables, rates as fractions, contracts as coin or face value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _helpers.venue_payloads import write_json
from liqmap import InputError
from liqmap._base import timestamps
from liqmap.venues import catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import Store
    from liqmap.history.queries import Tier

AT = "2026-10-05T00:00Z"
LATER = timestamps.parse_instant("2026-10-06")


def numbers(tiers: list[Tier]) -> list[tuple[Any, ...]]:
    return [(t.tier, t.notional_floor, t.notional_cap, t.max_leverage, t.mmr, round(t.deduction, 6)) for t in tiers]


def test_binance_brackets_equal_the_catalogue_under_their_new_date(store: Store, shared: Path) -> None:
    report = store.load(shared / "api_samples/binance/usdm_leverageBracket_BTC_live_2026-09.json", at=AT)
    assert (report.stored, report.tables[0].left_out, report.tables[0].read) == (28, 32, 60)
    for name in ("binance:BTCUSDT", "binance:BTCUSDT_261225"):
        entry = catalogue.find_entry(name)
        assert entry is not None
        found = store.tiers(name, LATER)
        assert numbers(found) == numbers(list(entry.tiers))
        assert {t.valid_from for t in found} == {timestamps.parse_instant(AT)}
        assert store.tiers(name, timestamps.parse_instant(AT) - 1)[0].source != found[0].source


def test_hyperliquid_maintenance_rate_is_half_the_initial_rate(store: Store, shared: Path) -> None:
    store.load(shared / "api_samples/hyperliquid/meta_marginTables_live_2026-09-25.json", at=AT)
    expected = [(1, 0.0, 150e6, 40.0, 0.0125, 0.0), (2, 150e6, None, 20.0, 0.025, 1_875_000.0)]
    assert numbers(store.tiers("hyperliquid:BTC", LATER)) == expected
    store.load(shared / "api_samples/hyperliquid/metaAndAssetCtxs.json", at="2023-10-01")
    assert numbers(store.tiers("hyperliquid:BTC", timestamps.parse_instant("2023-10-01"))) == [
        (1, 0.0, None, 50.0, 0.01, 0.0)
    ]


def test_bybit_rates_in_fractions_and_percent_are_distinguished_by_the_leverage(store: Store, shared: Path) -> None:
    store.load(shared / "api_samples/bybit/risk-limit.json")
    assert numbers(store.tiers("bybit:BTCUSD", LATER)) == [(1, 0.0, 150.0, 100.0, 0.005, 0.0)]
    page = shared / "api_samples/bybit/risk-limit_BTCUSDT_mainnet_webpage_undated.json"
    store.load(page, at=AT, instrument="bybit:BTCUSDT")
    entry = catalogue.find_entry("bybit:BTCUSDT")
    assert entry is not None
    assert numbers(store.tiers("bybit:BTCUSDT", LATER)) == numbers(list(entry.tiers))


def test_okx_tiers_in_contracts_need_the_instrument(store: Store, tmp_path: Path, shared: Path) -> None:
    sample = shared / "api_samples/okx/position-tiers_BTC_live_2026-09-25.json"
    with pytest.raises(InputError, match="an instrument in the call"):
        store.load(sample, at=AT)
    store.load(sample, at=AT, instrument="okx:BTC-USDT-SWAP")
    store.load(sample, at=AT, instrument="okx:BTC-USD_UM-261030")
    assert numbers(store.tiers("okx:BTC-USDT-SWAP", LATER)) == [(1, 0.0, 10.0, 100.0, 0.004, 0.0)]
    assert numbers(store.tiers("okx:BTC-USD_UM-261030", LATER)) == [(1, 0.0, 40.0, 20.0, 0.02, 0.0)]
    tier = {"instFamily": "BTC-USD", "tier": "1", "minSz": "0", "maxSz": "500", "mmr": "0.004", "maxLever": "100"}
    store.load(write_json(tmp_path, {"code": "0", "data": [tier]}), at=AT, instrument="okx:BTC-USD-SWAP")
    assert numbers(store.tiers("okx:BTC-USD-SWAP", LATER))[0][1:3] == (0.0, 50_000.0)


def test_the_tier_collection_equals_the_catalogue(store: Store, shared: Path) -> None:
    report = store.load(shared / "vectors/margin_tiers.json", table="margin_tiers", at=AT)
    assert report.tables[0].read == report.stored + report.tables[0].left_out == 82
    for name in report.tables[0].instruments:
        entry = catalogue.find_entry(name)
        assert entry is not None
        assert numbers(store.tiers(name, LATER)) == numbers(list(entry.tiers))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"notionalFloor": 400}, "brackets[1] notional_floor: 400 (expected 300, the end of the previous tier)"),
        ({"cum": 7}, "brackets[1] deduction: 7 (expected 0.3, computed from the previous tiers: a tier is missing)"),
        ({"maintMarginRatio": 1.5, "cum": 448.8}, "brackets[1] mmr: '1.5' (expected a fraction"),
        ({"maintMarginRatio": "x"}, "brackets[1] mmr: 'x' (expected a fraction"),
        ({"notionalCap": 200}, "brackets[1] notional_cap: '200' (expected a cap above the floor)"),
        ({"cum": None, "bracket": 4}, "brackets[1] tier: tier 4 after 1 (expected every tier)"),
    ],
)
def test_a_tier_table_with_a_gap_or_an_inconsistent_deduction_is_rejected(
    store: Store, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    def bracket(number: int, floor: float, cap: float, mmr: float, cum: float) -> dict[str, Any]:
        shape = {"bracket": number, "initialLeverage": 100, "notionalFloor": floor, "notionalCap": cap}
        return shape | {"maintMarginRatio": mmr, "cum": cum}

    rows = [bracket(1, 0, 300, 0.004, 0.0), bracket(2, 300, 800, 0.005, 0.3) | change]
    with pytest.raises(InputError) as error:
        store.load(write_json(tmp_path, [{"symbol": "BTCUSDT", "brackets": rows}]), at=AT)
    assert message in str(error.value)


def test_incomplete_or_undated_tier_tables_are_rejected(store: Store, shared: Path) -> None:
    with pytest.raises(InputError, match="tier 34 after 2"):
        store.load(shared / "api_samples/bybit/risk-limit_BTCUSDT_testnet_2026-09-17_abridged.json", at="2026-09-17")
    with pytest.raises(InputError, match="no time"):
        store.load(shared / "api_samples/binance/coinm_leverageBracket.json")
