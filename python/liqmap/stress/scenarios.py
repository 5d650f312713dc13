"""Scenarios: millions of cascades at once, each with its own shock and depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap.stress.directional_levels import DirectionalLevels, MapLike, directional_levels
from liqmap.stress.impact_selection import core_market, law_or_fallback

if TYPE_CHECKING:
    import arro3.core
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["Scenarios", "ShockSummary", "scenarios"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class ShockSummary:
    """Statistics of the scenarios with the same shock.

    Attributes:
        shock: Signed fraction of the mark.
        scenarios: Number of scenarios.
        displacement: Mean displacement, the shock included; a fraction of the mark.
        impact: Mean displacement beyond the shock.
        quantiles: Quantile → displacement, ascending in severity.
        liquidated: Mean USD forced to close.
        exhausted: Share of scenarios in which the flow exceeds the known depth; their displacement is a bound.
    """

    shock: float
    scenarios: int
    displacement: float
    impact: float
    quantiles: dict[float, float]
    liquidated: float
    exhausted: float


@dataclass(frozen=True, eq=False, slots=True)
class Scenarios:
    """The end of every scenario; all arrays are in the order of the input.

    Attributes:
        levels: The levels of the liquidated side.
        shock: Signed fraction of the mark.
        depth_multiplier: Factor on the given depth; one value if it is the same for all.
        displacement: ``|stop / mark − 1|``, the shock included.
        liquidated: USD forced to close.
        exhausted: Whether the flow exceeds the known depth, so that displacement and USD are bounds.
    """

    levels: DirectionalLevels
    shock: npt.NDArray[np.float64]
    depth_multiplier: npt.NDArray[np.float64]
    displacement: npt.NDArray[np.float64]
    liquidated: npt.NDArray[np.float64]
    exhausted: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.shock)

    @property
    def side(self) -> Side:
        """Side of the liquidated positions."""
        return self.levels.side

    @property
    def stop_price(self) -> npt.NDArray[np.float64]:
        """Stop price of each scenario, quote currency, on whole ticks."""
        ticks = self.levels.mark + self.levels.sign * np.rint(self.displacement * self.levels.mark)
        return np.asarray(ticks * self.levels.tick, dtype=np.float64)

    def by_shock(self, quantiles: tuple[float, ...] = QUANTILES) -> tuple[ShockSummary, ...]:
        """Return statistics per distinct shock, smallest absolute shock first."""
        order = np.argsort(np.abs(self.shock), kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(self.shock[order]) != 0)) if len(self) else np.array([], int)
        return tuple(self._summary(rows, quantiles) for rows in np.split(order, starts[1:]) if rows.size)

    def _summary(self, rows: npt.NDArray[np.intp], quantiles: tuple[float, ...]) -> ShockSummary:
        shock, displacement = float(self.shock[rows[0]]), self.displacement[rows]
        mean = float(displacement.mean())
        return ShockSummary(
            shock=shock,
            scenarios=len(rows),
            displacement=mean,
            impact=mean - abs(shock),
            quantiles={q: float(v) for q, v in zip(quantiles, np.quantile(displacement, quantiles), strict=True)},
            liquidated=float(self.liquidated[rows].mean()),
            exhausted=float(self.exhausted[rows].mean()),
        )

    def to_arrow(self) -> arro3.core.Table:
        """Return one row per scenario.

        Columns: ``shock, depth_multiplier, displacement, stop_price, liquidated_usd, depth_exhausted``.
        """
        from arro3.core import Array, Table  # noqa: PLC0415 - Arrow loads only when a table is made

        columns = {
            "shock": self.shock,
            "depth_multiplier": np.broadcast_to(self.depth_multiplier, self.shock.shape),
            "displacement": self.displacement,
            "stop_price": self.stop_price,
            "liquidated_usd": self.liquidated,
            "depth_exhausted": self.exhausted,
        }
        return Table.from_arrays(
            [Array.from_numpy(np.ascontiguousarray(column)) for column in columns.values()], names=list(columns)
        )


def scenarios(
    of: MapLike,
    depth: Law | None,
    shocks: Any,  # noqa: ANN401 - any Arrow array or numpy
    depth_multipliers: Any = 1.0,  # noqa: ANN401
    *,
    kind: Kind = "news",
    threads: int | None = None,
) -> Scenarios:
    """Run one cascade per shock and depth multiplier, with the same result as :func:`liqmap.stress.cascade.cascade`.

    Args:
        of: The map.
        depth: A :class:`~liqmap.stress.depth.Depth` or another law; ``None`` is the labelled fallback.
        shocks: Signed fractions of the mark, all of one sign: negative liquidates longs, positive shorts. Any object
            with ``__arrow_c_array__`` or ``__arrow_c_stream__``, or anything numpy accepts.
        depth_multipliers: Factors on the depth: one per shock, or one for all.
        kind: ``news`` or ``flow``.
        threads: Number of threads; all processors by default (or ``RAYON_NUM_THREADS``). Does not change the result.

    Raises:
        InputError: Shocks of both signs, of 0 or of at least 100 %; a multiplier that is not a finite number above 0;
            different lengths; nulls; an empty map; a book without orders on the side that absorbs the flow.
    """
    shock, multiplier = _column(shocks, "shocks"), _column(depth_multipliers, "depth_multipliers")
    if shock.size == 0:
        raise InputError("scenarios", "shocks", "none", "at least one shock", "nothing computed")
    side: Side = "long" if shock[0] < 0 else "short"
    levels = directional_levels(of, side)
    market = core_market(levels, law_or_fallback(of, depth), kind)
    displacement, liquidated, exhausted = _core.scenarios(
        levels.distance, levels.notional, market, shock, multiplier, threads
    )
    return Scenarios(levels, shock, multiplier, displacement, liquidated, exhausted)


def _column(values: Any, name: str) -> npt.NDArray[np.float64]:  # noqa: ANN401
    """Convert numbers to a float column."""
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        from arro3.core import ChunkedArray  # noqa: PLC0415 - Arrow loads only for Arrow input

        column = ChunkedArray.from_arrow(values)
        if column.null_count:
            raise InputError("scenarios", name, f"{column.null_count} nulls", "numbers only", "nothing computed")
        values = column.to_numpy()
    try:
        found = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError("scenarios", name, type(values).__name__, "a column of numbers", "nothing computed") from None
    if found.ndim != 1:
        raise InputError("scenarios", name, f"shape {found.shape}", "one dimension", "nothing computed")
    return np.ascontiguousarray(found)
