"""``liqmap.open`` and ``History``: the history file, with methods for maps, heatmaps, levels, depth and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from liqmap._base.timestamps import InstantLike, parse_duration, parse_instant
from liqmap.history.registry import calibrations
from liqmap.history.store import Store
from liqmap.maps.build import build_map
from liqmap.maps.build_market import build_market, is_market
from liqmap.maps.heatmap import build_heatmap
from liqmap.maps.map_registry import recreate, register_maps
from liqmap.maps.tracks.build_tracks import build_tracks
from liqmap.maps.uncertainty import build_uncertainty
from liqmap.positions.engine.bar_ledger import build_ledger
from liqmap.score.calibrate import calibrate
from liqmap.strategies.basis_from_history import basis_from_history
from liqmap.strategies.levels_from_history import levels_from_history
from liqmap.stress.depth_from_history import MAX_AGE, instruments_with_books, merged_depth_from_history

if TYPE_CHECKING:
    from pathlib import Path

    from liqmap._base.grid import Grid
    from liqmap.maps.heatmap import Heatmap
    from liqmap.maps.map import LiquidationMap
    from liqmap.maps.map_registry import Recreated
    from liqmap.maps.tracks.tracks import Tracks
    from liqmap.maps.uncertainty import Uncertainty
    from liqmap.positions.engine.bar_ledger import BarLedger
    from liqmap.positions.engine.calibration import Calibration
    from liqmap.positions.engine.population import AnyRecipe
    from liqmap.strategies.basis import Basis
    from liqmap.strategies.stops import OwnPosition
    from liqmap.strategies.trading_levels import TradingLevels
    from liqmap.stress.depth import Depth

__all__ = ["History", "open", "open_history"]


class History(Store):
    """The history of all instruments in one DuckDB file; use it in a ``with`` block.

    Loading, coverage and data access are inherited from :class:`liqmap.history.store.Store`.
    """

    def map(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        grid: Grid | None = None,
        recipe: AnyRecipe | None = None,
    ) -> LiquidationMap:
        """Compute the liquidation map of one instrument, or of a market as the sum of its instruments' maps.

        Args:
            instrument: ``venue:SYMBOL``, or a base asset such as ``BTC`` for all its instruments
                (:class:`liqmap.maps.market.MarketMap`).
            at: As-of time; later data are not used. Default: the end of the last bar.
            grid: Price grid. Default: bins of about 5 bp with an edge at the mark.
            recipe: Parameters for modelled positions. Default: the calibration in force, or the default recipe if there
                is no calibration.

        Raises:
            NotFoundError: The history does not contain the instrument, or no data of it at that time.
        """
        moment = None if at is None else parse_instant(at, stage="map")
        make = build_market if is_market(instrument) else build_map
        return make(self, instrument, at=moment, grid=grid, recipe=recipe)

    def uncertainty(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        grid: Grid | None = None,
        recipe: AnyRecipe | None = None,
    ) -> Uncertainty:
        """Compute the uncertainty range of :meth:`map`, per bin and per cluster; same arguments and errors.

        The map is recomputed with other leverage shares (or at the bounds of the calibration), and with position
        lifetimes of one third and three times the recipe's.
        """
        moment = None if at is None else parse_instant(at, stage="map")
        return build_uncertainty(self, instrument, at=moment, grid=grid, recipe=recipe)

    def record(self, *maps: LiquidationMap) -> int:
        """Append issued maps to the map registry and return the number of new ones; idempotent.

        Raises:
            StorageError: The history is read-only, or contains a different map with the same id.
        """
        return register_maps(self, maps)

    def recreate(self, map_id: str) -> Recreated:
        """Recompute a map of the map registry and compare it with the stored one; a prefix of the id is sufficient.

        Raises:
            NotFoundError: No map has this id, or the prefix matches several.
        """
        return recreate(self, map_id)

    def depth(self, instrument: str, at: InstantLike, *, max_age: str | None = None) -> Depth | None:
        """Return the latest order book at a time, or ``None``; without a book, a cascade states its assumed depth.

        Args:
            instrument: ``venue:SYMBOL``, or a market such as ``BTC`` for the merged books of its instruments.
            at: As-of time; later data are not used.
            max_age: Maximum age of the book, such as ``1h``. Default: one hour.

        Raises:
            NotFoundError: The history does not contain the instrument.
            InputError: The book contains no valid order.
        """
        oldest = MAX_AGE if max_age is None else parse_duration(max_age, stage="depth")
        names = instruments_with_books(self, instrument) if is_market(instrument) else [instrument]
        return merged_depth_from_history(self, names, parse_instant(at, stage="depth"), max_age=oldest)

    def heatmap(
        self,
        instrument: str,
        start: InstantLike,
        end: InstantLike,
        step: str = "1h",
        *,
        recipe: AnyRecipe | None = None,
        groups: tuple[tuple[float, float], ...] | None = None,
    ) -> Heatmap:
        """Compute maps through time, from ``start`` to ``end`` at every ``step`` (``5m``, ``1h``, ``1d``).

        Args:
            instrument: ``venue:SYMBOL``.
            start: Time of the first column.
            end: Latest time of the last column.
            step: Time between columns, at least one bar.
            recipe: Parameters for modelled positions; default as for :meth:`map`.
            groups: Groups of leverage brackets as half-open ranges of leverage, such as ``((2, 10), (10, 1000))``.

        Raises:
            InputError: The span or step is invalid, or results in more than 20,000 columns.
            NotFoundError: The history does not contain the instrument, or no data of it at that time.
        """
        return build_heatmap(
            self,
            instrument,
            start=parse_instant(start, stage="heatmap"),
            end=parse_instant(end, stage="heatmap"),
            step=parse_duration(step, stage="heatmap"),
            recipe=recipe,
            groups=groups,
        )

    def trading_levels(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        recipe: AnyRecipe | None = None,
        own: OwnPosition | None = None,
    ) -> TradingLevels:
        """Derive trading levels from the map: breakout, scalping, stops, liquidity, volatility, touch probabilities.

        Volatility and true range are computed from the bars, depth from the latest order book of the last hour; the
        volatility forecast compares the map with those of the previous seven days.

        Args:
            instrument: ``venue:SYMBOL``, or a market such as ``BTC``.
            at: As-of time; later data are not used. Default: the end of the last bar.
            recipe: Parameters for modelled positions; default as for :meth:`map`.
            own: The user's own position, for stop placement.

        Raises:
            NotFoundError: The history does not contain the instrument, or no data of it at that time.
            InputError: The history has less than two hours of bars.
        """
        moment = None if at is None else parse_instant(at, stage="levels")
        return levels_from_history(self, instrument, moment, recipe=recipe, own=own)

    def levels(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        recipe: AnyRecipe | None = None,
        own: OwnPosition | None = None,
    ) -> TradingLevels:
        """Former name of :meth:`trading_levels`, kept for one release."""
        return self.trading_levels(instrument, at, recipe=recipe, own=own)

    def basis(self, market: str, at: InstantLike | None = None, *, recipe: AnyRecipe | None = None) -> Basis:
        """Compare dated futures with perpetuals: basis, z-score, carry gap, and clusters that both have in common.

        Args:
            market: Base asset, such as ``BTC``.
            at: As-of time; later data are not used. Default: as for the map of the market.
            recipe: Parameters for modelled positions; default as for :meth:`map`.

        Raises:
            InputError: ``market`` is an instrument.
            NotFoundError: The asset has no instrument, or none with a map at that time.
        """
        moment = None if at is None else parse_instant(at, stage="levels")
        return basis_from_history(self, market, moment, recipe=recipe)

    def tracks(
        self,
        instrument: str,
        start: InstantLike,
        end: InstantLike,
        step: str = "1h",
        *,
        recipe: AnyRecipe | None = None,
    ) -> Tracks:
        """Follow clusters from ``start`` to ``end``, with the notional opened, closed and liquidated in each step.

        Same arguments and errors as :meth:`heatmap`.
        """
        return build_tracks(
            self,
            instrument,
            start=parse_instant(start, stage="tracks"),
            end=parse_instant(end, stage="tracks"),
            step=parse_duration(step, stage="tracks"),
            recipe=recipe,
        )

    def ledger(
        self,
        instrument: str,
        start: InstantLike | None = None,
        end: InstantLike | None = None,
        *,
        recipe: AnyRecipe | None = None,
    ) -> BarLedger:
        """Compute the bar ledger: amounts opened, closed, liquidated and rescaled in each bar, per side, in coin.

        Args:
            instrument: ``venue:SYMBOL``.
            start: Only bars that end after this time. Default: from the first bar.
            end: Only bars that end by this time; later data are not used.
            recipe: Parameters for modelled positions; default as for :meth:`map`.

        Raises:
            InputError: ``end`` is before ``start``.
            NotFoundError: The history does not contain the instrument, or no bar of it in that span.
        """
        first = None if start is None else parse_instant(start, stage="ledger")
        last = None if end is None else parse_instant(end, stage="ledger")
        return build_ledger(self, instrument, start=first, end=last, recipe=recipe)

    def calibrate(
        self,
        instrument: str,
        start: InstantLike,
        end: InstantLike,
        *,
        feed: str | None = None,
        issued_at: InstantLike | None = None,
        interval: str | None = None,
        price_source: str | None = None,
    ) -> Calibration:
        """Fit the shares of volume by distance to reported liquidations, and store the calibration for later maps.

        Maps of the same bar series use the calibration from ``issued_at`` on, never earlier.

        Args:
            instrument: Instrument of the bars, which need volume; one year before ``start`` is a good warm-up.
            start: Start of the fitted span.
            end: End of the fitted span.
            feed: Instrument of the reported liquidations. Default: ``instrument``.
            issued_at: Time from which the calibration is valid. Default: ``end``.
            interval: Bar length, such as ``1h``. Default: as for a map.
            price_source: Price source of the bars, such as ``spot``. Default: as for a map.

        Raises:
            InputError: The data are insufficient for a fit, or ``issued_at`` is before ``end``.
            NotFoundError: The bars have no volume, or the span has no liquidations.
            StorageError: The history is read-only.
        """
        first, last = parse_instant(start, stage="calibrate"), parse_instant(end, stage="calibrate")
        seconds = None if interval is None else parse_duration(interval, stage="calibrate") // 1_000_000
        bars = self.market_bars(instrument, last, interval_s=seconds, price_source=price_source)
        source = instrument if feed is None else feed
        fitted = calibrate(
            bars,
            self.liquidations(source, first, last),
            feed=source,
            start=first,
            end=last,
            issued_at=None if issued_at is None else parse_instant(issued_at, stage="calibrate"),
        )
        calibrations.record_calibration(
            self,
            instrument,
            fitted.to_dict(),
            issued_at=fitted.issued_at,
            data_cutoff=fitted.end,
            interval_s=fitted.interval_s,
            price_source=fitted.price_source,
        )
        return fitted


def open_history(path: str | Path, mode: Literal["r", "w"] = "r") -> History:
    """Open a history file: ``r`` is read-only and needs an existing file, ``w`` writes and creates a missing file.

    Raises:
        StorageError: The file is missing (``r``), locked by another process, damaged, or has another schema version.
    """
    return History(path, mode)


open = open_history  # noqa: A001 - the public name is `liqmap.open`
