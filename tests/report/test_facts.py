"""Facts of a page: cascades use the stored order book or a labelled fallback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import liqmap
from _helpers.five_minute_market import NAME, write_market
from liqmap.report.collect import collect_issue
from liqmap.report.config import Report
from liqmap.stress.book_side import SideDepth
from liqmap.stress.impact_selection import usable_law

REPORT = Report(title="Bitcoin", instruments=(NAME,), shocks=(-0.02, 0.02))


def test_cascades_use_the_stored_order_book(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path)) as history:
        (facts,) = collect_issue(history, REPORT).facts
        book = history.depth(NAME, facts.map.at)
        assert [c.to_dict() for c in facts.cascades] == [facts.map.cascade(s, book).to_dict() for s in (-0.02, 0.02)]
        assert facts.cascades[0].assumptions[0].startswith(f"depth: book of {NAME}; visible to")


def test_a_missing_order_book_gives_a_labelled_fallback(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path, book_at=None)) as history:
        (facts,) = collect_issue(history, REPORT).facts
    assert facts.cascades[0].assumptions[0].startswith("depth: none in the history at that time; fallback")


def test_a_book_far_from_the_mark_gives_a_shifted_book(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path, book_at=1.09)) as history:
        (facts,) = collect_issue(history, REPORT).facts
    assert "its relative shape moved to" in facts.cascades[0].assumptions[0]


def test_a_side_missing_from_the_book_gives_a_labelled_fallback(tmp_path: Path) -> None:
    with liqmap.open(write_market(tmp_path)) as history:
        m = history.map(NAME)
        book = history.depth(NAME, m.at)
    assert book is not None
    asks_only = replace(book, bid=SideDepth(np.empty(0), np.empty(0)))
    assert usable_law(m, asks_only, "short") is asks_only
    note = m.cascade(-0.02, usable_law(m, asks_only, "long")).assumptions[0]
    assert note.startswith(f"depth: the book of {NAME} has no orders on this side; fallback: power-law")
