"""Sentences of the evolution page.

Migration means that notional is matched between clusters of two maps; individual positions do not move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.number_format import percent, price, usd
from liqmap.report.text.heatmap import day_and_time, range_name
from liqmap.report.text.sentences import duration_text, round_price_range

if TYPE_CHECKING:
    from liqmap.charts.tracks.layout import TracksLayout, TrackSummary
    from liqmap.report.facts import Facts

__all__ = ["age", "alt_text", "heading", "lede", "notional_change", "previous_peak", "status"]

_DAY = 86_400_000_000


def heading(layout: TracksLayout) -> str:
    """Heading: clusters swept by the price, and new clusters."""
    swept = [summary for summary in layout.shown if summary.end == "swept"]
    new = [summary for summary in layout.shown if summary.end == "stands" and summary.new]
    length = range_name((int(layout.of.at[-1]) - int(layout.of.at[0])) / _DAY)
    largest = max(new, key=lambda summary: summary.last.notional, default=None)
    gone = (
        f"Price swept {_count_noun(len(swept), 'cluster')} in {length}"
        if swept
        else f"No cluster was swept in {length}"
    )
    if largest is None:
        return f"{gone}; no open cluster is new"
    prices = round_price_range(largest.last.low, largest.last.high)
    most = f"{usd(largest.last.notional)} of {largest.track.side}s at {prices}"
    return f"{gone}; {len(new)} open {'cluster is' if len(new) == 1 else 'clusters are'} new, the largest {most}"


def lede(layout: TracksLayout) -> str:
    """Notional opened, closed and liquidated on each side."""
    of = layout.of
    parts = [
        f"{name} {usd(float(of.opened[1:, k].sum()))} opened, {usd(float(of.closed[1:, k].sum()))} closed voluntarily, "
        f"{usd(float(of.liquidated[1:, k].sum()))} liquidated"
        for k, name in enumerate(("of longs", "of shorts"))
    ]
    return f"Modelled, over all prices: {parts[0]}; {parts[1]}."


def alt_text(facts: Facts, layout: TracksLayout) -> str:
    """Alternative text of the tracks chart."""
    return (
        f"Clusters of {facts.map.instrument} over time: one line per cluster at its peak price, line width by "
        f"notional, with the price. {heading(layout)}. The tables below give the numbers."
    )


def age(summary: TrackSummary, layout: TracksLayout) -> str:
    """Age of a cluster; a lower bound if it existed before the first column."""
    length = int(layout.of.at[-1]) - summary.born
    if not length:
        return "new"
    return f"{'' if summary.known else 'over '}{duration_text(length)}"


def previous_peak(summary: TrackSummary, layout: TracksLayout) -> str:
    """First peak price followed by an arrow; empty if the peak has not moved."""
    first, last = summary.track.steps[0].peak, summary.last.peak
    return "" if abs(first - last) < 1e-9 * last else f"{price(first, layout.tick)} → "


def notional_change(summary: TrackSummary) -> str:
    """Change of notional since the first column, or ``new`` or ``split off`` for a later cluster."""
    if summary.known:
        return "new" if summary.new else "split off"
    return f"{'+' if summary.change > 0 else ''}{usd(summary.change)}"


def status(summary: TrackSummary) -> str:
    """Events of a cluster and how it ended."""
    track = summary.track
    parts = []
    if track.parent is not None:
        parts.append(f"split off {track.parent}")
    if summary.migrated is not None:
        new = summary.migrated.opened / summary.migrated.notional if summary.migrated.notional > 0 else 0.0
        parts.append(f"migrating on {day_and_time(summary.migrated.at)}, {percent(new, 0)} newly opened")
    if summary.end == "merged":
        parts.append(f"merged into {track.heir}")
    elif summary.end != "stands":
        parts.append(summary.end)
    return ", ".join(parts) or "–"


def _count_noun(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
