"""New and ended clusters are reported only within the price range of the previous issue."""

from __future__ import annotations

from _helpers.sample_issue import DAY, make_issue
from liqmap.report.site.changes import NEAR, changes_since
from liqmap.report.site.issue import issue_summary


def test_a_cluster_is_not_gone_because_the_mark_moved_away() -> None:
    issue = make_issue()
    facts = issue.facts[0]
    summary = issue_summary(issue)
    entry = summary["instruments"][0]
    far = max((c for c in facts.clusters if abs(c.distance) > NEAR), key=lambda c: c.notional)
    entry["clusters"].append({"side": far.side, "peak": far.peak, "notional": 2 * far.notional})
    change = changes_since(facts, issue.at + DAY, summary)
    assert change is not None
    (first, *_) = change.clusters
    assert (first.status, first.peak, first.current) == ("smaller", far.peak, far.notional)


def test_a_cluster_is_not_new_because_the_mark_moved_closer() -> None:
    issue = make_issue()
    facts = issue.facts[0]
    summary = issue_summary(issue)
    entry = summary["instruments"][0]
    entry["clusters"] = []
    entry["mark_price"] = facts.map.mark_price * 1.1
    change = changes_since(facts, issue.at + DAY, summary)
    assert change is not None
    new = change.clusters
    assert {row.status for row in new} == {"new"}
    assert all(abs(row.peak / entry["mark_price"] - 1) <= NEAR for row in new)
