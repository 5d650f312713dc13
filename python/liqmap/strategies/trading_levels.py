"""Trading levels: all strategy rules applied to one map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liqmap._base.plotting import chart
from liqmap._base.timestamps import iso
from liqmap.strategies.breakout import Breakout, breakouts
from liqmap.strategies.cluster_table import ClusterRow, cluster_table
from liqmap.strategies.context import MapContext
from liqmap.strategies.liquidity_zones import provision_zones, voids
from liqmap.strategies.overlay import Overlay, Stretch
from liqmap.strategies.scalping import ScalpingZone, scalping_zones
from liqmap.strategies.stops import OwnPosition, Stop, stops
from liqmap.strategies.volatility_forecast import Forecast, volatility_forecast
from liqmap.strategies.whale_traps import Trap, whale_traps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.snapshots import MapSnapshot
    from liqmap.strategies.conditions import Conditions
    from liqmap.strategies.rule_result import RuleResult
    from liqmap.stress.impact import Law

__all__ = ["TradingLevels", "levels_to_use", "trading_levels"]


@dataclass(frozen=True, eq=False, slots=True)
class TradingLevels:
    """Results of all rules on one map; they are not advice, and their profitability was not tested.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of the map.
        mark_price: Quote currency.
        conditions: Volatility and hourly true range.
        clusters: Touch probability, shock needed, expected move and move bands of every cluster within reach.
        breakout: Breakout levels.
        scalping: Scalping zones.
        stops: Stops behind clusters, for both sides.
        liquidity: Zones for providing liquidity.
        voids: Voids of the order book.
        traps: Whale-trap indices.
        volatility: Volatility forecasts with the realised volatility as baseline.
        overlay: Order-book overlays below and above the mark; not part of :meth:`to_dict`.
    """

    instrument: str
    at: Instant
    mark_price: float
    conditions: Conditions
    clusters: RuleResult[ClusterRow]
    breakout: RuleResult[Breakout]
    scalping: RuleResult[ScalpingZone]
    stops: RuleResult[Stop]
    liquidity: RuleResult[Stretch]
    voids: RuleResult[Stretch]
    traps: RuleResult[Trap]
    volatility: RuleResult[Forecast]
    overlay: tuple[Overlay, Overlay]

    @property
    def rule_results(self) -> dict[str, RuleResult[object]]:
        """The rule results by name, in the order of the page."""
        return {
            "clusters": self.clusters,
            "breakout": self.breakout,
            "scalping": self.scalping,
            "stops": self.stops,
            "liquidity": self.liquidity,
            "voids": self.voids,
            "traps": self.traps,
            "volatility": self.volatility,
        }

    def to_dict(self) -> dict[str, JSON]:
        """JSON values in the form printed by ``liqmap levels --json``."""
        head: dict[str, JSON] = {
            "instrument": self.instrument,
            "at": iso(self.at),
            "mark_price": self.mark_price,
            "conditions": self.conditions.to_dict(),
        }
        return head | {name: result.to_dict() for name, result in self.rule_results.items()}

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to overlay_chart
        """Altair chart of the order book under the map; see `charts.order_book_overlay.chart.overlay_chart`."""
        return chart("order_book_overlay", self, **options)


def trading_levels(
    of: LiquidationMap,
    depth: Law | None = None,
    *,
    conditions: Conditions,
    past: Sequence[LiquidationMap | MapSnapshot] = (),
    own: OwnPosition | None = None,
) -> TradingLevels:
    """Apply all rules to a map.

    Args:
        of: The map.
        depth: A :class:`~liqmap.stress.depth.Depth` or another impact law; ``None`` for the labelled fallback.
        conditions: Volatility and hourly true range, for example from :meth:`Conditions.of_bars`.
        past: Maps or map snapshots of the days before, for the volatility forecast.
        own: The user's own position, for the stops.

    Raises:
        InputError: Notional of the map is negative or not finite.
    """
    context = MapContext(of, depth, conditions)
    return TradingLevels(
        instrument=of.instrument,
        at=of.at,
        mark_price=of.mark_price,
        conditions=conditions,
        clusters=cluster_table(context),
        breakout=breakouts(context),
        scalping=scalping_zones(context),
        stops=stops(context, own),
        liquidity=provision_zones(context),
        voids=voids(context),
        traps=whale_traps(context),
        volatility=volatility_forecast(context, past),
        overlay=(Overlay.of(context, "long"), Overlay.of(context, "short")),
    )


levels_to_use = trading_levels
"""Former name of :func:`trading_levels`, kept for one release."""
