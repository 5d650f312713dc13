"""Sentences about the skill of maps: the banner of the front and map pages and the heading of the scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqmap._base.number_format import percent
from liqmap.report.page import MissingData
from liqmap.report.text.sentences import format_times_and_percents
from liqmap.score.issued_scorecard import IssuedScorecard
from liqmap.score.issued_skill import issues_needed

if TYPE_CHECKING:
    from liqmap.report.facts import Facts
    from liqmap.score.issued_scorecard import SideScorecard
    from liqmap.score.issued_skill import Gain

__all__ = ["banner", "convergence_warnings", "heading", "interval", "missing_reason", "missing_reasons"]

PAGE_NAME = "scorecard"


def banner(facts: Facts) -> str:
    """One sentence on the skill of the maps of the last 90 days over price-only baselines, with intervals."""
    card = facts.page_data.get(PAGE_NAME)
    if isinstance(card, MissingData):
        return f"Not scored yet: {card.reason[:1].lower()}{format_times_and_percents(card.reason[1:])}"
    if not isinstance(card, IssuedScorecard):
        return "Not scored: this report has no scorecard."
    sides = (("longs", card.long), ("shorts", card.short))
    if not any(of.skill for _, of in sides):
        return f"Not scored yet: {missing_reason(card, card.long)}"
    clauses = "; ".join(_side_clause(card, name, of) for name, of in sides)
    return f"Skill of {card.maps} maps over the price-only baseline: {clauses}."


def heading(card: IssuedScorecard) -> str:
    """Heading of the scorecard page."""
    sides = (("longs", card.long), ("shorts", card.short))
    good = [name for name, of in sides if of.skill is not None and of.skill.is_significant]
    if len(good) == len(sides):
        return "Maps improve on the price-only baseline for longs and shorts"
    if good:
        other = "shorts" if good == ["longs"] else "longs"
        return f"Maps improve on the price-only baseline for {good[0]}; no demonstrated skill yet for {other}"
    if any(of.skill is not None for _, of in sides):
        return "No demonstrated skill yet"
    return "Too few maps to score yet"


def missing_reason(card: IssuedScorecard, of: SideScorecard) -> str:
    """Why a side has no score: the number of maps available and needed."""
    if of.skill is not None:
        return ""
    least = issues_needed(card.per_day)
    if of.maps >= least and of.lacking is not None:
        return f"{format_times_and_percents(of.lacking[0])}."
    return f"the price reached a new extreme after {of.maps} maps; {least} are needed."


def missing_reasons(card: IssuedScorecard) -> tuple[str, ...]:
    """Reasons why sides have no score, without duplicates."""
    reasons = [
        (name, missing_reason(card, of)) for name, of in (("Longs", card.long), ("Shorts", card.short)) if not of.skill
    ]
    if len({reason for _, reason in reasons}) < len(reasons):
        return (f"Longs and shorts: {reasons[0][1]}",)
    return tuple(f"{name}: {reason}" for name, reason in reasons)


def convergence_warnings(card: IssuedScorecard) -> tuple[str, ...]:
    """Warnings for the baselines and placebos whose regressions did not converge, one sentence per side."""
    warnings = []
    for side, of in (("Longs", card.long), ("Shorts", card.short)):
        names = [rival.name for rival in of.skill.rivals if not rival.converged] if of.skill is not None else []
        if names:
            warnings.append(f"{side}: a regression did not converge, figures are approximate ({', '.join(names)}).")
    return tuple(warnings)


def interval(gain: Gain) -> str:
    """Format a gain with its interval.

    Example:
        >>> from liqmap.score.issued_skill import Gain
        >>> interval(Gain(0.13, -0.052, 0.2))
        '+13\u202f% [−5, +20]'
    """
    low, high = (percent(end, 0, signed=True)[:-2] for end in (gain.low, gain.high))
    return f"{percent(gain.gain, 0, signed=True)} [{low}, {high}]"


def _side_clause(card: IssuedScorecard, name: str, of: SideScorecard) -> str:
    if of.skill is None:
        return f"{name} not scored yet ({missing_reason(card, of).rstrip('.')})"
    gain = of.skill.skill
    return f"{name} {interval(gain)}" + ("" if of.skill.is_significant else ", no demonstrated skill yet")
