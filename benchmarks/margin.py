"""Liquidation prices of mixed venues and tiers, Arrow to Arrow, compared with two numpy versions of the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

import liqmap
from benchmarks.timing import best
from benchmarks.timing import table as report

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

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

# Rows that the numpy version sorts at a time: their columns fit the cache of one core.
BLOCK_ROWS = 1 << 16


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
    """Positions in all contracts, both sides and all tiers, with margins up to 20 % above the initial margin."""
    rng = np.random.default_rng(seed)
    contract = rng.integers(0, len(CONTRACTS), rows).astype(np.int32)
    entry = rng.uniform(55_000, 75_000, rows)
    size = np.exp(rng.normal(0.0, 2.0, rows))
    leverage = np.exp(rng.uniform(np.log(2), np.log(50), rows))
    notional = np.where(np.array([inverse for _, inverse, *_ in CONTRACTS])[contract], size, size * entry)
    margin = notional / leverage * rng.uniform(1.0, 1.2, rows)
    side = rng.integers(0, 2, rows).astype(np.int8)
    names = pa.array([name for name, *_ in CONTRACTS])
    return pa.table(
        {
            "instrument": pa.DictionaryArray.from_arrays(pa.array(contract), names),
            "side": pa.DictionaryArray.from_arrays(pa.array(side), pa.array(["long", "short"])),
            "size_base": size,
            "entry_price": entry,
            "margin": margin,
        }
    )


def numpy_columns(table: pa.Table) -> tuple[Column, Column]:
    """The rules in numpy on whole columns; the parameters of the rules are columns too."""
    contract = table["instrument"].combine_chunks().indices.to_numpy()
    short = table["side"].combine_chunks().indices.to_numpy() == 1
    size, entry, margin = (table[name].to_numpy() for name in ("size_base", "entry_price", "margin"))
    _, inverse, by_size, frozen, fee, deducts, unit = (np.array(column) for column in zip(*CONTRACTS, strict=True))
    inv, sized, fixed = inverse[contract], by_size[contract], frozen[contract]
    with np.errstate(divide="ignore", invalid="ignore"):
        x0 = np.where(inv, 1 / entry, entry)
        q = np.where(inv, size * entry, size)
        k = np.where(short == inv, 1.0, -1.0) * q
        f = fee[contract]
        chain = np.cumsum(EDGES * np.diff(RATES, prepend=0.0))
        scale, with_deduction = unit[contract], deducts[contract]
        at = np.searchsorted(EDGES, np.where(sized, q, q * x0) / scale, side="right") - 1
        due = q * x0 * RATES[at] - chain[at] * scale
        x = x0 - (margin - due) / k
        a = margin - k * x0
        live = ~fixed
        for _ in range(len(RATES)):
            c = np.where(with_deduction, chain[at] * scale, 0.0)
            x = np.where(live, -(a + c) / (k - q * (RATES[at] + f)), x)
            now = np.searchsorted(EDGES, np.where(sized, q, q * np.maximum(x, 0)) / scale, side="right") - 1
            if not (moved := live & (now != at)).any():
                break
            at = np.where(moved, now, at)
        bankrupt = x0 - margin / k
        price = np.where(x > 0, np.where(inv, 1 / x, x), np.nan)
        bust = np.where(bankrupt > 0, np.where(inv, 1 / bankrupt, bankrupt), np.nan)
    return price, bust


def numpy_rules(table: pa.Table) -> tuple[Column, Column]:
    """The fastest numpy version found: blocks of rows in cache are sorted by rule, so that the parameters of a rule are
    scalars, and only rows that change tier are computed again."""
    price, bust = np.empty(len(table)), np.empty(len(table))
    contract = table["instrument"].combine_chunks().indices.to_numpy()
    short = table["side"].combine_chunks().indices.to_numpy()
    columns = [table[name].to_numpy() for name in ("size_base", "entry_price", "margin")]
    kind = (2 * contract + short).astype(np.int16)
    for start in range(0, len(table), BLOCK_ROWS):
        block = kind[start : start + BLOCK_ROWS]
        order = np.argsort(block, kind="stable")
        ends = np.cumsum(np.bincount(block, minlength=2 * len(CONTRACTS)))
        for code, rows in enumerate(np.split(order + start, ends[:-1])):
            price[rows], bust[rows] = one_rule(code, *(column[rows] for column in columns))
    return price, bust


def one_rule(kind: int, size: Column, entry: Column, margin: Column) -> tuple[Column, Column]:
    """Liquidation and bankruptcy prices of rows of one contract and side."""
    _, inverse, by_size, frozen, fee, deducts, unit = CONTRACTS[kind // 2]
    short = kind % 2 == 1
    edges, chain = EDGES[1:] * unit, np.cumsum(EDGES * np.diff(RATES, prepend=0.0)) * unit
    kept = chain if deducts else np.zeros_like(chain)
    with np.errstate(divide="ignore"):
        x0 = 1 / entry if inverse else entry
        q = size * entry if inverse else size
        k = q if short == inverse else -q
        worth = q * x0
        at = np.searchsorted(edges, q if by_size else worth, side="right")
        bust = x0 - margin / k
        if frozen:
            x = bust + (worth * RATES[at] - chain[at]) / k
        else:
            a = margin - k * x0
            x = -(a + kept[at]) / (k - q * (RATES[at] + fee))
            rows = np.arange(0 if by_size else len(x))
            for _ in RATES:
                now = np.searchsorted(edges, q[rows] * x[rows], side="right")
                moved = now != at[rows]
                rows, now = rows[moved], now[moved]
                if not len(rows):
                    break
                at[rows] = now
                x[rows] = -(a[rows] + kept[now]) / (k[rows] - q[rows] * (RATES[now] + fee))
        return tuple(np.where(v > 0, 1 / v if inverse else v, np.nan) for v in (x, bust))


def main(rows: int = 4_000_000) -> None:
    table, tiers = positions(rows).combine_chunks(), tier_table()
    strings = table
    for i, name in enumerate(("instrument", "side")):
        strings = strings.set_column(i, name, table[name].cast(pa.string()))

    result = pa.table(liqmap.liquidation_prices(table, tiers))
    for solve in (numpy_columns, numpy_rules):
        for name, peer in zip(("liquidation_price", "bankruptcy_price"), solve(table), strict=True):
            np.testing.assert_allclose(result[name].to_numpy(), peer, rtol=1e-9)
    del result

    print(f"{rows:,} positions of {len(CONTRACTS)} contracts, {len(RATES)} tiers each, both sides")
    peers = {
        "liqmap, dictionary strings": lambda: liqmap.liquidation_prices(table, tiers),
        "liqmap, plain strings": lambda: liqmap.liquidation_prices(strings, tiers),
        "numpy, column by column": lambda: numpy_columns(table),
        "numpy, rule by rule, in cache": lambda: numpy_rules(table),
    }
    report(best(peers), rows, "positions")


if __name__ == "__main__":
    main()
