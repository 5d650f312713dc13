"""Small API responses of venues, and contracts that the catalogue does not contain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap.history import Store

CONTRACTS = """instrument,kind,payoff,base,quote,settle,contract_size,tick_size,expiry
okx:ETH-USD-210430,dated,inverse,ETH,USD,ETH,10,0.01,2021-04-30T08:00Z
binance:BTCUSD_201225,dated,inverse,BTC,USD,BTC,100,0.1,2020-12-25T08:00Z
bybit:SOLUSDT,perpetual,linear,SOL,USDT,USDT,1,0.001,
hyperliquid:HYPE,perpetual,linear,HYPE,USD,USDC,1,0.0001,
hyperliquid:ETH,perpetual,linear,ETH,USD,USDC,1,0.01,
"""
TIER_COLUMNS = "instrument,valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source"


def load_contracts(store: Store, folder: Path, *tiers: str) -> None:
    """Load the contracts, and margin tiers if given."""
    file = folder / "contracts.csv"
    file.write_text(CONTRACTS)
    store.load(file, table="instruments")
    if tiers:
        file = folder / "tiers.csv"
        file.write_text("\n".join([TIER_COLUMNS, *tiers]) + "\n")
        store.load(file, table="margin_tiers")


def stored_positions(store: Store, columns: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
    """Rows of the table ``positions``."""
    with store.reading() as connection:
        return connection.execute(f"SELECT {columns} FROM positions WHERE {where} ORDER BY ALL").fetchall()


def write_json(folder: Path, value: Any, name: str = "answer.json") -> Path:
    """Write a JSON file."""
    file = folder / name
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


def clearinghouse_state(
    *positions: dict[str, Any], time: int | None = 1_768_397_010_203, **more: Any
) -> dict[str, Any]:
    """Hyperliquid's ``clearinghouseState``."""
    payload = {
        "crossMarginSummary": {"accountValue": "1000.0"},
        "crossMaintenanceMarginUsed": "100.0",
        "assetPositions": [{"type": "oneWay", "position": item} for item in positions],
        **more,
    }
    return payload if time is None else {**payload, "time": time}


def hyperliquid_position(coin: str = "BTC", size: str = "0.1", **more: Any) -> dict[str, Any]:
    """A position of Hyperliquid's ``clearinghouseState``."""
    return {
        "coin": coin,
        "szi": size,
        "leverage": {"type": "cross", "value": 20},
        "entryPx": "95000",
        "positionValue": "9500",
        "liquidationPx": "87000.5",
    } | more


def binance_position_risk(**more: Any) -> dict[str, Any]:
    """Return a row of Binance's ``positionRisk``."""
    return {
        "symbol": "BTCUSDT",
        "positionAmt": "0.5",
        "entryPrice": "65000",
        "markPrice": "65100",
        "liquidationPrice": "60000",
        "leverage": "20",
        "marginType": "isolated",
        "isolatedWallet": "1625",
        "positionSide": "BOTH",
        "notional": "32550",
        "updateTime": 1_780_000_000_000,
    } | more
