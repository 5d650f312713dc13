"""From a venue's answer through the history to a price: the formula meets what the venue reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from _helpers.venue_payloads import (
    binance_position_risk,
    clearinghouse_state,
    hyperliquid_position,
    load_contracts,
    stored_positions,
    write_json,
)
from liqmap._base import timestamps
from liqmap.history import open_store
from liqmap.positions.observed import read_observed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from liqmap.history import Store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:", "w") as store:
        yield store


@pytest.mark.parametrize(
    ("sample", "at", "tier", "count"),
    [
        (
            "okx/account_positions_BTC-USD-SWAP_live_2026-01.json",
            "2026-01-20T09:10Z",
            "okx:BTC-USD-SWAP,2020-01-01,1,0,,100,0.004,0,test",
            2,
        ),
        ("okx/account_positions.json", None, "okx:ETH-USD-210430,2020-01-01,1,0,,75,0.008,0,test", 1),
        ("bybit/ws_position_wallet_sol.json", "2025-10-02", "bybit:SOLUSDT,2020-01-01,1,0,,100,0.005,0,test", 1),
        (
            "hyperliquid/clearinghouseState_isolated_2025-08.json",
            None,
            "hyperliquid:HYPE,2020-01-01,1,0,,10,0.05,0,test",
            1,
        ),
        (
            "hyperliquid/clearinghouseState_16pos_2026-01-14.json",
            None,
            "hyperliquid:BTC,2020-01-01,1,0,,40,0.0125,0,test",
            1,
        ),
    ],
)
def test_the_formula_on_what_was_stored_is_the_reported_price(
    store: Store, tmp_path: Path, shared: Path, sample: str, at: str | None, tier: str, count: int
) -> None:
    load_contracts(store, tmp_path, tier)
    store.load(shared / "api_samples" / sample, account="desk", at=at)
    (taken,) = stored_positions(store, "max(ts)")
    seen = read_observed(store, tier.split(",", 1)[0], taken[0])
    assert seen is not None
    assert len(seen) == count
    assert seen.reported.all()
    assert seen.formula_price == pytest.approx(seen.price, rel=1e-6)
    assert not seen.differs.any()
    assert not seen.due.any()
    assert seen.mark_price is not None


def test_observed_accounts_of_the_excerpt(store: Store, shared: Path) -> None:
    store.load(shared / "data/positions/xyz1367487_accounts_excerpt.json")
    seen = read_observed(store, "hyperliquid:BTC", timestamps.parse_instant("2026-10-04"))
    assert seen is not None
    assert (len(seen), seen.mark_price) == (3, pytest.approx(84_721))
    assert float((seen.size_base * seen.entry_price).sum()) == pytest.approx(463_492, rel=1e-3)
    assert np.isfinite(seen.price).sum() == 1
    assert seen.notes[0].startswith("3 positions of 3 accounts observed (3 from hyperliquid snapshot)")
    assert "2 of 3 observed have no liquidation price" in seen.notes


def test_both_legs_of_binance_s_hedge_share_a_price(store: Store, tmp_path: Path) -> None:
    legs = [
        binance_position_risk(positionSide="LONG", marginType="cross", liquidationPrice="0"),
        binance_position_risk(
            positionSide="SHORT", marginType="cross", liquidationPrice="0", positionAmt="-0.1", entryPrice="66000"
        ),
    ]
    store.load(write_json(tmp_path, legs), account="desk", at="2026-10-01")
    with store.transaction() as connection:
        connection.execute("UPDATE positions SET margin = 3000")  # the wallet, which positionRisk does not tell
    seen = read_observed(store, "binance:BTCUSDT", timestamps.parse_instant("2026-10-01"))
    assert seen is not None
    assert seen.formula_price[0] == pytest.approx(seen.formula_price[1], rel=1e-12)
    # Equity 3000 + 0.5·(L − 65000) − 0.1·(L − 66000) meets 0.4 % of both legs' notional.
    assert seen.formula_price[0] == pytest.approx((0.5 * 65_000 - 0.1 * 66_000 - 3000) / (0.4 - 0.6 * 0.004), rel=1e-9)


def test_an_account_that_was_seen_without_positions_has_closed_them(store: Store, tmp_path: Path) -> None:
    load_contracts(store, tmp_path)
    first, hour = 1_790_000_000_000, 3_600_000
    store.load(
        write_json(tmp_path, clearinghouse_state(hyperliquid_position(), hyperliquid_position("ETH"), time=first)),
        account="a",
    )
    store.load(
        write_json(tmp_path, clearinghouse_state(hyperliquid_position("ETH"), time=first + hour)),
        account="a",
        instrument="hyperliquid:ETH",
    )

    def count(name: str, at: int) -> int:
        seen = read_observed(store, f"hyperliquid:{name}", at * 1000)
        return 0 if seen is None else len(seen)

    assert (count("BTC", first + hour), count("ETH", first + hour)) == (1, 1)
    store.load(
        write_json(tmp_path, clearinghouse_state(hyperliquid_position("ETH"), time=first + 2 * hour)), account="a"
    )
    assert (count("BTC", first + 2 * hour), count("ETH", first + 2 * hour)) == (0, 1)
    report = store.load(write_json(tmp_path, clearinghouse_state(time=first + 3 * hour)), account="a")
    assert (report.stored, report.tables[0].read, report.tables[0].left_out) == (0, 1, 1)
    assert (count("BTC", first + 3 * hour), count("ETH", first + 3 * hour)) == (0, 0)
    assert (count("BTC", first + hour), count("ETH", first + 2 * hour)) == (1, 1)
