"""Liquidation prices that exchanges reported, as rows for `liquidation_prices`: one per vector, with what was reported.

Run with the folder of vectors to print the table: `python tests/positions/reported.py ../shared/vectors`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import liqmap
from liqmap._base import timestamps

RELATIVE = 1e-6
RECORDED_2023 = timestamps.parse_instant("2023-03-27T00:00Z")
# What reported prices were rounded to: the contract's tick, or a cent in worked examples.
TICKS = {
    "bin-usdm-faq-1": 0.01,
    "bin-usdm-faq-3": 0.01,
    "bin-usdm-faq-4": 0.01,
    "bybit-lin-iso-eth-copytrade": 0.05,
    "bybit-inv-cross-docs-8000": 0.5,
}
NOT_REPRODUCED = {
    "hl-cross-btc-2026": "collateral outside the perpetual account",
    "hl-iso-sol-gct": "fixture edited by hand",
}


@dataclass(frozen=True)
class Case:
    """One vector: the rows that stand for it, and what the exchange said."""

    name: str
    venue: str
    position: dict[str, Any]
    tier: dict[str, Any]
    instrument: dict[str, Any]
    reported: float | None
    tick: float
    complete: bool


@dataclass(frozen=True)
class Verdict:
    """What came out beside what was reported."""

    case: Case
    price: float | None
    reason: str | None

    @property
    def reproduced(self) -> bool:
        reported = self.case.reported
        if reported is None or self.price is None:
            return reported is None and self.price is None and self.reason == "margin covers the whole move"
        return abs(self.price - reported) <= max(RELATIVE * reported, self.case.tick)

    @property
    def why(self) -> str:
        if self.reproduced:
            return "reproduced"
        return NOT_REPRODUCED.get(self.case.name) or f"inputs incomplete: {self.reason}"


def cases(folder: Path) -> list[Case]:
    return [_case(vector) for vector in json.loads((folder / "liquidation_prices.json").read_text(encoding="utf-8"))]


def verdicts(all_cases: list[Case]) -> list[Verdict]:
    def stream(rows: list[dict[str, Any]]) -> Any:
        names = list(dict.fromkeys(key for row in rows for key in row))
        return pa.table({name: [row.get(name) for row in rows] for name in names})

    priced = liqmap.liquidation_prices(
        stream([case.position for case in all_cases]),
        stream([case.tier for case in all_cases]),
        stream([case.instrument for case in all_cases]),
    )
    found = zip(priced["liquidation_price"].to_pylist(), priced["reason"].to_pylist(), strict=True)
    return [Verdict(case, price, reason) for case, (price, reason) in zip(all_cases, found, strict=True)]


def table(found: list[Verdict]) -> str:
    lines = [f"{'vector':30} {'reported':>18} {'computed':>18} {'relative':>9}  verdict"]
    for verdict in sorted(found, key=lambda v: v.case.venue):
        reported, price = verdict.case.reported, verdict.price
        error = "" if reported is None or price is None else f"{abs(price / reported - 1):.1e}"
        lines.append(f"{verdict.case.name:30} {_number(reported):>18} {_number(price):>18} {error:>9}  {verdict.why}")
    venues = sorted({verdict.case.venue for verdict in found})
    for venue in venues:
        of = [verdict for verdict in found if verdict.case.venue == venue]
        lines.append(f"{venue}: {sum(v.reproduced for v in of)} of {len(of)} reproduced")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.8f}"


def _case(v: dict[str, Any]) -> Case:
    venue = v["venue"].split("-")[0]
    inverse = v["contract_type"] == "inverse"
    cross = v["margin_mode"].startswith("cross")
    # Every vector is an instrument of its own, so that each has its own tier.
    name = f"{venue}:{v['id']}"
    size = v["size"] * v["contract_size"] / (v["entry_price"] if inverse else 1)
    position: dict[str, Any] = {
        "instrument": name,
        "side": v["side"],
        "size_base": float(size),
        "entry_price": float(v["entry_price"]),
        "margin_mode": "cross" if cross else "isolated",
        "mark_price": v["mark_price"],
        "leverage": v["leverage"],
        "margin": v["wallet_or_isolated_margin"],
        "fee_rate": v.get("fee"),
        "ts": RECORDED_2023 if v.get("era") == "2023" else timestamps.parse_instant("2026-01-01"),
    }
    mmr = v.get("mmr")
    if venue == "hyperliquid":
        mmr = 0.5 / v["max_lev"]
        position["maintenance"] = v.get("cross_mm")
        if not cross:
            signed = size if v["side"] == "long" else -size
            position["margin"] = v["raw_usd"] + signed * v["entry_price"]
    elif venue == "okx" and cross:
        notional = size * v["mark_price"]
        position["margin"] = v["mgn_ratio"] * (v["mmr_abs"] + notional * v["fee"])
    elif venue == "binance" and cross and position["margin"] is not None:
        position["margin"] += v["UPNL"]
        position["maintenance"] = v["TMM"]
    elif venue == "bybit":
        position["maintenance"] = v.get("total_mm")
        position["borrow_rate"] = v.get("b")
    tier = {"instrument": name, "tier": 1, "notional_floor": 0.0, "mmr": mmr or 0.005}
    tier["deduction"] = float(v.get("cum", v.get("ded", 0)))
    tick = v.get("tick", 0.0)
    return Case(
        name=v["id"],
        venue=v["venue"],
        position=position,
        tier=tier,
        instrument={"instrument": name, "payoff": v["contract_type"], "tick_size": tick},
        reported=None if v.get("sentinel") else v["liquidation_price_reported"],
        tick=TICKS.get(v["id"], 0.0),
        complete=v["status"].startswith("OK"),
    )


if __name__ == "__main__":
    sys.stdout.write(table(verdicts(cases(Path(sys.argv[1])))) + "\n")
