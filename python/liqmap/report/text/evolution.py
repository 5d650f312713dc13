"""Sentences about tracks. Only what the coupling of two maps carries is called migration; no position ever moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.number_format import percent, price, usd
from liqmap.report.text.heatmap import brief, range_name
from liqmap.report.text.sentences import round_price_range, span

if TYPE_CHECKING:
    from liqmap.charts.tracks.layout import Life, TrackScene
    from liqmap.report.facts import Facts

__all__ = ["age", "alt_text", "change", "heading", "lede", "route", "story"]

_DAY = 86_400_000_000


def heading(scene: TrackScene) -> str:
    """What became of the clusters in the time shown."""
    swept = [one for one in scene.shown if one.end == "swept"]
    new = [one for one in scene.shown if one.end == "stands" and one.new]
    length = range_name((int(scene.of.at[-1]) - int(scene.of.at[0])) / _DAY)
    largest = max(new, key=lambda one: one.last.notional, default=None)
    gone = (
        f"Price swept {_count_noun(len(swept), 'cluster')} in {length}"
        if swept
        else f"No cluster was swept in {length}"
    )
    if largest is None:
        return f"{gone}; none that stands now is new"
    prices = round_price_range(largest.last.low, largest.last.high)
    most = f"{usd(largest.last.notional)} of {largest.track.side}s at {prices}"
    return f"{gone}; of those that stand, {len(new)} {'is' if len(new) == 1 else 'are'} new, the largest {most}"


def lede(scene: TrackScene) -> str:
    """What moved the mass of either side."""
    of = scene.of
    parts = [
        f"{name} {usd(float(of.opened[1:, k].sum()))} opened, {usd(float(of.closed[1:, k].sum()))} closed by choice, "
        f"{usd(float(of.liquidated[1:, k].sum()))} liquidated"
        for k, name in enumerate(("of longs", "of shorts"))
    ]
    return f"Modelled, over the whole range of prices: {parts[0]}; {parts[1]}."


def alt_text(facts: Facts, scene: TrackScene) -> str:
    """The chart in words, for those who do not see it."""
    return (
        f"Clusters of {facts.map.instrument} through time: a trail each at the price of its peak, as thick as its "
        f"notional, with the price. {heading(scene)}. The tables below give the numbers."
    )


def age(one: Life, scene: TrackScene) -> str:
    """How long it has stood; at least so long if it stood already at the first column."""
    length = int(scene.of.at[-1]) - one.born
    if not length:
        return "just born"
    return f"{'' if one.known else 'over '}{span(length)}"


def route(one: Life, scene: TrackScene) -> str:
    """Where its peak was at first, and an arrow; nothing if it is there still."""
    first, last = one.track.steps[0].peak, one.last.peak
    return "" if abs(first - last) < 1e-9 * last else f"{price(first, scene.tick)} → "


def change(one: Life) -> str:
    """Of its dollars since the first column; a cluster that was not there yet is new or split off another."""
    if one.known:
        return "new" if one.new else "split off"
    return f"{'+' if one.change > 0 else ''}{usd(one.change)}"


def story(one: Life) -> str:
    """What kind of a cluster it is, or how it ended."""
    track = one.track
    parts = []
    if track.parent is not None:
        parts.append(f"split off {track.parent}")
    if one.migrated is not None:
        new = one.migrated.opened / one.migrated.notional if one.migrated.notional > 0 else 0.0
        parts.append(f"migrating on {brief(one.migrated.at)}, {percent(new, 0)} new money")
    if one.end == "merged":
        parts.append(f"merged into {track.heir}")
    elif one.end != "stands":
        parts.append(one.end)
    return ", ".join(parts) or "–"


def _count_noun(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
