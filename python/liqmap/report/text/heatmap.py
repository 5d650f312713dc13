"""Sentences about how a map came about. They state what was found, with units; they neither advise nor exclaim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.number_format import percent, price, usd
from liqmap.report.text.sentences import clock, cluster_location, day

if TYPE_CHECKING:
    from liqmap._base.timestamps import Instant
    from liqmap.charts.heatmap.layout import HeatScene
    from liqmap.report.facts import Facts

__all__ = ["brief", "heatmap_alt_text", "heatmap_heading", "heatmap_lede", "range_name"]

_FLAT_MOVE = 0.003
_SMALL_NOTIONAL = 1e4


def range_name(length: float) -> str:
    """A number of days as a range is called.

    Example:
        >>> range_name(7), range_name(13.83), range_name(1), range_name(0.25)
        ('7 days', '13.8 days', '24 hours', '6 hours')
    """
    if length <= 1:
        return f"{length * 24:.3g} hours"
    return f"{length:.3g} days"


def brief(at: Instant) -> str:
    """Day and time without the year, for tables.

    Example:
        >>> brief(1781222400000000)
        '12 June, 00:00'
    """
    return f"{day(at).rsplit(' ', 1)[0]}, {clock(at)}"


def heatmap_heading(facts: Facts, scene: HeatScene) -> str:
    """What the price ran through in the first view, and where most is left."""
    long, short = _modelled_liquidations(scene, scene.start, scene.end)
    length = range_name(scene.days[scene.first])
    went = _price_move(scene)
    if max(long, short) < _SMALL_NOTIONAL:
        head = f"Price {went} in {length} and reached no crowded level"
    else:
        side, size = ("longs", long) if long >= short else ("shorts", short)
        head = f"Price {went} in {length}, through {usd(size)} of {side}"
    near = [c for c in facts.clusters if scene.view[0] <= c.peak <= scene.view[1]]
    left = max(near, key=lambda c: c.notional, default=None)
    if left is None:
        return head
    return f"{head}; the largest cluster left in sight is {cluster_location(left)}"


def heatmap_lede(scene: HeatScene) -> str:
    """What is modelled, and what was reported beside it."""
    long, short = _modelled_liquidations(scene, scene.start, scene.end)
    length = range_name(scene.days[scene.first])
    model = (
        f"In these {length} the model liquidated {usd(long)} of longs and {usd(short)} of shorts on this instrument."
    )
    told = scene.realised
    if told is None:
        return f"{model} No realised liquidations are loaded to hold beside it."
    whose = "its own feed" if told.feed == scene.heat.instrument else f"{told.feed}, a sum over venues,"
    start, end = max(scene.start, told.since), min(scene.end, told.until)
    real = told.between(start, end) if start < end else None
    if real is None:
        return f"{model} Of that time {whose} tells nothing."
    if (start, end) == (scene.start, scene.end):
        return f"{model} In the same time {whose} reports {usd(real[0])} and {usd(real[1])}."
    long, short = _modelled_liquidations(scene, start, end)
    return (
        f"{model} From {brief(start)} to {brief(end)} only, {whose.rstrip(',')}, reports {usd(real[0])} and "
        f"{usd(real[1])}; the model has {usd(long)} and {usd(short)} there."
    )


def heatmap_alt_text(facts: Facts, scene: HeatScene) -> str:
    """The chart in words, for those who do not see it."""
    return (
        f"Heatmap of {facts.map.instrument}: time to the right, price up, notional that would be liquidated as shade, "
        f"longs below the price and shorts above it. {heatmap_heading(facts, scene)}. "
        "The table below gives the numbers."
    )


def _modelled_liquidations(scene: HeatScene, start: Instant, end: Instant) -> tuple[float, float]:
    within = (scene.heat.at > start) & (scene.heat.at <= end)
    long, short = scene.heat.predicted[within].sum(axis=(0, 2)).tolist()
    return long, short


def _price_move(scene: HeatScene) -> str:
    """How far the price went."""
    heat = scene.heat
    begin = max(int(heat.at.searchsorted(scene.start, side="right")) - 1, 0)
    change = float(heat.close[-1] / heat.close[begin] - 1)
    if abs(change) < _FLAT_MOVE:
        return f"ended at {price(float(heat.close[-1]), scene.tick)}, where it began,"
    return f"{'rose' if change > 0 else 'fell'} {percent(abs(change))}"
