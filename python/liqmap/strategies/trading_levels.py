"""The levels to use: every rule on one map."""

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
    """What the rules find on one map; none of it is advice, and none of it was tested for profit.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of the map.
        mark_price: Quote currency.
        conditions: Volatility and hourly true range.
        clusters: Touch probabilities, shock needed, expected move and bands of every cluster within reach.
        breakout: Levels whose passing releases fuel.
        scalping: Small clusters close by.
        stops: Stops behind clusters, for both sides.
        liquidity: Deep, calm stretches of the book.
        voids: Thin ones.
        traps: The whale-trap index.
        volatility: Forecasts beside the plain baseline.
        overlay: The book over the map, below the mark and above it; not part of :meth:`to_dict`.
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
        """All of them by name, in the order of a page."""
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
        """Plain data, in the form ``liqmap levels --json`` prints."""
        head: dict[str, JSON] = {
            "instrument": self.instrument,
            "at": iso(self.at),
            "mark_price": self.mark_price,
            "conditions": self.conditions.to_dict(),
        }
        return head | {name: use.to_dict() for name, use in self.rule_results.items()}

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to overlay_chart
        """The book under the map as an Altair chart; see `charts.order_book_overlay.chart.overlay_chart`."""
        return chart("order_book_overlay", self, **options)


def trading_levels(
    of: LiquidationMap,
    depth: Law | None = None,
    *,
    conditions: Conditions,
    past: Sequence[LiquidationMap | MapSnapshot] = (),
    own: OwnPosition | None = None,
) -> TradingLevels:
    """Apply every rule to a map.

    Args:
        of: The map.
        depth: A :class:`~liqmap.stress.depth.Depth` or another law; ``None`` is the labelled fallback.
        conditions: Volatility and hourly true range, such as :meth:`Conditions.of_bars`.
        past: Maps of the days before, for the volatility forecast, whole or frozen.
        own: The position that stops are for.

    Raises:
        InputError: A map with notional that is negative or no number.
    """
    setting = MapContext(of, depth, conditions)
    return TradingLevels(
        instrument=of.instrument,
        at=of.at,
        mark_price=of.mark_price,
        conditions=conditions,
        clusters=cluster_table(setting),
        breakout=breakouts(setting),
        scalping=scalping_zones(setting),
        stops=stops(setting, own),
        liquidity=provision_zones(setting),
        voids=voids(setting),
        traps=whale_traps(setting),
        volatility=volatility_forecast(setting, past),
        overlay=(Overlay.of(setting, "long"), Overlay.of(setting, "short")),
    )


levels_to_use = trading_levels
"""Former name of :func:`trading_levels`, kept for one release."""
