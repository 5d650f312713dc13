"""The scorecard as text: one form for the terminal and, in Markdown, for ``docs/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from liqmap.positions.engine.calibration import Calibration
    from liqmap.score.backtest import Card
    from liqmap.score.evaluation import Row

__all__ = ["BEGIN", "END", "kernel", "put", "sheet", "table"]

BEGIN, END = "<!-- tables: made by `make score` -->", "<!-- end of tables -->"

_HEADS = {
    "skill": "Against price alone (the move, and how far it went beyond the trailing 4 h … 168 h extremes)",
    "harder": "Against price alone that also knows the period's range and where in it it closed",
    "placebo": "Placebos: the same machinery with a map that should know nothing, against price alone",
}


def sheet(cards: Sequence[Card]) -> str:
    """All tables in Markdown, aligned so that they read well in a terminal too; a fit used twice is shown once."""
    texts, seen = [], []
    for card in cards:
        texts.append(_card(card, fit=card.calibration not in seen))
        seen.append(card.calibration)
    return "\n\n".join(texts) + "\n"


def put(text: str, page: Path) -> None:
    """Replace what stands between the page's two marks.

    Raises:
        InputError: There is no such page, or it has not both marks.
    """
    try:
        old = page.read_text("utf-8")
    except OSError as error:
        raise InputError("score", str(page), error.strerror or str(error), "a page", "not written") from None
    head, found, rest = old.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not (found and closed):
        raise InputError("score", str(page), "no place for the tables", f"{BEGIN} … {END}", "not written")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", "utf-8")


def _card(card: Card, *, fit: bool) -> str:
    parts = [f"### {card.test.title}", " ".join(_facts(card)), _verdict(card)]
    for name, rows in card.tables.items():
        parts += [f"**{_HEADS[name]}**", _rows(rows)]
    if card.correlations:
        lines = [[c.name, f"{c.long:.3f}", f"{c.short:.3f}"] for c in card.correlations]
        parts += ["**Spearman's ρ with realised notional, all periods**", table(["", "long", "short"], lines)]
    if fit and card.calibration is not None:
        parts += ["**What was fitted: thousandths of traded volume, by distance**", kernel(card.calibration)]
    if fit and card.mapped is not None:
        long, short = card.mapped
        parts.append(f"On the map when the fitted span ends: {long:.1%} of open interest long, {short:.1%} short.")
    return "\n\n".join(parts)


def _facts(card: Card) -> list[str]:
    test, (long, short) = card.test, (f"{usd / 1e6:,.0f} M USD" for usd in card.realised)
    return [
        f"{test.instrument} against realised liquidations of {test.feed}, periods of {card.hours:g} h.",
        f"{card.warm_up_days:.0f} days of warm-up.",
        f"Fitted {test.fitted[0]} → {test.fitted[1]} ({card.periods[0]} periods),",
        f"judged {test.judged[0]} → {test.judged[1]} ({card.periods[1]} periods:",
        f"{long} of longs and {short} of shorts were liquidated).",
    ]


def _verdict(card: Card) -> str:
    shown = {True: "the map adds to price alone", False: "no demonstrated skill beside price alone"}
    long, short = card.demonstrated
    return f"Longs: {shown[long]}. Shorts: {shown[short]}."


def _rows(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        cells = [row.name]
        for s in (0, 1):
            cells += [f"{row.deviance[s]:,.0f}", f"{row.gain[s]:+.0%} [{row.low[s]:+.0%}, {row.high[s]:+.0%}]"]
        lines.append(cells)
    return table(["", "long", "gain [90 %]", "short", "gain [90 %]"], lines)


def kernel(fitted: Calibration) -> str:
    """What was fitted, as a table: thousandths of traded volume, by distance."""
    lines = []
    for i, distance in enumerate(fitted.kernel.distances):
        cells = [f"{distance:.2%}"]
        for s, shares in enumerate((fitted.kernel.long, fitted.kernel.short)):
            low, high = fitted.low[s][i] * 1e3, fitted.high[s][i] * 1e3
            cells += [f"{shares[i] * 1e3:.2f} [{low:.2f}, {high:.2f}]", f"{fitted.prior_share[s][i]:.0%}"]
        lines.append(cells)
    return table(["distance", "long [90 %]", "of it prior", "short [90 %]", "of it prior"], lines)


def table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table that reads well as it stands: first column left, the others right."""
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]

    def row(cells: list[str]) -> str:
        left, *rest = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([left, *rest]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
    return "\n".join([row(head), rule, *(row(line) for line in lines)])
