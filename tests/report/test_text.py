"""Sentences of the pages: findings with prices, distances and amounts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from _helpers.sample_issue import make_issue
from liqmap._base.number_format import share
from liqmap.history.coverage import Coverage, Gap, Span, StaleRun
from liqmap.report.facts import Facts, source_tables
from liqmap.report.pages.levels import PAGE
from liqmap.report.text import sentences


@pytest.fixture(scope="module")
def facts() -> Facts:
    return make_issue().facts[0]


def without(facts: Facts, *sides: str) -> Facts:
    empty = {side: np.zeros_like(facts.map.long) for side in sides}
    return Facts(facts.about, replace(facts.map, **empty))


def test_the_headline_names_the_larger_side_first(facts: Facts) -> None:
    first, second = sentences.largest_clusters(facts)
    assert first.notional >= second.notional
    text = sentences.finding(facts)
    assert text.startswith(f"{first.side.capitalize()}s ")
    assert f", {second.side}s at " in text
    assert all(abs(cluster.distance) <= sentences.NEAR for cluster in (first, second))


def test_the_headline_states_a_missing_side(facts: Facts) -> None:
    assert sentences.finding(without(facts, "long")).endswith("; no cluster of longs within 15\u202f%")
    assert sentences.finding(without(facts, "long", "short")) == "No cluster within 15\u202f% of 77,412"
    assert "there are no liquidation levels" in sentences.balance(without(facts, "long", "short"))
    assert sentences.balance(without(facts, "long")).endswith("nearly all of it above.")


def test_within_sums_the_levels_between_mark_and_reach(facts: Facts) -> None:
    for reach in (0.01, 0.05, 0.2):
        near = facts.within(reach)
        edges = facts.map.grid.edges()
        whole_below = facts.map.side("long")[edges[:-1] >= facts.map.mark_price * (1 - reach)].sum()
        whole_above = facts.map.side("short")[edges[1:] <= facts.map.mark_price * (1 + reach)].sum()
        assert whole_below <= near.long <= whole_below + facts.map.side("long").max()
        assert whole_above <= near.short <= whole_above + facts.map.side("short").max()
    everything = facts.within(0.99)
    assert everything.long == pytest.approx(facts.map.side("long").sum())
    assert everything.short == pytest.approx(facts.map.side("short").sum())


@pytest.mark.parametrize("scale", [1e-7, 1e-3, 1.0, 3e4])
def test_headlines_format_prices_of_any_size(facts: Facts, scale: float) -> None:
    grid = replace(facts.map.grid, tick=facts.map.grid.tick * scale)
    made = replace(facts.map, grid=grid, mark_price=facts.map.mark_price * scale)
    text = sentences.finding(Facts(facts.about, made))
    assert "e-" not in text
    assert len(text) < 120


def test_sentences_contain_no_advice() -> None:
    text = " ".join((sentences.finding(f) + sentences.balance(f) + sentences.alt_text(f)) for f in make_issue().facts)
    assert "!" not in text
    assert not any(word in text.lower() for word in ("buy", "sell", "should", "danger", "bullish", "bearish"))


def test_dates_do_not_depend_on_the_locale() -> None:
    assert sentences.stamp(1781222400000000) == "12 June 2026, 00:00 UTC"
    assert sentences.sentence("open interest of Binance is USD") == "Open interest of Binance is USD."


def test_gaps_are_those_known_at_the_time_of_the_map(facts: Facts) -> None:
    at = facts.map.at
    hour = 3_600_000_000
    known, later = Gap(at - 5 * hour, at - 3 * hour, 24), Gap(at + hour, at + 9 * hour, 96)
    run = StaleRun(at - 2 * hour, at - hour, 12)
    span = Span(facts.map.instrument, "bars", "300 s last", 0, at, 5749, 300, (known, later), ())
    still = Span(facts.map.instrument, "open_interest", "", 0, at, 5749, 300, (), (run,))
    bars, interest = source_tables(facts.map.provenance, Coverage((span, still)), at)
    assert sentences.gaps(bars) == "24 rows missing, longest gap 2 h"
    assert sentences.gaps(interest) == "12 stale readings"


def spoken(number: int) -> str:
    """An English number from 0 to 100 in words."""
    small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    small += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "one hundred"]
    return small[number] if number < len(small) else tens[number // 10 - 2]


@pytest.mark.parametrize("per_cent", range(101))
def test_every_percentage_has_the_article_of_its_spoken_form(per_cent: int) -> None:
    article = "an" if spoken(per_cent)[0] in "aeiou" and spoken(per_cent) != "one" else "a"
    article = "a" if spoken(per_cent).startswith("one") else article  # spoken with a leading w
    number = share(per_cent / 100)
    assert sentences.with_article(number) == f"{article} {number}"


def test_the_headline_of_the_levels_page_uses_the_article_of_its_percentage() -> None:
    facts = make_issue().facts[0]
    levels = facts.page_data["levels"]
    rows = levels.clusters.rows
    for chance, expected in ((0.87, "have an 87\u202f% chance"), (0.31, "have a 31\u202f% chance")):
        first = replace(rows[0], touch=dict.fromkeys(rows[0].touch, chance))
        content = PAGE.build(facts, replace(levels, clusters=replace(levels.clusters, rows=(first,))))
        assert expected in content.heading
