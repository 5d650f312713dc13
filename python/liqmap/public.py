"""``liqmap.open`` and ``History``: the stored file, with the verbs of the rooms above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from liqmap._base.timestamps import InstantLike, parse_duration, parse_instant
from liqmap.history.registry import calibrations
from liqmap.history.store import Store
from liqmap.maps.build import build_map
from liqmap.maps.build_market import build_market, is_market
from liqmap.maps.heatmap import build_heatmap
from liqmap.maps.map_registry import record, recreate
from liqmap.maps.tracks.build_tracks import build_tracks
from liqmap.maps.uncertainty import build_uncertainty
from liqmap.positions.engine.bar_ledger import build_ledger
from liqmap.score.calibrate import calibrate
from liqmap.strategies.basis_from_history import stored_basis
from liqmap.strategies.levels_from_history import stored_levels
from liqmap.stress.depth_from_history import MAX_AGE, books_of, merged_depth

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
    from liqmap.strategies.stops import Own
    from liqmap.strategies.trading_levels import LevelsToUse
    from liqmap.stress.depth import Depth

__all__ = ["History", "open_history"]


class History(Store):
    """A market's history in one DuckDB file; use it in a ``with`` block.

    Loading and coverage come from :class:`liqmap.history.store.Store`.
    """

    def map(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        grid: Grid | None = None,
        recipe: AnyRecipe | None = None,
    ) -> LiquidationMap:
        """The liquidation map of one instrument, or of a market: the sum of its instruments' maps.

        Args:
            instrument: ``venue:SYMBOL``, or a base asset such as ``BTC`` for all its instruments
                (:class:`liqmap.maps.market.MarketMap`).
            at: As-of time; nothing later is used. The end of the last bar if left out.
            grid: Price axis; about 5 bp bins with an edge at the mark if left out.
            recipe: What is assumed about unseen positions; the calibration in force if left out, else the default.

        Raises:
            NotFoundError: The history does not have the instrument, or not at that time.
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
        """The band that :meth:`map` lies in, per bin and per cluster; arguments and errors as there.

        The map is made again under other mixes of leverage (or the bounds of the calibration) and with positions that
        live a third and three times as long.
        """
        moment = None if at is None else parse_instant(at, stage="map")
        return build_uncertainty(self, instrument, at=moment, grid=grid, recipe=recipe)

    def record(self, *maps: LiquidationMap) -> int:
        """Put maps on record as issued, append-only; the same map twice is there once. Returns how many were new.

        Raises:
            StorageError: The history was opened to read, or holds another map under the same name.
        """
        return record(self, maps)

    def recreate(self, map_id: str) -> Recreated:
        """Make a map on record again, and say whether it is identical; the first digits of its name are enough.

        Raises:
            NotFoundError: No map of that name, or several.
        """
        return recreate(self, map_id)

    def depth(self, instrument: str, at: InstantLike, *, max_age: str | None = None) -> Depth | None:
        """The latest order book known at a time, or ``None`` where there is none: then a cascade says what it assumes.

        Args:
            instrument: ``venue:SYMBOL``, or a market such as ``BTC``: the books of its instruments as one.
            at: As-of time; nothing later is used.
            max_age: How old the book may be, such as ``1h``; an hour if left out.

        Raises:
            NotFoundError: The history does not have the instrument.
            InputError: The book holds no usable order.
        """
        oldest = MAX_AGE if max_age is None else parse_duration(max_age, stage="depth")
        whose = books_of(self, instrument) if is_market(instrument) else [instrument]
        return merged_depth(self, whose, parse_instant(at, stage="depth"), max_age=oldest)

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
        """Maps through time, from ``start`` to ``end`` every ``step`` (``5m``, ``1h``, ``1d``).

        Args:
            instrument: ``venue:SYMBOL``.
            start: First column.
            end: Last column at the latest.
            step: Time between columns, at least one bar.
            recipe: What is assumed about unseen positions; the calibration in force if left out, else the default.
            groups: Bracket groups as half-open ranges of leverage, such as ``((2, 10), (10, 1000))``.

        Raises:
            InputError: A span or step that makes no sense, or more than 20,000 columns.
            NotFoundError: The history does not have the instrument or that time.
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

    def levels(
        self,
        instrument: str,
        at: InstantLike | None = None,
        *,
        recipe: AnyRecipe | None = None,
        own: Own | None = None,
    ) -> LevelsToUse:
        """What to do with the map: breakout levels, scalping zones, stops, liquidity, volatility, touch probabilities.

        Volatility and true range come from the bars, depth from the latest book within an hour, and the volatility
        forecast compares with the maps of the seven days before.

        Args:
            instrument: ``venue:SYMBOL``, or a market such as ``BTC``.
            at: As-of time; nothing later is used. The end of the last bar if left out.
            recipe: What is assumed about unseen positions; the calibration in force if left out, else the default.
            own: The position that stops are for.

        Raises:
            NotFoundError: The history does not have the instrument, or not at that time.
            InputError: Fewer than two hours of bars.
        """
        moment = None if at is None else parse_instant(at, stage="levels")
        return stored_levels(self, instrument, moment, recipe=recipe, own=own)

    def basis(self, market: str, at: InstantLike | None = None, *, recipe: AnyRecipe | None = None) -> Basis:
        """Dated futures against perpetuals: basis, z-score, carry gap, and where both would be liquidated.

        Args:
            market: The base asset, such as ``BTC``.
            at: As-of time; nothing later is used. As for the market's map if left out.
            recipe: What is assumed about unseen positions.

        Raises:
            InputError: An instrument instead of a market.
            NotFoundError: No instrument on that asset, or none with a map at that time.
        """
        moment = None if at is None else parse_instant(at, stage="levels")
        return stored_basis(self, market, moment, recipe=recipe)

    def tracks(
        self,
        instrument: str,
        start: InstantLike,
        end: InstantLike,
        step: str = "1h",
        *,
        recipe: AnyRecipe | None = None,
    ) -> Tracks:
        """Clusters followed from ``start`` to ``end``, with what opened, closed and was liquidated in each step.

        Arguments and errors as for :meth:`heatmap`.
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
        """What each bar opened, closed, liquidated and cut, on both sides, in coin.

        Args:
            instrument: ``venue:SYMBOL``.
            start: The bars that end after this; from the first one if left out.
            end: The bars that end by this; nothing later is used.
            recipe: What is assumed about unseen positions; the calibration in force if left out, else the default.

        Raises:
            InputError: ``end`` before ``start``.
            NotFoundError: The history does not have the instrument, or no bar of it in that span.
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
        """Fit the distances of positions to realised liquidations, and put them on record for later maps.

        Maps of the same series of bars use them from ``issued_at`` on, never before.

        Args:
            instrument: Whose bars, with volume; a year before ``start`` is a good warm-up.
            start: Of the fitted span.
            end: Of the fitted span.
            feed: Whose realised liquidations; the instrument's own if left out.
            issued_at: ``end`` if left out.
            interval: Which bars, such as ``1h``; as for a map if left out.
            price_source: Which bars, such as ``spot``; as for a map if left out.

        Raises:
            InputError: Nothing to fit, or to be issued before the data end.
            NotFoundError: No volume, or no liquidations in the span.
            StorageError: The history was opened to read.
        """
        first, last = parse_instant(start, stage="calibrate"), parse_instant(end, stage="calibrate")
        seconds = None if interval is None else parse_duration(interval, stage="calibrate") // 1_000_000
        bars = self.market_bars(instrument, last, interval_s=seconds, price_source=price_source)
        told = instrument if feed is None else feed
        fitted = calibrate(
            bars,
            self.liquidations(told, first, last),
            feed=told,
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
    """Open a history file: ``r`` reads and never creates, ``w`` writes and creates it if it is not there.

    Raises:
        StorageError: The file is missing (``r``), held by another process, damaged, or of another version.
    """
    return History(path, mode)
