"""The liquidation engine: what a move of the mark triggers, sold into the book until nothing more is triggered."""

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
    """Forced closes of one minute, in the order in which the mark met their levels.

    Attributes:
        impact: How far the forced orders moved the price, log (below 0 when they sold).
        tick: Where the mark stands after them.
        lots: Closed in all.
        along: How far along the mark's way from the minute's start each was triggered, 0 to 1.
        columns: Side, fill tick, lots, entry tick, level tick.
    """

    impact: float
    tick: int
    lots: int
    path_fraction: Floats
    columns: list[Ints]


def liquidate_triggered(
    accounts: MarginAccounts, book: OrderBookSide, depth: float, start: int, tick: int
) -> ForcedCloses | None:
    """Liquidate whatever a move from ``start`` to ``tick`` triggers, and what that triggers in turn.

    Each round the triggered positions are closed against the book, the mark moves by their impact, and the next round
    looks from there. A fill lies between its level and where its round left the mark, in proportion to what was sold
    before it in the round: at its liquidation price or worse.

    Args:
        accounts: Their triggered positions are closed.
        book: The side that forced orders hit.
        depth: USD within 1 %.
        start: Mark at the start of the minute, ticks.
        tick: Mark that the minute's own news led to, ticks.

    Returns:
        ``None`` when nothing is triggered.
    """
    falling = tick < start
    usd_per_lot_tick = accounts.settings.usd_per_lot_tick
    rounds: list[Ints] = []
    impact, reached = 0.0, tick
    while len(who := accounts.triggered(reached, falling=falling)):
        level = (accounts.long_trigger_tick if falling else accounts.short_trigger_tick)[who].astype(np.int64)
        lots = accounts.lots[who]
        sold = np.cumsum(lots)
        push = book.consume(float((lots * level).sum()) * usd_per_lot_tick, depth)
        impact += -push if falling else push
        after = round(tick * math.exp(impact))
        fill = level + np.rint((after - reached) * (sold / sold[-1])).astype(np.int64)
        rounds.append(np.stack([accounts.side[who], fill, lots, accounts.entry[who], level]))
        accounts.close(who)
        reached = after
    if not rounds:
        return None
    columns = list(np.concatenate(rounds, axis=1))
    along = np.clip((columns[4] - start) / (reached - start), 0.0, 1.0)
    return ForcedCloses(impact=impact, tick=reached, lots=int(columns[2].sum()), path_fraction=along, columns=columns)
