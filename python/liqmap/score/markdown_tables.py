"""Backtest results as Markdown tables, for the terminal and for ``docs/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError
from liqmap.score.calibrate import NOT_CONVERGED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from liqmap.positions.engine.calibration import Calibration
    from liqmap.score.backtest import BacktestResult
    from liqmap.score.evaluation import ScoreRow

__all__ = ["BEGIN", "END", "format_backtests", "format_calibration", "markdown_table", "write_between_markers"]

BEGIN, END = "<!-- tables: made by `make score` -->", "<!-- end of tables -->"

_TITLES = {
    "skill": "Relative to price alone (the move, and its extension beyond the trailing 4 h … 168 h extremes)",
    "harder": "Relative to price alone with the range of the period and the position of its close",
    "placebo": "Placebos: the same procedure with an uninformative map, relative to price alone",
}


def format_backtests(cards: Sequence[BacktestResult]) -> str:
    """All tables in Markdown, aligned for reading in a terminal; a calibration used by two tests is shown once."""
    texts, shown = [], []
    for card in cards:
        texts.append(_format_result(card, fit=card.calibration not in shown))
        shown.append(card.calibration)
    return "\n\n".join(texts) + "\n"


def write_between_markers(text: str, page: Path) -> None:
    """Replace the text between the two markers of the page.

    Raises:
        InputError: The page is missing or lacks a marker.
    """
    try:
        old = page.read_text("utf-8")
    except OSError as error:
        raise InputError("score", str(page), error.strerror or str(error), "a page", "not written") from None
    head, found, rest = old.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not (found and closed):
        raise InputError("score", str(page), "no markers for the tables", f"{BEGIN} … {END}", "not written")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", "utf-8")


def _format_result(card: BacktestResult, *, fit: bool) -> str:
    parts = [f"### {card.test.title}", " ".join(_format_facts(card)), _format_verdict(card)]
    for name, rows in card.tables.items():
        parts += [f"**{_TITLES[name]}**", _format_rows(rows)]
    if card.correlations:
        lines = [[c.name, f"{c.long:.3f}", f"{c.short:.3f}"] for c in card.correlations]
        parts += ["**Spearman's ρ with realised notional, all periods**", markdown_table(["", "long", "short"], lines)]
    if fit and card.calibration is not None:
        parts += [
            "**Fitted shares: thousandths of traded volume, by distance**",
            format_calibration(card.calibration),
            *(f"Warning: {note}." for note in card.calibration.notes if NOT_CONVERGED in note),
        ]
    if fit and card.mapped is not None:
        long, short = card.mapped
        parts.append(f"Mapped at the end of the fitted span: {long:.1%} of open interest long, {short:.1%} short.")
    return "\n\n".join(parts)


def _format_facts(card: BacktestResult) -> list[str]:
    test, (long, short) = card.test, (f"{usd / 1e6:,.0f} M USD" for usd in card.realised)
    return [
        f"{test.instrument}, realised liquidations from {test.feed}, periods of {card.hours:g} h.",
        f"{card.warm_up_days:.0f} days of warm-up.",
        f"Fitted {test.fitted[0]} → {test.fitted[1]} ({card.periods[0]} periods),",
        f"evaluated {test.judged[0]} → {test.judged[1]} ({card.periods[1]} periods:",
        f"{long} of longs and {short} of shorts were liquidated).",
    ]


def _format_verdict(card: BacktestResult) -> str:
    verdict = {True: "the map improves on price alone", False: "no demonstrated skill over price alone"}
    long, short = card.demonstrated
    return f"Longs: {verdict[long]}. Shorts: {verdict[short]}."


def _format_rows(rows: Sequence[ScoreRow]) -> str:
    lines = []
    for row in rows:
        cells = [row.name]
        for s in (0, 1):
            cells += [f"{row.deviance[s]:,.0f}", f"{row.gain[s]:+.0%} [{row.low[s]:+.0%}, {row.high[s]:+.0%}]"]
        lines.append(cells)
    table = markdown_table(["", "long", "gain [90 %]", "short", "gain [90 %]"], lines)
    warnings = [
        f"Warning: a fit of {row.name} for {side} {NOT_CONVERGED}; its figures are approximate."
        for row in rows
        for side, converged in zip(("longs", "shorts"), row.converged, strict=True)
        if not converged
    ]
    return "\n\n".join([table, *warnings])


def format_calibration(fitted: Calibration) -> str:
    """Table of the fitted shares: thousandths of traded volume, by distance."""
    lines = []
    for i, distance in enumerate(fitted.kernel.distances):
        cells = [f"{distance:.2%}"]
        for s, shares in enumerate((fitted.kernel.long, fitted.kernel.short)):
            low, high = fitted.low[s][i] * 1e3, fitted.high[s][i] * 1e3
            cells += [f"{shares[i] * 1e3:.2f} [{low:.2f}, {high:.2f}]", f"{fitted.prior_share[s][i]:.0%}"]
        lines.append(cells)
    return markdown_table(["distance", "long [90 %]", "prior share", "short [90 %]", "prior share"], lines)


def markdown_table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table with aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]

    def row(cells: list[str]) -> str:
        left, *rest = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([left, *rest]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
    return "\n".join([row(head), rule, *(row(line) for line in lines)])
