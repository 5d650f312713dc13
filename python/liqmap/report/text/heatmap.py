"""Sentences of the heatmap page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.number_format import percent, price, usd
from liqmap.report.text.sentences import clock, cluster_location, day

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.charts.heatmap.layout import HeatmapLayout
    from liqmap.report.facts import Facts

__all__ = ["day_and_time", "heatmap_alt_text", "heatmap_heading", "heatmap_lede", "range_name"]

_FLAT_MOVE = 0.003
_SMALL_NOTIONAL = 1e4


def range_name(length: float) -> str:
    """Name of a time range given in days.

    Example:
        >>> range_name(7), range_name(13.83), range_name(1), range_name(0.25)
        ('7 days', '13.8 days', '24 hours', '6 hours')
    """
    if length <= 1:
        return f"{length * 24:.3g} hours"
    return f"{length:.3g} days"


def day_and_time(at: Instant) -> str:
    """Format day and time without the year, for tables.

    Example:
        >>> day_and_time(1781222400000000)
        '12 June, 00:00'
    """
    return f"{day(at).rsplit(' ', 1)[0]}, {clock(at)}"


def heatmap_heading(facts: Facts, layout: HeatmapLayout) -> str:
    """Heading: predicted liquidations over the first range and the largest remaining cluster."""
    long, short = _modelled_liquidations(layout, layout.start, layout.end)
    length = range_name(layout.days[layout.first])
    went = _price_move(layout)
    if max(long, short) < _SMALL_NOTIONAL:
        head = f"Price {went} in {length} and reached no significant level"
    else:
        side, size = ("longs", long) if long >= short else ("shorts", short)
        head = f"Price {went} in {length}, liquidating {usd(size)} of {side} in the model"
    near = [c for c in facts.clusters if layout.view[0] <= c.peak <= layout.view[1]]
    left = max(near, key=lambda c: c.notional, default=None)
    if left is None:
        return head
    return f"{head}; the largest remaining cluster is {cluster_location(left)}"


def heatmap_lede(layout: HeatmapLayout) -> str:
    """Predicted and reported liquidations of the first range."""
    long, short = _modelled_liquidations(layout, layout.start, layout.end)
    length = range_name(layout.days[layout.first])
    model = f"Predicted liquidations of this instrument in {length}: {usd(long)} of longs and {usd(short)} of shorts."
    reported = layout.realised
    if reported is None:
        return f"{model} No realised liquidations are loaded for comparison."
    feed = "own feed" if reported.feed == layout.heat.instrument else f"{reported.feed}, a sum over venues"
    start, end = max(layout.start, reported.since), min(layout.end, reported.until)
    amounts = reported.between(start, end) if start < end else None
    if amounts is None:
        return f"{model} No reported liquidations cover this period ({feed})."
    if (start, end) == (layout.start, layout.end):
        return f"{model} Reported over the same period ({feed}): {usd(amounts[0])} and {usd(amounts[1])}."
    long, short = _modelled_liquidations(layout, start, end)
    return (
        f"{model} Reported from {day_and_time(start)} to {day_and_time(end)} only ({feed}): {usd(amounts[0])} and "
        f"{usd(amounts[1])}; predicted for that period: {usd(long)} and {usd(short)}."
    )


def heatmap_alt_text(facts: Facts, layout: HeatmapLayout) -> str:
    """Alternative text of the heatmap."""
    return (
        f"Heatmap of {facts.map.instrument}: time on the horizontal axis, price on the vertical axis, notional by "
        f"colour, longs below the price and shorts above it. {heatmap_heading(facts, layout)}. "
        "The table below gives the numbers."
    )


def _modelled_liquidations(layout: HeatmapLayout, start: Instant, end: Instant) -> tuple[float, float]:
    within = (layout.heat.at > start) & (layout.heat.at <= end)
    long, short = layout.heat.predicted[within].sum(axis=(0, 2)).tolist()
    return long, short


def _price_move(layout: HeatmapLayout) -> str:
    """Describe the price move over the first range."""
    heat = layout.heat
    begin = max(int(heat.at.searchsorted(layout.start, side="right")) - 1, 0)
    change = float(heat.close[-1] / heat.close[begin] - 1)
    if abs(change) < _FLAT_MOVE:
        return f"ended at {price(float(heat.close[-1]), layout.tick)}, unchanged,"
    return f"{'rose' if change > 0 else 'fell'} {percent(abs(change))}"
