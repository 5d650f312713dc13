"""CSV files of the simulated market, in the same layouts as those of other markets."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from liqmap._base import timestamps
from liqmap.demo.isolated_margin import contract_rules
from liqmap.demo.settings import INSTRUMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from liqmap.demo.open_positions import OpenPositions
    from liqmap.demo.simulate import Simulation
    from liqmap.venues.catalogue import CatalogueEntry

__all__ = ["PUBLIC_ACCOUNT_STRIDE", "TABLES", "write_market", "write_truth"]

TABLES = ("instruments", "margin_tiers", "bars", "open_interest", "funding", "liquidations", "positions")
"""Names of the files, equal to the tables that they fill."""

PUBLIC_ACCOUNT_STRIDE = 8
"""One account in this many is public, as on a venue with public accounts."""

_POSITIONS_HEADER = (
    "instrument,ts,account,side,size_base,entry_price,leverage,margin_mode,margin,liquidation_price,source"
)

_SIDES = {1: "long", -1: "short"}


def write_market(record: Simulation, folder: Path) -> dict[str, Path]:
    """Write the public data: one CSV file per table, and a README labelled SIMULATED.

    Returns:
        Files by table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(_readme(record), encoding="utf-8")
    rows = {
        "instruments": _instruments(contract_rules()),
        "margin_tiers": _tiers(contract_rules(), record.start),
        "bars": _bars(record),
        "open_interest": _open_interest(record),
        "funding": _funding(record),
        "liquidations": _liquidations(record),
        "positions": _with_header(
            _POSITIONS_HEADER, [_positions(record.truth[-1], record.settings.lot, every=PUBLIC_ACCOUNT_STRIDE)]
        ),
    }
    return {table: _write_lines(folder / f"{table}.csv", rows[table]) for table in TABLES}


def write_truth(record: Simulation, folder: Path) -> Path:
    """Write the true positions: all open positions at each time that the simulation kept."""
    folder.mkdir(parents=True, exist_ok=True)
    return _write_lines(
        folder / "positions.csv",
        _with_header(_POSITIONS_HEADER, (_positions(at, record.settings.lot) for at in record.truth)),
    )


def _write_lines(path: Path, lines: Iterable[str]) -> Path:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def _with_header(head: str, blocks: Iterable[Iterable[str]]) -> Iterator[str]:
    yield head
    for block in blocks:
        yield from block


def _instruments(like: CatalogueEntry) -> Iterator[str]:
    yield "instrument,kind,payoff,base,quote,settle,contract_size,tick_size"
    of = like.instrument
    words = (INSTRUMENT, of.kind, of.payoff, of.base, of.quote, of.settle)
    yield f"{','.join(words)},{of.contract_size:.10g},{of.tick_size:.10g}"


def _tiers(like: CatalogueEntry, start: int) -> Iterator[str]:
    yield "instrument,valid_from,tier,notional_floor,notional_cap,max_leverage,mmr,deduction,source"
    for tier in like.tiers:
        cap = "" if tier.notional_cap is None else f"{tier.notional_cap:.10g}"
        rate = f"{tier.max_leverage:.10g},{tier.mmr:.10g},{tier.deduction:.10g}"
        yield f'{INSTRUMENT},{start},{tier.tier},{tier.notional_floor:.10g},{cap},{rate},"{tier.source}"'


def _bars(record: Simulation) -> Iterator[str]:
    yield "instrument,ts,interval_s,open,high,low,close,volume_base,taker_buy_base,price_source"
    s = record.settings
    for bar in record.recorder.bars:
        prices = ",".join(f"{tick * s.tick:.1f}" for tick in (bar.open, bar.high, bar.low, bar.close))
        sizes = f"{bar.volume * s.lot:.3f},{bar.taker_buy * s.lot:.3f}"
        yield f"{INSTRUMENT},{bar.ts},{s.bar_minutes * 60},{prices},{sizes},mark"


def _open_interest(record: Simulation) -> Iterator[str]:
    yield "instrument,ts,oi_base,oi_usd"
    s = record.settings
    length = s.bar_minutes * 60_000_000
    for bar in record.recorder.bars:
        base = bar.open_interest * s.lot
        yield f"{INSTRUMENT},{bar.ts + length},{base:.3f},{base * bar.close * s.tick:.2f}"


def _funding(record: Simulation) -> Iterator[str]:
    yield "instrument,ts,rate,interval_h"
    for ts, rate in record.recorder.funding:
        yield f"{INSTRUMENT},{ts},{rate:.8f},8"


def _liquidations(record: Simulation) -> Iterator[str]:
    yield "instrument,ts,window_s,side,price,size_base,usd,feed"
    s = record.settings
    for block in record.recorder.liquidations:
        for ts, side, tick, lots in block[:4].T.tolist():
            price, size = tick * s.tick, lots * s.lot
            yield f"{INSTRUMENT},{ts},0,{_SIDES[side]},{price:.1f},{size:.3f},{price * size:.2f},complete"


def _positions(at: OpenPositions, lot: float, *, every: int = 1) -> Iterator[str]:
    columns = (at.account, at.side, at.lots, at.entry_price, at.leverage, at.margin, at.liquidation_price)
    for account, side, lots, entry, leverage, margin, price in zip(*(c.tolist() for c in columns), strict=True):
        if account % every:
            continue
        mode = "cross" if np.isnan(margin) else "isolated"
        tail = ",".join("" if np.isnan(x) else f"{x:.4f}" for x in (margin, price))
        size = f"{lots * lot:.3f},{entry:.1f},{leverage:.10g}"
        yield f"{INSTRUMENT},{at.ts},sim-{account:06d},{_SIDES[side]},{size},{mode},{tail},simulated"


def _readme(record: Simulation) -> str:
    numbers = "\n".join(f"- {name}: {value}" for name, value in asdict(record.settings).items())
    return f"""# SIMULATED market {INSTRUMENT}

No part of this market was ever traded. liqmap simulated it, so that a map can be compared with the true levels.

From {timestamps.iso(record.start)} to {timestamps.iso(record.end)}, seed {record.seed}, {record.days} days.

The other files in this folder contain the public data: bars of the mark price, one-sided open interest, funding, every
liquidation, the contract and its margin tiers. At the end, the positions of one account in {PUBLIC_ACCOUNT_STRIDE} are
public, as on a venue with public accounts. Times are UTC microseconds (the start of a bar), sizes are in coin, prices
and notional in USD. All open positions, which are not public, are in `truth/positions.csv`.

## Settings
{numbers}
"""
