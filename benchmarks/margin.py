"""Liquidation prices of mixed venues and tiers, Arrow to Arrow, beside a vectorised numpy version of the same rules."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import liqmap

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

# venue:symbol, inverse, by size, frozen maintenance, fee in maintenance, deductions count, unit of the tiers
CONTRACTS: tuple[tuple[str, bool, bool, bool, float, bool, float], ...] = (
    ("binance:BTCUSDT", False, False, False, 0.0, True, 3e5),
    ("binance:BTCUSDT_261225", False, False, False, 0.0, True, 5e4),
    ("binance:BTCUSD_PERP", True, False, False, 0.0, True, 5.0),
    ("okx:BTC-USDT-SWAP", False, True, False, 0.0005, False, 10.0),
    ("okx:BTC-USD-SWAP", True, True, False, 0.0005, False, 1e6),
    ("bybit:BTCUSDT", False, False, True, 0.0, True, 1e6),
    ("hyperliquid:BTC", False, False, False, 0.0, True, 5e6),
)
RATES = np.array([0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.15, 0.25, 0.5])
EDGES = np.array([0.0, 1, 2.5, 10, 40, 230, 330, 760, 1600, 2000, 2700, 4000])


def tier_table() -> pa.Table:
    n = len(RATES)
    return pa.table(
        {
            "instrument": [name for name, *_ in CONTRACTS for _ in range(n)],
            "tier": list(range(1, n + 1)) * len(CONTRACTS),
            "notional_floor": np.concatenate([EDGES * unit for *_, unit in CONTRACTS]),
            "mmr": np.tile(RATES, len(CONTRACTS)),
        }
    )


def positions(rows: int, seed: int = 7) -> pa.Table:
    """Every contract, both sides, sizes over all tiers, margins somewhat above the initial margin."""
    rng = np.random.default_rng(seed)
    contract = rng.integers(0, len(CONTRACTS), rows).astype(np.int32)
    entry = rng.uniform(55_000, 75_000, rows)
    size = np.exp(rng.normal(0.0, 2.0, rows))
    leverage = np.exp(rng.uniform(np.log(2), np.log(50), rows))
    notional = np.where(np.array([inverse for _, inverse, *_ in CONTRACTS])[contract], size, size * entry)
    margin = notional / leverage * rng.uniform(1.0, 1.2, rows)
    side = rng.integers(0, 2, rows).astype(np.int8)
    words = pa.array([name for name, *_ in CONTRACTS])
    return pa.table(
        {
            "instrument": pa.DictionaryArray.from_arrays(pa.array(contract), words),
            "side": pa.DictionaryArray.from_arrays(pa.array(side), pa.array(["long", "short"])),
            "size_base": size,
            "entry_price": entry,
            "margin": margin,
        }
    )


def numpy_prices(table: pa.Table) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The same rules, a whole column at a time."""
    contract = table["instrument"].combine_chunks().indices.to_numpy()
    short = table["side"].combine_chunks().indices.to_numpy() == 1
    size, entry, margin = (table[name].to_numpy() for name in ("size_base", "entry_price", "margin"))
    _, inverse, by_size, frozen, fee, deducts, unit = (np.array(column) for column in zip(*CONTRACTS, strict=True))
    inv, sized, cold = inverse[contract], by_size[contract], frozen[contract]
    with np.errstate(divide="ignore", invalid="ignore"):
        x0 = np.where(inv, 1 / entry, entry)
        q = np.where(inv, size * entry, size)
        k = np.where(short == inv, 1.0, -1.0) * q
        f = fee[contract]
        chain = np.cumsum(EDGES * np.diff(RATES, prepend=0.0))
        scale, keeps = unit[contract], deducts[contract]
        at = np.searchsorted(EDGES, np.where(sized, q, q * x0) / scale, side="right") - 1
        due = q * x0 * RATES[at] - chain[at] * scale
        x = x0 - (margin - due) / k
        a = margin - k * x0
        live = ~cold
        for _ in range(len(RATES)):
            c = np.where(keeps, chain[at] * scale, 0.0)
            x = np.where(live, -(a + c) / (k - q * (RATES[at] + f)), x)
            now = np.searchsorted(EDGES, np.where(sized, q, q * np.maximum(x, 0)) / scale, side="right") - 1
            if not (moved := live & (now != at)).any():
                break
            at = np.where(moved, now, at)
        bankrupt = x0 - margin / k
        price = np.where(x > 0, np.where(inv, 1 / x, x), np.nan)
        bust = np.where(bankrupt > 0, np.where(inv, 1 / bankrupt, bankrupt), np.nan)
    return price, bust


def best(run: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args(argv)
    table, tiers = positions(args.rows), tier_table()
    few = table.slice(0, min(args.rows, 2_000_000)).combine_chunks()
    words = table
    for i, name in enumerate(("instrument", "side")):
        words = words.set_column(i, name, table[name].cast(pa.string()))

    ours = pa.table(liqmap.liquidation_prices(few, tiers))
    price, bust = numpy_prices(few)
    for name, peer in (("liquidation_price", price), ("bankruptcy_price", bust)):
        np.testing.assert_allclose(ours[name].to_numpy(), peer, rtol=1e-9)

    print(f"{args.rows:,} positions of {len(CONTRACTS)} contracts, {len(RATES)} tiers each; best of {args.repeats}")
    print(f"{'':34}{'M positions/s':>14}")
    runs: list[tuple[str, int, Callable[[], Any]]] = [
        ("liqmap, dictionary words", args.rows, lambda: liqmap.liquidation_prices(table, tiers)),
        ("liqmap, plain strings", args.rows, lambda: liqmap.liquidation_prices(words, tiers)),
        ("numpy, vectorised", len(few), lambda: numpy_prices(few)),
    ]
    rates = {}
    for label, rows, run in runs:
        rates[label] = rows / best(run, args.repeats) / 1e6
        print(f"{label:34}{rates[label]:>14.1f}")
    print(f"liqmap is {rates['liqmap, dictionary words'] / rates['numpy, vectorised']:.0f}x numpy")


if __name__ == "__main__":
    main()
