"""Trading levels page: results of documented rules applied to the map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap._base.instruments import slug
from liqmap._base.number_format import percent, price_range, share
from liqmap._base.timestamps import iso
from liqmap.charts.order_book_overlay.chart import overlay_data, overlay_spec
from liqmap.charts.theme import PAGE as COLOURS
from liqmap.charts.vega_data import with_data
from liqmap.report.page import MissingData, Page, PageContent
from liqmap.report.site.downloads import Cell, table_files
from liqmap.report.svg.levels_strip import levels_strip
from liqmap.report.text.sentences import with_article
from liqmap.report.vega.static_svg import static_svg
from liqmap.strategies.levels_from_history import levels_of_map

if TYPE_CHECKING:
    from liqmap.public import History
    from liqmap.report.facts import Facts
    from liqmap.strategies.trading_levels import TradingLevels

__all__ = ["PAGE"]

_CHART_SIZES = {"medium wide": (900, 400), "narrow": (284, 320)}


def _read(history: History, facts: Facts) -> TradingLevels | MissingData:
    try:
        return levels_of_map(history, facts.map)
    except InputError as error:
        return MissingData(f"{error.found.capitalize()}.", f"It needs {error.expected}.")


def _build(facts: Facts, found: TradingLevels | MissingData) -> PageContent | MissingData:
    if isinstance(found, MissingData):
        return found
    name, drawing = f"{slug(found.instrument)}-book", overlay_spec(COLOURS)
    text = json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return PageContent(
        heading=_heading(facts, found),
        lede=_lede(found),
        values={
            "found": found,
            "strip": levels_strip(found),
            "limits": _limits(found),
            "stills": {
                key: static_svg(
                    with_data(drawing, overlay_data(found, width=width, height=height)), f"{name}-{key[-4:]}"
                )
                for key, (width, height) in _CHART_SIZES.items()
            },
        },
        files={**table_files("levels", *_table(found)), "levels.json": f"{text}\n".encode()},
    )


def _heading(facts: Facts, found: TradingLevels) -> str:
    """The cluster with the highest touch probability within 24 hours."""
    tick = facts.map.grid.tick
    rows = found.clusters.rows
    if not rows:
        return "No cluster within the range of a 24 h move"
    first = max(rows, key=lambda row: (row.touch["24h"], row.notional))
    where = price_range(first.low, first.high, tick)
    chance = with_article(share(first.touch["24h"]))
    return f"{first.side.capitalize()}s at {where} have {chance} chance of being touched within 24 h"


def _lede(found: TradingLevels) -> str:
    """Number of levels by rule, and the usual daily move."""
    counts = {
        "breakout level": len(found.breakout.rows),
        "scalping zone": len(found.scalping.rows),
        "stop": sum(row.price is not None for row in found.stops.rows),
        "liquidity zone": len(found.liquidity.rows),
        "void": len(found.voids.rows),
    }
    listed = ", ".join(f"{n} {name if n == 1 else name + 's'}" for name, n in counts.items() if n)
    usual = next((row for row in found.volatility.rows if row.hours == 24), None)  # noqa: PLR2004 - a day
    moves = "" if usual is None else f" Daily volatility (1 σ): {percent(usual.baseline)}."
    return f"{listed[:1].upper()}{listed[1:]}.{moves}" if listed else f"No rule found a level.{moves}"


def _limits(found: TradingLevels) -> tuple[str, ...]:
    """Assumptions of the rules, without duplicates."""
    return tuple(dict.fromkeys(limit for use in found.rule_results.values() for limit in use.limits))


def _table(found: TradingLevels) -> tuple[list[str], list[list[Cell]]]:
    """The table of clusters, nearest first."""
    head = [
        *("instrument", "at", "side", "low", "peak", "high", "notional_usd", "distance", "touch_4h", "touch_12h"),
        *("touch_24h", "shock_needed", "expected_calm", "expected_stressed", "expected_square_root", "band"),
        "legacy_band",
    ]
    lines: list[list[Cell]] = [
        [
            *(found.instrument, iso(found.at), row.side, row.low, row.peak, row.high, row.notional, row.distance),
            *(row.touch.values()),
            *(row.shock_needed, row.expected.calm, row.expected.stressed, row.expected.square_root),
            *(row.band, row.legacy_band),
        ]
        for row in found.clusters.rows
    ]
    return head, lines


PAGE = Page("levels", "Trading levels", _build, read=_read)
