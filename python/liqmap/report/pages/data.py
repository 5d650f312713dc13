"""Data page: inputs of a map, method, ledger check and limitations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.timestamps import iso
from liqmap.report.facts import coverage_as_of
from liqmap.report.page import Page, PageContent
from liqmap.report.site.downloads import Cell, table_files
from liqmap.report.svg.calendar import DAY, SHADE_COUNT, Calendar, calendar
from liqmap.report.text import sentences

if TYPE_CHECKING:
    from liqmap.history.coverage import Span
    from liqmap.report.facts import Facts

__all__ = ["PAGE", "CoverageCalendar", "coverage_calendar"]

_COMPLETE_SHARE = 0.9999


@dataclass(frozen=True, slots=True)
class CoverageCalendar:
    """Coverage of one data series.

    Attributes:
        table: Table of the series.
        series: Name of the series within the table.
        calendar: Share of rows present per day, in quarters; ``None`` for series without a fixed interval.
    """

    table: str
    series: str
    calendar: Calendar | None


def coverage_calendar(span: Span) -> CoverageCalendar:
    """Build the coverage calendar of a series."""
    if span.interval_s is None:
        return CoverageCalendar(span.table, span.series, None)
    end = span.last + round(span.interval_s * 1e6)
    shades = {}
    for day in range(span.first // DAY, math.ceil(end / DAY)):
        start, stop = max(day * DAY, span.first), min((day + 1) * DAY, end)
        lost = sum(max(0, min(gap.end, stop) - max(gap.start, start)) for gap in span.gaps)
        share = 1 - lost / (stop - start)
        shades[day] = (
            SHADE_COUNT - 1 if share > _COMPLETE_SHARE else max(0, math.ceil(share * (SHADE_COUNT - 1)) - (share > 0))
        )
    return CoverageCalendar(span.table, span.series, calendar(shades))


def _build(facts: Facts, _: None) -> PageContent:
    spans = coverage_as_of(facts.coverage, facts.map.at)
    return PageContent(
        heading=sentences.data_heading(facts),
        lede=sentences.data_lede(facts),
        values={"series": [coverage_calendar(span) for span in spans]},
        files=table_files("data", *_table(spans)),
    )


def _table(spans: tuple[Span, ...]) -> tuple[list[str], list[tuple[Cell, ...]]]:
    """Table of all series with their gaps and stale runs."""
    head = ["instrument", "table", "series", "kind", "start", "end", "rows"]
    lines: list[tuple[Cell, ...]] = []
    for span in spans:
        name = (span.instrument, span.table, span.series)
        lines.append((*name, "series", iso(span.first), iso(span.last), span.rows or None))
        lines += [(*name, "gap", iso(gap.start), iso(gap.end), gap.missing) for gap in span.gaps]
        lines += [(*name, "stale", iso(run.start), iso(run.end), run.rows) for run in span.stale]
    return head, lines


PAGE = Page("data", "Data and method", _build)
