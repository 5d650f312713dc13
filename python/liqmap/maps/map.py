"""The liquidation map: notional by price, side and leverage bracket, as of one instant."""

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

_NEAREST = 0.005


@dataclass(frozen=True, slots=True)
class Cumulative:
    """What would be liquidated on the way from the mark to each bin, USD; both arrays run low price to high.

    Attributes:
        long: Notional of longs between the mark and the bin's lower edge (grows as the price falls).
        short: Notional of shorts between the mark and the bin's upper edge (grows as the price rises).
    """

    long: npt.NDArray[np.float64]
    short: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LiquidationMap:
    """Levels binned on a grid, by side and leverage bracket, as of one instant.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds; nothing later than this was used.
        mark_price: Price at ``at``; longs lie below it, shorts above.
        open_interest: Coin, one-sided.
        grid: The price axis; an edge lies at the mark unless another grid was asked for.
        brackets: Leverage of each bracket, ascending.
        long: USD notional at the level's price, shape ``(brackets, bins)``.
        short: The same for shorts.
        outside: USD notional whose level lies outside the grid, by side: nothing is dropped.
        ledger: Where every contract went, in coin.
        provenance: Inputs, parameters, assumptions.
        observed: Of ``long`` and ``short``, what was observed and not modelled; ``None`` where nothing was.
        past: USD of each cluster of the 90 days before, ascending; see
        :class:`liqmap.maps.cluster_history.PastClusters`.
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
        """Notional per bin of one side, all brackets together, USD."""
        return np.asarray((self.long if side == "long" else self.short).sum(axis=0), dtype=np.float64)

    def clusters(self) -> tuple[Cluster, ...]:
        """Peaks of the map with their basins, largest first; see :mod:`liqmap.maps.clusters`."""
        return find_clusters(self)

    def cumulative(self) -> Cumulative:
        """Notional between the mark and each price."""
        long, short = self.side("long"), self.side("short")
        return Cumulative(long=np.cumsum(long[::-1])[::-1], short=np.cumsum(short))

    def max_pain(self, side: Side) -> float | None:
        """The price at which the most notional would have been liquidated on the way there, per unit of distance.

        The edge ``p`` that maximises ``cumulative(p) / |p − mark|``, at least 0.5 % away: nearer, a few dollars
        of distance would decide. ``None`` where the side has nothing that far.
        """
        edges = self.grid.edges()
        sums = self.cumulative()
        reached, at = (sums.long, edges[:-1]) if side == "long" else (sums.short, edges[1:])
        away = (self.mark_price - at if side == "long" else at - self.mark_price) / self.mark_price
        pace = np.where((away >= _NEAREST) & (reached > 0), reached / np.maximum(away, _NEAREST), 0.0)
        best = int(np.argmax(pace))
        return float(at[best]) if pace[best] > 0 else None

    def cascade(self, shock: float, depth: Law | None = None, *, kind: Kind = "news") -> Cascade:
        """Where a shock would stop, and through which levels; see :func:`liqmap.stress.cascade.cascade`."""
        return cascade(self, shock, depth, kind=kind)

    def cascade_curve(self, depth: Law | None = None, *, furthest: float = 0.1, kind: Kind = "news") -> CascadeCurve:
        """Where every shock up to ``furthest`` would stop, both ways; see :mod:`liqmap.stress.cascade_curve`."""
        return cascade_curve(self, depth, furthest=furthest, kind=kind)

    def thresholds(self, side: Side, depth: Law | None = None, *, kind: Kind = "news") -> Thresholds:
        """The smallest shock that fires each level; see :func:`liqmap.stress.thresholds.thresholds`."""
        return thresholds(self, side, depth, kind=kind)

    def with_provenance(self, provenance: Provenance) -> LiquidationMap:
        """The same map under another provenance."""
        return replace(self, provenance=provenance)

    def to_dict(self) -> dict[str, JSON]:
        """The map as plain data, in the form ``liqmap map --json`` prints."""
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
        """One line of JSON; NaN and infinity are refused."""
        return compact_json(self.to_dict())

    def to_arrow(self) -> arro3.core.Table:
        """One row per filled bin: ``price_low, price_high, side, leverage, notional_usd, observed_usd``."""
        from liqmap.maps.export import to_arrow  # noqa: PLC0415 - tables load only when asked for

        return to_arrow(self)

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to map_chart
        """The map as an Altair chart; see :func:`liqmap.charts.map.chart.map_chart`."""
        return chart("map", self, **options)
