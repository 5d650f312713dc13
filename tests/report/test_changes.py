"""What is called new and what gone: only what the issue before could have known, and only what is nowhere now."""

from __future__ import annotations

from _helpers.sample_issue import DAY, make_issue
from liqmap.report.site.changes import NEAR, changes_since
from liqmap.report.site.issue import issue_summary


def test_a_cluster_is_not_gone_because_the_mark_went_away_from_it() -> None:
    issue = make_issue()
    facts = issue.facts[0]
    told = issue_summary(issue)
    entry = told["instruments"][0]
    far = max((c for c in facts.clusters if abs(c.distance) > NEAR), key=lambda c: c.notional)
    entry["clusters"].append({"side": far.side, "peak": far.peak, "notional": 2 * far.notional})
    change = changes_since(facts, issue.at + DAY, told)
    assert change is not None
    (first, *_) = change.clusters
    assert (first.word, first.peak, first.now) == ("thinner", far.peak, far.notional)


def test_a_cluster_is_not_new_because_the_mark_came_near_it() -> None:
    issue = make_issue()
    facts = issue.facts[0]
    told = issue_summary(issue)
    entry = told["instruments"][0]
    entry["clusters"] = []
    entry["mark_price"] = facts.map.mark_price * 1.1
    change = changes_since(facts, issue.at + DAY, told)
    assert change is not None
    new = change.clusters
    assert {moved.word for moved in new} == {"new"}
    assert all(abs(moved.peak / entry["mark_price"] - 1) <= NEAR for moved in new)
