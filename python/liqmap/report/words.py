"""Sentences made from facts. They state what was found, with units; they neither advise nor exclaim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from liqmap.charts.numbers import percent, price, price_range, usd

if TYPE_CHECKING:
    from liqmap.clock import Instant
    from liqmap.instruments import Side
    from liqmap.maps.clusters import Cluster
    from liqmap.report.facts import Facts
    from liqmap.stress.cascade import Cascade

__all__ = [
    "alt_text",
    "balance",
    "clock",
    "day",
    "finding",
    "headline_clusters",
    "mapped_share",
    "shock_sentence",
    "stamp",
    "weightiest",
]

NEAR = 0.15
"""Clusters further than this from the mark make no headline."""

_EVEN = 1.15


def finding(facts: Facts) -> str:
    """The headline: where either side is thickest within reach, the heavier side first."""
    parts = sorted(
        ((weightiest(facts, side), side) for side in ("long", "short")),
        key=lambda found: -(found[0].notional if found[0] else 0.0),
    )
    (first, side), (second, other) = parts
    if first is None:
        return f"No cluster within {percent(NEAR, 0)} of {price(facts.map.mark_price, facts.map.grid.tick)}"
    if second is None:
        return f"{_crowd(facts, first)}; no cluster of {other}s within {percent(NEAR, 0)}"
    return f"{_crowd(facts, first)}, {other}s at {_where(facts, second)}"


def weightiest(facts: Facts, side: Side) -> Cluster | None:
    """The largest cluster of a side within reach of a headline."""
    near = [cluster for cluster in facts.clusters if cluster.side == side and abs(cluster.distance) <= NEAR]
    return max(near, key=lambda cluster: cluster.notional, default=None)


def headline_clusters(facts: Facts, side: Side, count: int = 3) -> tuple[Cluster, ...]:
    """A side's largest clusters within reach, nearest first."""
    near = [cluster for cluster in facts.of_side(side) if abs(cluster.distance) <= NEAR]
    largest = sorted(near, key=lambda cluster: -cluster.notional)[:count]
    return tuple(cluster for cluster in near if cluster in largest)


def mapped_share(facts: Facts) -> float:
    """Share of the open interest that price is expected to liquidate somewhere, both sides together."""
    ledger = facts.map.ledger
    both = ledger.long.open + ledger.short.open
    return (ledger.long.mapped + ledger.short.mapped) / both if both > 0 else 0.0


def balance(facts: Facts, reach: float = 0.05) -> str:
    """Which side holds more fuel within ``reach``, and how much more."""
    near = facts.within(reach)
    span = percent(reach, 0)
    if max(near.long, near.short) <= 0:
        return f"Within {span} of the mark nothing is expected to be liquidated."
    both = f"{usd(near.long)} of longs below and {usd(near.short)} of shorts above"
    less, more, side = (
        (near.short, near.long, "longs below") if near.long > near.short else (near.long, near.short, "shorts above")
    )
    if more < _EVEN * less:
        return f"Within {span} of the mark the two sides are even: {both}."
    times = f"{more / less:.1f} times" if less > 0 and more < 100 * less else "nearly all of"  # noqa: PLR2004
    if times.startswith("nearly"):
        return f"Within {span} of the mark nearly all of the fuel is {side}: {both}."
    return f"Within {span} of the mark there is {times} as much fuel in {side} as on the other side: {both}."


def shock_sentence(cascade: Cascade) -> str:
    """What one shock would do, with the band that the choice of law leaves."""
    low, _, high = cascade.bracket
    stops = sorted((low.stop_price, high.stop_price))
    return (
        f"A {percent(cascade.shock, signed=True)} shock stops at {price(cascade.stop_price)} "
        f"({price(stops[0])} to {price(stops[1])}) and liquidates {usd(cascade.liquidated)} of {cascade.side}s."
    )


def alt_text(facts: Facts) -> str:
    """The chart in words, for those who do not see it."""
    near = facts.within(0.15)
    return (
        f"Liquidation map of {facts.map.instrument}: notional liquidated by price. {finding(facts)}. "
        f"Within 15 % of the mark of {price(facts.map.mark_price, facts.map.grid.tick)} "
        f"lie {usd(near.long)} of longs below and {usd(near.short)} of shorts above. The tables below give the numbers."
    )


def stamp(at: Instant) -> str:
    """Day and time, UTC.

    Example:
        >>> stamp(1781222400000000)
        '12 June 2026, 00:00 UTC'
    """
    return f"{day(at)}, {clock(at)} UTC"


def day(at: Instant) -> str:
    """The day, spelt so that no reader has to guess which number is the month."""
    moment = _moment(at)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def clock(at: Instant) -> str:
    """Hours and minutes, UTC."""
    return _moment(at).strftime("%H:%M")


# Not strftime's: that follows the machine's language, and pages have to come out alike everywhere.
_MONTHS = "January February March April May June July August September October November December".split()


def _moment(at: Instant) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def _crowd(facts: Facts, cluster: Cluster) -> str:
    verb = "pile up" if cluster.band == "extreme" else "gather"
    return f"{cluster.side.capitalize()}s {verb} at {_where(facts, cluster)}"


def _where(facts: Facts, cluster: Cluster) -> str:
    span = price_range(cluster.low, cluster.high, facts.map.grid.tick)
    return f"{span} ({percent(cluster.distance, signed=True)})"
