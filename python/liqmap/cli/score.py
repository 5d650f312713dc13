"""``liqmap score``: was the map right?"""

from __future__ import annotations

import json as text
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["score"]


def score(
    plan: Path | None = None,
    /,
    *,
    db: Path,
    json: Annotated[bool, Parameter(negative="")] = False,
    docs: Path | None = None,
) -> None:
    """Judge maps against realised liquidations, beside price alone and placebos.

    Args:
        plan: A TOML file of tests, such as reports/skill.toml; without one, every instrument that has bars and realised
            liquidations is fitted on the first half of them and judged on the second.
        db: The history file.
        json: One JSON array, a test each.
        docs: Also put the tables into this page, between its marks.
    """
    from liqmap.history import open_store  # noqa: PLC0415 - the front door opens quickly
    from liqmap.score.card import score as run  # noqa: PLC0415
    from liqmap.score.plan import read_plan, suggest  # noqa: PLC0415
    from liqmap.score.sheet import put, sheet  # noqa: PLC0415

    tests = None if plan is None else read_plan(plan)
    with open_store(db) as store:
        cards = run(store, suggest(store) if tests is None else tests)
    tables = sheet(cards)
    if docs is not None:
        put(tables, docs)
    if json:
        sys.stdout.write(text.dumps([card.to_dict() for card in cards], allow_nan=False) + "\n")
    else:
        sys.stdout.write(tables)
