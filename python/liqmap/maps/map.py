"""The liquidation map: notional by price, side and leverage bracket, as of one time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from liqmap._base.plotting import chart
from liqmap._base.provenance import compact_json
from liqmap._base.timestamps import Instant, iso
from liqmap.maps.clusters import Cluster, find_clusters
from liqmap.stress.cascade import Cascade, cascade
from liqmap.stress.cascade_curve import CascadeCurve, cascade_curve
from liqmap.stress.thresholds import Thresholds, thresholds

if TYPE_CHECKING:
    import altair as alt
    import arro3.core
    import numpy.typing as npt

    from liqmap._base.grid import Grid
    from liqmap._base.instruments import Side
    from liqmap._base.ledger import Ledger
    from liqmap._base.provenance import JSON, Provenance
    from liqmap.maps.observed_modelled import ObservedPart
    from liqmap.stress.impact import Law
    from liqmap.stress.impact_selection import Kind

__all__ = ["Cumulative", "LiquidationMap"]

_MIN_DISTANCE = 0.005


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Notional that would be liquidated between the mark and each bin, USD; both arrays are in order of price.

    Attributes:
        long: Notional of longs between the mark and the bin's lower edge (increases as the price falls).
        short: Notional of shorts between the mark and the bin's upper edge (increases as the price rises).
    """

    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LiquidationMap:
    """Liquidation levels binned on a grid, by side and leverage bracket, as of one time.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds; no later data was used.
        mark_price: Price at ``at``; longs lie below it, shorts above.
        open_interest: Coin, one-sided.
        grid: The price axis; the default grid has an edge at the mark.
        brackets: Leverage of each bracket, ascending.
        long: USD notional at the level's price, shape ``(brackets, bins)``.
        short: The same for shorts.
        outside: USD notional of levels outside the grid, by side.
        ledger: Opened, closed, liquidated and open positions, in coin.
        provenance: Inputs, parameters, assumptions.
        observed: The observed part of ``long`` and ``short``; ``None`` if no position was observed.
        past: USD of each cluster of the preceding 90 days, ascending; see
        :class:`liqmap.maps.cluster_history.ClusterHistory`.
    """

    instrument: str
    at: Instant
    mark_price: float
    open_interest: float
    grid: Grid
    brackets: tuple[float, ...]
    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]
    outside: dict[Side, float]
    ledger: Ledger
    provenance: Provenance
    observed: ObservedPart | None = None
    past: npt.NDArray[np.float64] | None = None

    def side(self, side: Side) -> npt.NDArray[np.float64]:
        """Notional per bin of one side, summed over brackets, USD."""
        return np.asarray((self.long if side == "long" else self.short).sum(axis=0), dtype=np.float64)

    def clusters(self) -> tuple[Cluster, ...]:
        """Peaks of the map with their basins, largest first; see :mod:`liqmap.maps.clusters`."""
        return find_clusters(self)

    def cumulative(self) -> Cumulative:
        """Notional between the mark and each price."""
        long, short = self.side("long"), self.side("short")
        return Cumulative(long=np.cumsum(long[::-1])[::-1], short=np.cumsum(short))

    def max_pain(self, side: Side) -> float | None:
        """The price at which the most notional would be liquidated on the way there per unit of distance.

        The edge ``p`` that maximises ``cumulative(p) / |p − mark|``, at least 0.5 % away, since closer to
        the mark the ratio is determined by the distance. ``None`` if the side has no notional at that distance.
        """
        edges = self.grid.edges()
        sums = self.cumulative()
        reached, at = (sums.long, edges[:-1]) if side == "long" else (sums.short, edges[1:])
        away = (self.mark_price - at if side == "long" else at - self.mark_price) / self.mark_price
        notional_per_distance = np.where(
            (away >= _MIN_DISTANCE) & (reached > 0), reached / np.maximum(away, _MIN_DISTANCE), 0.0
        )
        best = int(np.argmax(notional_per_distance))
        return float(at[best]) if notional_per_distance[best] > 0 else None

    def cascade(self, shock: float, depth: Law | None = None, *, kind: Kind = "news") -> Cascade:
        """Price at which a shock would stop and the levels it triggers; see :func:`liqmap.stress.cascade.cascade`."""
        return cascade(self, shock, depth, kind=kind)

    def cascade_curve(self, depth: Law | None = None, *, furthest: float = 0.1, kind: Kind = "news") -> CascadeCurve:
        """Stop prices of all shocks up to ``furthest``, in both directions; see :mod:`liqmap.stress.cascade_curve`."""
        return cascade_curve(self, depth, furthest=furthest, kind=kind)

    def thresholds(self, side: Side, depth: Law | None = None, *, kind: Kind = "news") -> Thresholds:
        """The smallest shock that triggers each level; see :func:`liqmap.stress.thresholds.thresholds`."""
        return thresholds(self, side, depth, kind=kind)

    def with_provenance(self, provenance: Provenance) -> LiquidationMap:
        """A copy of the map with another provenance."""
        return replace(self, provenance=provenance)

    def to_dict(self) -> dict[str, JSON]:
        """The map as plain data, in the form that ``liqmap map --json`` prints."""
        grid: dict[str, JSON] = {
            "low": self.grid.low,
            "high": self.grid.high,
            "width": self.grid.width,
            "bins": self.grid.bins,
        }
        return {
            "instrument": self.instrument,
            "at": iso(self.at),
            "mark_price": self.mark_price,
            "open_interest": self.open_interest,
            "grid": grid,
            "brackets": list(self.brackets),
            "long": self.long.tolist(),
            "short": self.short.tolist(),
            "outside": dict(self.outside),
            "observed": None if self.observed is None else self.observed.to_dict(),
            "ledger": {side: dict(account) for side, account in self.ledger.to_dict().items()},
            "clusters": [cluster.to_dict() for cluster in self.clusters()],
            "max_pain": {"long": self.max_pain("long"), "short": self.max_pain("short")},
            "provenance": self.provenance.to_dict(),
        }

    def to_json(self) -> str:
        """One line of JSON; NaN and infinity are rejected."""
        return compact_json(self.to_dict())

    def to_arrow(self) -> arro3.core.Table:
        """One row per filled bin: ``price_low, price_high, side, leverage, notional_usd, observed_usd``."""
        from liqmap.maps.export import to_arrow  # noqa: PLC0415 - tables load only when asked for

        return to_arrow(self)

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to map_chart
        """The map as an Altair chart; see :func:`liqmap.charts.map.chart.map_chart`."""
        return chart("map", self, **options)
