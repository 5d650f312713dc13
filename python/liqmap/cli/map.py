"""``liqmap map``: the liquidation map of an instrument or market."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from liqmap import public
from liqmap._base.instruments import split_name
from liqmap._base.provenance import compact_json
from liqmap._base.timestamps import iso
from liqmap.maps.market import MarketMap

if TYPE_CHECKING:
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.uncertainty import Uncertainty

__all__ = ["map"]


def map(  # noqa: A001 - the function name is the command name
    instrument: str,
    /,
    *,
    db: Path,
    at: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    csv: Annotated[bool, Parameter(negative="")] = False,
    bands: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Print the liquidation map of an instrument or of a market, the sum of its instruments' maps.

    Args:
        instrument: venue:SYMBOL, such as binance:BTCUSDT, or a base asset such as BTC for all its instruments.
        db: The history file.
        at: As-of time, ISO 8601 (UTC without a zone); the end of the history by default.
        json: Print one JSON object with every bin.
        csv: Print one row per non-empty bin.
        bands: Also build the map under alternative recipes and print the range of each cluster (and bin, with --json).
    """
    with public.open_history(db) as history:
        made = history.map(instrument, at)
        band = history.uncertainty(instrument, made.at) if bands else None
    if json:
        plain = made.to_dict() | ({} if band is None else {"uncertainty": band.to_dict()})
        sys.stdout.write(compact_json(plain) + "\n")
    elif csv:
        from liqmap.maps.export import to_csv  # noqa: PLC0415 - load tables only when needed

        sys.stdout.write(to_csv(made))
    else:
        sys.stdout.write(summary(made) + ("" if band is None else uncertainty_text(band)))


def venue_lines(made: MarketMap) -> list[str]:
    """One line per venue: mapped notional and basis to spot."""
    lines = [""]
    for venue, bins in made.venues().items():
        basis = ", ".join(f"{b:+.2%}" for name, b in made.basis.items() if split_name(name)[0] == venue)
        long, short = (float(side.sum()) / 1e6 for side in (bins["long"], bins["short"]))
        lines.append(f"{venue:<16} {long:>10,.1f}M long {short:>10,.1f}M short   basis {basis}")
    return lines


def uncertainty_text(band: Uncertainty) -> str:
    """Uncertainty ranges of the clusters as text."""
    lines = ["", f"under {len(band.recipes)} recipes:"]
    for b in band.clusters:
        held = f"{b.cluster.notional / 1e6:>11,.1f}M  {b.low / 1e6:>11,.1f}M …{b.high / 1e6:>11,.1f}M"
        lines.append(f"{b.cluster.side:<6}{b.cluster.peak:>10,.0f}{held}")
    zones = ", ".join(f"{low:,.0f} – {high:,.0f}" for low, high in band.assumed)
    lines += [
        "",
        f"determined by the assumed prior: {zones}" if zones else "",
        *(f"assumed: {note}" for note in band.assumptions),
    ]
    return "\n".join(lines) + "\n"


def summary(made: LiquidationMap) -> str:
    """Summary of the map as text."""
    simulated = "   SIMULATED" if made.provenance.simulated else ""
    lines = [
        f"{made.instrument}   {iso(made.at)}   mark {made.mark_price:,.1f}{simulated}",
        f"open interest {made.open_interest:,.1f} coin per side",
        f"mapped {made.ledger.long.mapped:,.1f} long, {made.ledger.short.mapped:,.1f} short",
        f"ledger error {made.ledger.error(made.open_interest):.0e} of open interest",
        *(venue_lines(made) if isinstance(made, MarketMap) else ()),
        "",
        f"{'side':<6}{'low':>10}{'peak':>10}{'high':>10}{'distance':>10}{'notional':>12}  {'band':<8}{'20x+':>6}",
    ]
    for c in made.clusters():
        where = f"{c.side:<6}{c.low:>10,.0f}{c.peak:>10,.0f}{c.high:>10,.0f}{c.distance:>+10.2%}"
        lines.append(f"{where}{c.notional / 1e6:>11,.1f}M  {c.band:<8}{c.share_20x:>6.0%}")
    lines += ["", *(f"assumed: {note}" for note in made.provenance.assumptions)]
    return "\n".join(lines) + "\n"
