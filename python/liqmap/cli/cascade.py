"""``liqmap cascade``: the liquidation cascade after a price shock."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

import liqmap
from liqmap._base.errors import InputError
from liqmap.stress.contribution import Contribution, contributions

if TYPE_CHECKING:
    from liqmap.stress.cascade import Cascade, Estimate

__all__ = ["cascade", "fraction"]


def cascade(
    instrument: str,
    *,
    db: Path,
    shock: Annotated[str, Parameter(allow_leading_hyphen=True)],
    at: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Simulate the liquidation cascade that follows a price shock.

    Args:
        instrument: ``venue:SYMBOL``, or a market such as ``BTC``.
        db: The history file.
        shock: Percent (``-2%``) or signed fraction (``-0.02``); down triggers longs, up triggers shorts.
        at: Time of the map, ISO 8601; the latest by default.
        as_json: Print one JSON object.
    """
    size = fraction(shock)
    with liqmap.open(db) as history:
        of = history.map(instrument, at=at)
        book = history.depth(instrument, of.at)
        result = of.cascade(shock=size, depth=book)
    clusters = [part for part in contributions(of, of.clusters(), size, book) if part.round]
    if as_json:
        out = result.to_dict() | {"clusters": [asdict(part) for part in clusters]}
        sys.stdout.write(json.dumps(out, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write(_as_text(result, clusters))


def fraction(text: str) -> float:
    """A shock as a signed fraction.

    Raises:
        InputError: The text is neither a percentage nor a number.

    Example:
        >>> fraction("-2%"), fraction("0.015")
        (-0.02, 0.015)
    """
    number = text.strip().removesuffix("%").strip().replace("−", "-")
    try:
        value = float(number)
    except ValueError:
        raise InputError("cascade", "shock", repr(text), "a percentage such as -2%", "nothing computed") from None
    return value / 100 if text.strip().endswith("%") else value


def _as_text(result: Cascade, clusters: list[Contribution]) -> str:
    lines = [
        f"{result.instrument}  mark {result.mark_price:,.2f}  shock {result.shock:+.2%} to {result.start_price:,.2f}",
        *(_estimate_line(estimate) for estimate in (result.base, result.stressed, result.square_root)),
    ]
    if result.chain:
        lines.append(f"chain ({result.side}s, {result.share_20x:.0%} at 20x or more)")
        lines += [
            f"  round {step.round:>2}  {step.low:>12,.2f} … {step.high:<12,.2f} {step.distance:+8.2%}  "
            f"${step.notional / 1e6:,.2f}M"
            for step in result.chain
        ]
    if clusters:
        lines.append("clusters triggered, nearest first (last column: reduction of the move without the cluster)")
        lines += [
            f"  round {part.round:>2}  {part.low:>12,.2f} … {part.high:<12,.2f} ${part.fired / 1e6:,.2f}M of "
            f"${part.notional / 1e6:,.2f}M  {part.displacement:.3%}"
            for part in clusters
        ]
    lines += [f"note: {sentence}" for sentence in result.assumptions]
    return "\n".join(lines) + "\n"


def _estimate_line(estimate: Estimate) -> str:
    bound = "at or beyond" if estimate.depth_exhausted else "stops at"
    return (
        f"  {estimate.law:<12}{bound:>13} {estimate.stop_price:>12,.2f}  "
        f"liquidated ${estimate.liquidated / 1e6:,.1f}M  rounds {estimate.rounds}  ×{estimate.amplification:.2f}"
    )
