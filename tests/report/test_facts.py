"""What a page is told: its cascades run through the book that was there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import liqmap
from _helpers.five_minute_market import NAME, write_market
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.stress.book_side import Ladder
from liqmap.stress.impact_selection import usable

REPORT = Report(title="Bitcoin", instruments=(NAME,), shocks=(-0.02, 0.02))


def test_cascades_of_a_page_walk_the_stored_book(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path)) as history:
        (facts,) = collect_issue(history, REPORT).facts
        book = history.depth(NAME, facts.map.at)
        assert [c.to_dict() for c in facts.cascades] == [facts.map.cascade(s, book).to_dict() for s in (-0.02, 0.02)]
        assert facts.cascades[0].assumptions[0].startswith(f"depth: book of {NAME}; visible to")


def test_a_page_without_a_book_says_what_stands_in(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path, book_at=None)) as history:
        (facts,) = collect_issue(history, REPORT).facts
    assert facts.cascades[0].assumptions[0].startswith("depth: none in the history at that time; fallback")


def test_a_price_that_left_its_book_does_not_cost_the_page(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path, book_at=1.09)) as history:
        (facts,) = collect_issue(history, REPORT).facts
    assert "its relative shape moved to" in facts.cascades[0].assumptions[0]


def test_a_side_the_book_lacks_falls_back_and_says_so(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path)) as history:
        m = history.map(NAME)
        book = history.depth(NAME, m.at)
    assert book is not None
    asks_only = replace(book, bid=Ladder(np.empty(0), np.empty(0)))
    assert usable(m, asks_only, "short") is asks_only
    told = m.cascade(-0.02, usable(m, asks_only, "long")).assumptions[0]
    assert told.startswith(f"depth: the book of {NAME} lacks this side; fallback: power-law")
