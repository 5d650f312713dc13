"""``liqmap demo``: simulate a market and write a report of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    from liqmap.demo.run_demo import DemoResult

__all__ = ["demo"]


def demo(*, out: Path = Path("demo"), seed: int = 5, days: int = 60) -> None:
    """Simulate a market, load it like real data, map it and write a report; no configuration is needed.

    Args:
        out: Output folder: new, empty, or that of an earlier demo, which is replaced.
        seed: Random seed; the same seed gives the same market.
        days: Length of the simulated record.
    """
    from liqmap.demo.run_demo import run_demo  # noqa: PLC0415 - load the simulation only when needed

    sys.stdout.write(summary(run_demo(out, seed=seed, days=days)))


def summary(done: DemoResult) -> str:
    """Summary of the demo as text."""
    record, made, truth = done.record, done.map, done.record.truth[-1]
    folder, forced = done.database.parent, done.rows["liquidations"]
    error = made.ledger.error(made.open_interest)
    lines = [
        f"SIMULATED market {made.instrument}, seed {record.seed}: {iso(record.start)} … {iso(record.end)}",
        f"market   {done.rows['bars']:,} bars, {forced:,} liquidations → {folder / 'market'}",
        f"truth    {len(truth.account):,} open positions at the end → {folder / 'truth'}",
        f"history  {sum(done.rows.values()):,} rows → {done.database}",
        f"map      {made.open_interest:,.1f} coin per side at {made.mark_price:,.1f}; ledger error {error:.1e}",
    ]
    for fit in done.fits:
        size = f"mapped {fit.mapped_usd / 1e6:,.1f} MUSD within {fit.reach:.0%}, true {fit.true_usd / 1e6:,.1f}"
        place = f"W1 {fit.w1_bp:.0f} bp, rank correlation {fit.rank_correlation:.2f}"
        lines.append(f"{fit.side:<8} {size}; {place}, {fit.within_25bp:.0%} of mass within 25 bp")
    lines += [f"report   {folder / 'report.toml'} → {folder / 'site'}", str(done.page)]
    return "\n".join(lines) + "\n"
