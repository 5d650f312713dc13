"""``liqmap score``: evaluate maps against realised liquidations."""

from __future__ import annotations

import json as text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from liqmap.demo.truth_scorecard import TruthScore
    from liqmap.score.plan import SimulatedTest

__all__ = ["score"]


def score(
    plan: Path | None = None,
    /,
    *,
    db: Path,
    json: Annotated[bool, Parameter(negative="")] = False,
    docs: Path | None = None,
) -> None:
    """Evaluate maps against realised liquidations, a price-only baseline and placebos.

    Args:
        plan: A TOML file of tests, such as reports/skill.toml; by default every instrument with bars and realised
            liquidations is fitted on the first half of the history and evaluated on the second.
        db: The history file.
        json: Print one JSON object with the tests and any simulated markets of the plan.
        docs: Also insert the tables into this Markdown file, between its markers.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - keep start-up fast
    from liqmap.score.backtest import run_backtests as run  # noqa: PLC0415
    from liqmap.score.markdown_tables import format_backtests, write_between_markers  # noqa: PLC0415
    from liqmap.score.plan import read_plan, suggest_plan  # noqa: PLC0415

    asked = None if plan is None else read_plan(plan)
    with open_store(db) as store:
        asked = suggest_plan(store) if asked is None else asked
        cards = run(store, asked.test)
    held = {simulated.title: _evaluate_simulated(simulated) for simulated in asked.simulated}
    tables = format_backtests(cards)
    if held:
        from liqmap.demo import truth_scorecard  # noqa: PLC0415 - load the simulation only when needed

        tables = "\n".join([tables, *(truth_scorecard.truth_scorecard(maps, title) for title, maps in held.items())])
    if docs is not None:
        write_between_markers(tables, docs)
    if json:
        plain = {title: [one.to_dict() for one in maps] for title, maps in held.items()}
        made = {"tests": [card.to_dict() for card in cards], "simulated": plain}
        sys.stdout.write(text.dumps(made, allow_nan=False) + "\n")
    else:
        sys.stdout.write(tables)


def _evaluate_simulated(simulated: SimulatedTest) -> list[TruthScore]:
    from liqmap.demo.truth_scorecard import score_against_truth  # noqa: PLC0415 - load the simulation only when needed

    spans = simulated.model_dump(exclude={"title", "seeds"})
    return [one for seed in simulated.seeds for one in score_against_truth(seed, **spans)]
