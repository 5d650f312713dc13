"""Sentences of the pages. They state findings with units and give no advice."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from liqmap._base.number_format import NARROW_SPACE, percent, price, price_range, usd
from liqmap._base.timestamps import parse_instant

if TYPE_CHECKING:
    from liqmap._base.instruments import Side
    from liqmap._base.timestamps import Instant
    from liqmap.maps.clusters import Cluster
    from liqmap.report.facts import Facts, Source

__all__ = [
    "alt_text",
    "balance",
    "clock",
    "cluster_location",
    "data_heading",
    "data_lede",
    "day",
    "duration_text",
    "finding",
    "format_times_and_percents",
    "gaps",
    "headline_clusters",
    "largest_clusters",
    "mapped_share",
    "price_change",
    "price_ladder",
    "round_price_range",
    "sentence",
    "stamp",
    "with_article",
]

NEAR = 0.15
"""Maximum distance from the mark of clusters in headlines, a fraction."""

_SIDES = ("long", "short")
_EVEN_RATIO = 1.15
_ONE_SIDED_RATIO = 50.0
_LEDGER_TOLERANCE = 1e-9
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?(?![\w-])")
_PERCENT_SIGN = re.compile(r"(\d) ?%")
_LEADING_DIGITS = re.compile(r"\d+")
_VOWEL_NUMBERS = {"11", "18"}


def finding(facts: Facts) -> str:
    """The headline: the largest cluster of each side near the mark, larger side first."""
    found = largest_clusters(facts)
    if not found:
        return f"No cluster within {percent(NEAR, 0)} of {price(facts.map.mark_price, facts.map.grid.tick)}"
    first = found[0]
    verb = "are concentrated" if first.band == "extreme" else "cluster"
    head = f"{first.side.capitalize()}s {verb} at {cluster_location(first)}"
    if len(found) == 1:
        other = "shorts" if first.side == "long" else "longs"
        return f"{head}; no cluster of {other} within {percent(NEAR, 0)}"
    return f"{head}, {found[1].side}s at {cluster_location(found[1])}"


def largest_clusters(facts: Facts) -> tuple[Cluster, ...]:
    """The largest cluster of each side within :data:`NEAR` of the mark, larger one first."""
    near = [cluster for cluster in facts.clusters if abs(cluster.distance) <= NEAR]
    largest = [max((c for c in near if c.side == side), key=lambda c: c.notional, default=None) for side in _SIDES]
    return tuple(sorted((cluster for cluster in largest if cluster), key=lambda cluster: -cluster.notional))


def headline_clusters(facts: Facts, side: Side, count: int = 3) -> tuple[Cluster, ...]:
    """The largest clusters of a side within :data:`NEAR` of the mark, nearest first."""
    near = [cluster for cluster in facts.of_side(side) if abs(cluster.distance) <= NEAR]
    largest = sorted(near, key=lambda cluster: -cluster.notional)[:count]
    return tuple(cluster for cluster in near if cluster in largest)


def price_ladder(facts: Facts, side: Side, count: int = 8) -> tuple[Cluster, ...]:
    """The largest clusters of a side within :data:`NEAR` of the mark, highest price first like a price ladder."""
    return tuple(sorted(headline_clusters(facts, side, count), key=lambda cluster: -cluster.peak))


def gaps(source: Source) -> str:
    """Gaps and stale readings of a table as text.

    Example:
        >>> from liqmap.report.facts import Source
        >>> gaps(Source("bars", 5749, 0, 1, missing=12, longest=3_600_000_000))
        '12 rows missing, longest gap 1 h'
        >>> gaps(Source("open_interest", 5749, 0, 1, stale=9))
        '9 stale readings'
    """
    parts = []
    if source.missing:
        parts.append(f"{source.missing:,} rows missing, longest gap {duration_text(source.longest)}")
    if source.stale:
        parts.append(f"{source.stale:,} stale readings")
    return "; ".join(parts) or "none"


def duration_text(length: Instant) -> str:
    """Format a duration in its largest unit.

    Example:
        >>> [duration_text(seconds * 10**6) for seconds in (300, 5_400, 86_400, 3 * 86_400)]
        ['5 min', '1.5 h', '24 h', '3 d']
    """
    seconds = length / 1e6
    for name, size, least in (("d", 86_400, 2), ("h", 3_600, 1), ("min", 60, 1)):
        if seconds >= size * least:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {name}"
    return f"{seconds:.3g} s"


def sentence(text: str) -> str:
    """Format a note as a sentence: capital letter, full stop, formatted times and percentages.

    Example:
        >>> sentence("25.7% of it, seen 2026-06-12T00:00:00Z; tiers of 2026-09-29")
        '25.7\u202f% of it, seen 12 June 2026, 00:00 UTC; tiers of 29 September 2026.'
    """
    text = format_times_and_percents(text)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def with_article(number: str) -> str:
    """Prefix a formatted number with the indefinite article of its spoken form, such as "an" for eight and eleven.

    Example:
        >>> with_article("87 %"), with_article("11 %"), with_article("1.8 %"), with_article("<1 %")
        ('an 87 %', 'an 11 %', 'a 1.8 %', 'a <1 %')
    """
    digits = _LEADING_DIGITS.match(number)
    # Only the leading group is spoken first: 18,000 is "eighteen thousand", 180 is "one hundred and eighty".
    leading = "" if digits is None else digits[0]
    return f"{'an' if leading.startswith('8') or leading in _VOWEL_NUMBERS else 'a'} {number}"


def format_times_and_percents(text: str) -> str:
    """Format the times and percentages of a text from another package."""
    text = _ISO.sub(lambda found: (stamp if found[1] else day)(parse_instant(found[0])), text)
    return _PERCENT_SIGN.sub(rf"\1{NARROW_SPACE}%", text)


def data_heading(facts: Facts) -> str:
    """Heading of the data page: ledger balance and missing rows."""
    error = facts.map.ledger.error(facts.map.open_interest)
    books = "Longs = shorts = open interest" if error < _LEDGER_TOLERANCE else f"Ledger imbalance {percent(error, 4)}"
    lost, rows = sum(source.missing for source in facts.sources), sum(source.rows for source in facts.sources)
    if not rows:
        return books
    if not lost:
        return f"{books}; {rows:,} rows without gaps"
    return f"{books}; {lost:,} of {lost + rows:,} rows are missing"


def data_lede(facts: Facts) -> str:
    """Observed and modelled share of the map and the period of its data."""
    share = facts.map.provenance.observed_share
    kind = f"{percent(share)} of the map is observed, the rest modelled"
    if share in (0, 1):
        kind = "Every position is observed" if share else "Every position is modelled"
    if not facts.sources:
        return f"{kind}."
    first = min(source.first for source in facts.sources)
    return f"{kind}, from {day(first)} to {stamp(facts.data_to)}."


def mapped_share(facts: Facts) -> float:
    """Share of open interest with a liquidation level on the map, both sides together."""
    ledger = facts.map.ledger
    both = ledger.long.open + ledger.short.open
    return (ledger.long.mapped + ledger.short.mapped) / both if both > 0 else 0.0


def balance(facts: Facts, reach: float = 0.05) -> str:
    """Notional on each side within ``reach`` of the mark, and their ratio."""
    near = facts.within(reach)
    head = f"Within {percent(reach, 0)} of the mark"
    if max(near.long, near.short) <= 0:
        return f"{head} there are no liquidation levels."
    both = f"{head}: {usd(near.long)} of longs below, {usd(near.short)} of shorts above"
    less, more = sorted((near.long, near.short))
    side = "below" if near.long > near.short else "above"
    if more < _EVEN_RATIO * less:
        return f"{both}, about even."
    if more > _ONE_SIDED_RATIO * less:
        return f"{both}, nearly all of it {side}."
    return f"{both}, {more / less:.1f} times as much {side}."


def alt_text(facts: Facts) -> str:
    """Alternative text of the map chart."""
    near = facts.within(0.15)
    return (
        f"Liquidation map of {facts.map.instrument}: notional liquidated by price. {finding(facts)}. "
        f"Within 15 % of the mark of {price(facts.map.mark_price, facts.map.grid.tick)} "
        f"lie {usd(near.long)} of longs below and {usd(near.short)} of shorts above. The tables below give the numbers."
    )


def stamp(at: Instant) -> str:
    """Format day and time, UTC.

    Example:
        >>> stamp(1781222400000000)
        '12 June 2026, 00:00 UTC'
    """
    return f"{day(at)}, {clock(at)} UTC"


def day(at: Instant) -> str:
    """Format the day with the name of the month."""
    moment = _utc_datetime(at)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def clock(at: Instant) -> str:
    """Format hours and minutes, UTC."""
    return _utc_datetime(at).strftime("%H:%M")


# strftime uses the locale of the machine; pages must be identical everywhere.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _utc_datetime(at: Instant) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def price_change(then: float, now: float, tick: float) -> str:
    """Describe a price change with both prices.

    Example:
        >>> price_change(63_298.0, 63_936.1, 0.1)
        'rose 1.0\u202f%, from 63,298 to 63,936,'
    """
    change = now / then - 1
    verb = "rose" if change >= 0 else "fell"
    return f"{verb} {percent(abs(change))}, from {price(then, tick)} to {price(now, tick)},"


def cluster_location(cluster: Cluster) -> str:
    """Rounded price range of a cluster and the distance of its peak."""
    return f"{round_price_range(cluster.low, cluster.high)} ({percent(cluster.distance, signed=True)})"


def round_price_range(low: float, high: float) -> str:
    """Format a price range rounded for headlines.

    Example:
        >>> round_price_range(72_078.3, 72_984.1), round_price_range(1.2341, 1.2342)
        ('72,100–73,000', '1.234')
    """
    step = 10.0 ** math.floor(math.log10(high * 2e-3))
    first, last = (round(edge / step) * step for edge in (low, high))
    return price_range(first, last) if last > first else price(first)
