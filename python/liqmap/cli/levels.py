"""``liqmap levels``: trading levels of a map."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

import liqmap
from liqmap._base.number_format import percent, price, usd
from liqmap.strategies.stops import OwnPosition

if TYPE_CHECKING:
    from collections.abc import Callable

    from liqmap.strategies.breakout import Breakout
    from liqmap.strategies.cluster_table import ClusterRow
    from liqmap.strategies.overlay import Stretch
    from liqmap.strategies.scalping import Scalp
    from liqmap.strategies.stops import Stop
    from liqmap.strategies.trading_levels import TradingLevels
    from liqmap.strategies.volatility_forecast import Forecast
    from liqmap.strategies.whale_traps import Trap

__all__ = ["levels"]

_MAX_ROWS = 8


def levels(
    instrument: str,
    *,
    db: Path,
    at: str | None = None,
    entry: float | None = None,
    size: float = 0.0,
    liquidation: float | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Derive trading levels from a liquidation map with documented rules; the output is not advice.

    Args:
        instrument: ``venue:SYMBOL``, or a market such as ``BTC``.
        db: The history file.
        at: Time of the map, ISO 8601; the latest by default.
        entry: Entry price of the position to protect with stops; the mark price by default.
        size: Notional of the position, USD.
        liquidation: Liquidation price of the position; stops are placed before it.
        as_json: Print one JSON object.
    """
    own = OwnPosition(entry=entry, usd=size, liquidation_price=liquidation)
    with liqmap.open(db) as history:
        found = history.trading_levels(instrument, at, own=own)
    if as_json:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write(_as_text(found))


def _as_text(found: TradingLevels) -> str:
    moves = found.conditions
    head = f"{found.instrument}  mark {found.mark_price:,.2f}  volatility {percent(moves.volatility, 0)} annualised"
    lines = [f"{head}  hourly range {price(moves.atr)}"]
    for name, use in found.uses.items():
        lines += ["", f"{name}: {use.rule}"]
        if use.none is not None:
            lines.append(f"  none: {use.none}")
        lines += [f"  {_LINE_OF[name](row)}" for row in use.rows[:_MAX_ROWS]]
        if len(use.rows) > _MAX_ROWS:
            lines.append(f"  … {len(use.rows) - _MAX_ROWS} more in --json")
    limits = dict.fromkeys(sentence for use in found.uses.values() for sentence in use.limits)
    return "\n".join([*lines, "", *(f"note: {sentence}" for sentence in limits)]) + "\n"


def _displacement_text(share: float | None) -> str:
    return "exceeds the order book" if share is None else percent(share, 2)


def _cluster_line(row: ClusterRow) -> str:
    touch = " / ".join(percent(p, 0) for p in row.touch.values())
    need = "–" if row.shock_needed is None else percent(row.shock_needed, 2, signed=True)
    return (
        f"{row.side:<5} {price(row.low)}…{price(row.high)}  {usd(row.notional):>6}  touch 4/12/24 h {touch}  "
        f"shock {need}  move {_displacement_text(row.expected.calm)} ({row.band}; USD band {row.legacy_band})"
    )


def _breakout_line(row: Breakout) -> str:
    run = ", ".join(
        f"{name} {_displacement_text(getattr(row.run_on, name))}" for name in ("calm", "stressed", "square_root")
    )
    fuel = "cascade is self-sustaining" if row.self_fuelled else "cascade needs further pressure"
    return (
        f"{price(row.level)} {percent(row.distance, 1, signed=True)}  {usd(row.notional)} of {row.side}s to "
        f"{price(row.through)}  continuation {run}; {fuel}"
    )


def _scalp_line(row: Scalp) -> str:
    worth = "more" if row.covers_costs else "less"
    return (
        f"{row.side:<5} {price(row.low)}…{price(row.high)}  touch 4 h {percent(row.touch['4h'], 0)}  overshoot "
        f"{_displacement_text(row.overshoot.calm)}  retracement {percent(row.give_back, 3)}, {worth} than costs"
    )


def _stop_line(row: Stop) -> str:
    reward = "no target" if row.reward is None else f"R {row.reward:.1f}"
    cut = "" if row.price is not None else f"  beyond the liquidation price: max. leverage {row.most_leverage:.0f}×"
    return (
        f"{row.side:<5} {price(row.rule_price)} behind {price(row.behind)}  touch 24 h {percent(row.touch['24h'], 0)}  "
        f"{reward}{cut}"
    )


def _stretch_line(row: Stretch) -> str:
    through = "  book is thinner than liquidations" if row.falls_through else ""
    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
    return (
        f"{price(row.low)}…{price(row.high)} {percent(row.distance, 1, signed=True)}  {usd(row.depth)} of orders, "
        f"{usd(row.forced)} of liquidations, ρ {ratio}{through}"
    )


def _trap_line(row: Trap) -> str:
    flag = "  FLAGGED" if row.flagged else ""
    return f"{row.side:<5} {price(row.peak)}  {usd(row.notional)} for {usd(row.cost)}: {row.index:.2f}{flag}"


def _forecast_line(row: Forecast) -> str:
    return (
        f"{row.hours:g} h  {percent(row.forecast, 2)} against {percent(row.baseline, 2)} realised (×{row.ratio:.3f}; "
        f"ρ {row.below:.2f} below, {row.above:.2f} above; before {row.usual_below:.2f}, {row.usual_above:.2f})"
    )


_LINE_OF: dict[str, Callable[..., str]] = {
    "clusters": _cluster_line,
    "breakout": _breakout_line,
    "scalping": _scalp_line,
    "stops": _stop_line,
    "liquidity": _stretch_line,
    "voids": _stretch_line,
    "traps": _trap_line,
    "volatility": _forecast_line,
}
