"""Liquidations: positions that a move of the mark triggers are closed against the order book, in rounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from liqmap.demo.accounts import Ints, MarginAccounts
    from liqmap.demo.isolated_margin import Floats
    from liqmap.demo.order_book import OrderBookSide

__all__ = ["ForcedCloses", "liquidate_triggered"]


@dataclass(frozen=True, eq=False, slots=True)
class ForcedCloses:
    """Forced closes of one minute, in the order in which the mark reached their liquidation levels.

    Attributes:
        impact: Displacement of the price by the forced orders, log (below 0 for sales).
        tick: Mark after them, ticks.
        lots: Total closed lots.
        path_fraction: Position of each trigger on the mark's path through the minute, 0 to 1.
        columns: Side, fill tick, lots, entry tick, liquidation level tick.
    """

    impact: float
    tick: int
    lots: int
    path_fraction: Floats
    columns: list[Ints]


def liquidate_triggered(
    accounts: MarginAccounts, book: OrderBookSide, depth: float, start: int, tick: int
) -> ForcedCloses | None:
    """Liquidate the positions that a move from ``start`` to ``tick`` triggers, up to the fixed point of the cascade.

    Each round closes the triggered positions against the book and moves the mark by their impact; the next round starts
    at that mark. A fill lies between its liquidation level and the mark after its round, in proportion to the lots
    closed before it in the round. It is therefore at the liquidation price or worse.

    Args:
        accounts: Accounts; triggered positions are closed in place.
        book: Side of the order book that the forced orders consume.
        depth: Depth within 1 %, USD.
        start: Mark at the start of the minute, ticks.
        tick: Mark after the minute's exogenous move, ticks.

    Returns:
        The forced closes, or ``None`` if no position is triggered.
    """
    falling = tick < start
    usd_per_lot_tick = accounts.settings.usd_per_lot_tick
    rounds: list[Ints] = []
    impact, reached = 0.0, tick
    while len(rows := accounts.triggered(reached, falling=falling)):
        level = (accounts.long_trigger_tick if falling else accounts.short_trigger_tick)[rows].astype(np.int64)
        lots = accounts.lots[rows]
        sold = np.cumsum(lots)
        push = book.consume(float((lots * level).sum()) * usd_per_lot_tick, depth)
        impact += -push if falling else push
        after = round(tick * math.exp(impact))
        fill = level + np.rint((after - reached) * (sold / sold[-1])).astype(np.int64)
        rounds.append(np.stack([accounts.side[rows], fill, lots, accounts.entry[rows], level]))
        accounts.close(rows)
        reached = after
    if not rounds:
        return None
    columns = list(np.concatenate(rounds, axis=1))
    along = np.clip((columns[4] - start) / (reached - start), 0.0, 1.0)
    return ForcedCloses(impact=impact, tick=reached, lots=int(columns[2].sum()), path_fraction=along, columns=columns)
