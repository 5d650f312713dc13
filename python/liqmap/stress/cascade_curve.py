"""The cascade curve of a map: stop price by shock, in both directions, under three impact laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from liqmap._base.errors import InputError
from liqmap._base.plotting import chart
from liqmap._base.timestamps import iso
from liqmap.stress.directional_levels import directional_levels
from liqmap.stress.impact import STRESSED, SquareRoot
from liqmap.stress.impact_selection import law_or_fallback
from liqmap.stress.scenarios import scenarios

if TYPE_CHECKING:
    import altair as alt
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.stress.directional_levels import MapLike
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["LAWS", "CascadeCurve", "CurveLeg", "LawCurve", "LawName", "cascade_curve"]

LawName: TypeAlias = Literal["calm", "stressed", "square_root"]
LAWS: tuple[LawName, ...] = get_args(LawName)

_MAX_SHOCK = 0.10
_STEPS_PER_LEG = 100


@dataclass(frozen=True, eq=False, slots=True)
class LawCurve:
    """Results of one law for the shocks of one direction.

    Attributes:
        stop_price: Quote currency; a bound if exhausted.
        liquidated: USD; a lower bound if exhausted.
        exhausted: Whether the flow exceeds the known depth.
    """

    stop_price: npt.NDArray[np.float64]
    liquidated: npt.NDArray[np.float64]
    exhausted: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class CurveLeg:
    """One direction: signed shocks, smallest first, and one line per law."""

    side: Side
    shock: npt.NDArray[np.float64]
    lines: dict[LawName, LawCurve]


@dataclass(frozen=True, eq=False, slots=True)
class CascadeCurve:
    """Stop price by shock.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of the map.
        mark_price: Price before the shock.
        tick: Quote currency per tick.
        kind: ``news`` or ``flow``.
        legs: Down and up; a side without levels has no leg.
        assumptions: One sentence each.
    """

    instrument: str
    at: Instant
    mark_price: float
    tick: float
    kind: Kind
    legs: tuple[CurveLeg, ...]
    assumptions: tuple[str, ...]

    def to_dict(self) -> dict[str, JSON]:
        """Return plain data: per leg the shocks, and per law the stop prices, ``null`` beyond the end of the book."""
        legs: list[JSON] = []
        for leg in self.legs:
            lines: dict[str, JSON] = {
                law: {
                    "stop_price": [None if end else float(p) for p, end in zip(x.stop_price, x.exhausted, strict=True)],
                    "liquidated": [None if end else float(q) for q, end in zip(x.liquidated, x.exhausted, strict=True)],
                }
                for law, x in leg.lines.items()
            }
            legs.append({"side": leg.side, "shock": leg.shock.tolist(), **lines})
        return {
            "instrument": self.instrument,
            "at": iso(self.at),
            "mark_price": self.mark_price,
            "kind": self.kind,
            "legs": legs,
            "assumptions": list(self.assumptions),
        }

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to curve_chart
        """Return the curve as an Altair chart; see :func:`liqmap.charts.cascade.chart.curve_chart`."""
        return chart("cascade_curve", self, **options)


def cascade_curve(
    of: MapLike,
    depth: Law | None = None,
    *,
    furthest: float = _MAX_SHOCK,
    steps: int = _STEPS_PER_LEG,
    kind: Kind = "news",
    square_root: SquareRoot | None = None,
) -> CascadeCurve:
    """Compute cascades for evenly spaced shocks up to ``furthest``, in both directions.

    Args:
        of: The map.
        depth: A :class:`~liqmap.stress.depth.Depth` or another law; ``None`` is the labelled fallback.
        furthest: The largest shock, a fraction.
        steps: Number of shocks per direction.
        kind: ``news`` or ``flow``.
        square_root: Parameters of the square-root law; assumed ones by default.

    Raises:
        InputError: ``furthest`` is not between 0 and 1, or ``steps`` is below 1; the map is empty on both sides; the
            book has no orders on a side that absorbs the flow.
    """
    if not 0 < furthest < 1:
        raise InputError("cascade", "furthest", repr(furthest), "a fraction between 0 and 1", "nothing computed")
    if steps < 1:
        raise InputError("cascade", "steps", repr(steps), "at least one", "nothing computed")
    law = law_or_fallback(of, depth)
    square_root_law = SquareRoot() if square_root is None else square_root
    # The first shock is one step, because a shock of 0 triggers nothing.
    shocks = furthest * np.arange(1, steps + 1) / steps
    legs = []
    for side, sign in _sides_with_levels(of):
        runs: dict[LawName, tuple[Law, float]] = {
            "calm": (law, 1.0),
            "stressed": (law, STRESSED),
            "square_root": (square_root_law, 1.0),
        }
        lines: dict[LawName, LawCurve] = {}
        for name, (one, multiplier) in runs.items():
            found = scenarios(of, one, sign * shocks, multiplier, kind=kind)
            lines[name] = LawCurve(found.stop_price, found.liquidated, found.exhausted)
        legs.append(CurveLeg(side, sign * shocks, lines))
    notes = (*law.assumptions, *square_root_law.assumptions, f"stressed book: {STRESSED:g} of the depth")
    return CascadeCurve(of.instrument, of.at, of.mark_price, of.grid.tick, kind, tuple(legs), notes)


def _sides_with_levels(of: MapLike) -> list[tuple[Side, float]]:
    """Return the sides that have levels; an empty map is an error."""
    sides: tuple[tuple[Side, float], ...] = (("long", -1.0), ("short", 1.0))
    found = [(side, sign) for side, sign in sides if directional_levels(of, side, minimum=0).distance.size]
    if not found:
        raise InputError("cascade", of.instrument, "an empty map", "levels on either side", "nothing computed")
    return found
