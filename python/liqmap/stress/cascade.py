"""Cascades on a map: stop price of a shock, the levels it triggers, and the law range."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from liqmap import _core
from liqmap._base.errors import InputError
from liqmap._base.plotting import chart
from liqmap._base.timestamps import iso
from liqmap.stress.cascade_chain import HIGH_LEVERAGE, CascadeStep, cascade_chain
from liqmap.stress.directional_levels import DirectionalLevels, MapLike, directional_levels
from liqmap.stress.impact import STRESSED, Law, SquareRoot
from liqmap.stress.impact_selection import Kind, core_market, law_or_fallback, triggered_side

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant

__all__ = ["Cascade", "Estimate", "cascade"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The end of a shock under one impact law.

    Attributes:
        law: ``calm``, ``stressed`` or ``square_root``.
        stop_price: Quote currency; a bound ("at or beyond") when ``depth_exhausted``.
        displacement: ``|stop / mark − 1|``, the shock included.
        liquidated: USD forced to close; a lower bound when ``depth_exhausted``.
        rounds: Rounds until no further level triggers, including the last round without triggers.
        amplification: Displacement / shock.
        marginal: Derivative of displacement by shock; ``None`` at a jump (infinite) and at the end of the book.
        depth_exhausted: Whether the flow exceeds the known depth.
    """

    law: str
    stop_price: float
    displacement: float
    liquidated: float
    rounds: int
    amplification: float
    marginal: float | None
    depth_exhausted: bool


@dataclass(frozen=True, slots=True)
class Cascade:
    """The cascade that follows a shock, with the range of results under three impact laws.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of the map.
        shock: Signed fraction of the mark: negative liquidates longs, positive shorts.
        kind: ``news`` or ``flow``.
        side: Side of the liquidated positions.
        mark_price: Price before the shock.
        start_price: Price after the shock alone.
        base: Result under the given book or law (``calm``).
        stressed: Result with a tenth of that depth.
        square_root: Result under the square-root law of metaorder impact.
        chain: Triggered levels, in order, under ``base``.
        by_leverage: USD liquidated per leverage bracket, under ``base``.
        assumptions: One sentence each.
    """

    instrument: str
    at: Instant
    shock: float
    kind: Kind
    side: Side
    mark_price: float
    start_price: float
    base: Estimate
    stressed: Estimate
    square_root: Estimate
    chain: tuple[CascadeStep, ...]
    by_leverage: dict[float, float]
    assumptions: tuple[str, ...]

    @property
    def stop_price(self) -> float:
        """Stop price under ``base``."""
        return self.base.stop_price

    @property
    def displacement(self) -> float:
        """``|stop / mark − 1|`` under ``base``."""
        return self.base.displacement

    @property
    def liquidated(self) -> float:
        """USD forced to close under ``base``."""
        return self.base.liquidated

    @property
    def rounds(self) -> int:
        """Rounds under ``base``, including the last round without triggers."""
        return self.base.rounds

    @property
    def amplification(self) -> float:
        """Displacement / shock under ``base``."""
        return self.base.amplification

    @property
    def depth_exhausted(self) -> bool:
        """Whether the result under ``base`` is only a bound."""
        return self.base.depth_exhausted

    @property
    def share_20x(self) -> float:
        """Share of the liquidated notional at 20x leverage or more; 0 if nothing is liquidated."""
        high = sum(usd for leverage, usd in self.by_leverage.items() if leverage >= HIGH_LEVERAGE)
        return high / self.liquidated if self.liquidated > 0 else 0.0

    @property
    def bracket(self) -> tuple[Estimate, Estimate, Estimate]:
        """The law range: the three results by ascending displacement."""
        first, second, third = sorted(
            (self.base, self.stressed, self.square_root), key=lambda e: (e.displacement, e.depth_exhausted)
        )
        return first, second, third

    def to_dict(self) -> dict[str, JSON]:
        """Return plain data, as printed by ``liqmap cascade --json``; ``null`` instead of NaN and infinity."""
        low, _, high = self.bracket
        return {
            "shock": self.shock,
            "stop_price": self.stop_price,
            "displacement": self.displacement,
            "liquidated": self.liquidated,
            "rounds": self.rounds,
            "amplification": self.amplification,
            "chain": [step.to_dict() for step in self.chain],
            "marginal": self.base.marginal,
            "depth_exhausted": self.depth_exhausted,
            "bracket": {
                "low": low.law,
                "high": high.law,
                **{estimate.law: asdict(estimate) for estimate in (self.base, self.stressed, self.square_root)},
            },
            "by_leverage": {f"{leverage:g}": usd for leverage, usd in self.by_leverage.items()},
            "share_20x": self.share_20x,
            "instrument": self.instrument,
            "at": iso(self.at),
            "side": self.side,
            "kind": self.kind,
            "mark_price": self.mark_price,
            "start_price": self.start_price,
            "assumptions": list(self.assumptions),
        }

    def chart(self, **options: Any) -> alt.LayerChart:  # noqa: ANN401 - passed on to chain_chart
        """Return the chain as an Altair chart; see :func:`liqmap.charts.cascade.chart.chain_chart`."""
        return chart("cascade_chain", self, **options)


def cascade(
    of: MapLike,
    shock: float,
    depth: Law | None = None,
    *,
    kind: Kind = "news",
    square_root: SquareRoot | None = None,
) -> Cascade:
    """Follow a shock to the least fixed point ``x = Φ(s, G(x))`` of displacement and triggered notional.

    ``G(x)`` is the map's notional within ``x``; ``Φ(s, Q) = s + I(Q)`` for news, ``D⁻¹(D(s) + Q)`` for flow. All
    displacements are fractions of the mark, compared in whole ticks. Triggers are irrevocable, impact is permanent and
    the book does not refill, so under one law the result is an upper bound; therefore three laws are evaluated.

    Args:
        of: The map.
        shock: Signed fraction of the mark, such as ``-0.02``; between −1 and 1, at least one tick.
        depth: A :class:`~liqmap.stress.depth.Depth` or another law; ``None`` is a labelled fallback.
        kind: ``news`` or ``flow``.
        square_root: Parameters of the square-root law; assumed ones by default.

    Raises:
        InputError: A shock of 0, of 100 % or more, below a tick or not a number; an empty map; a book without orders on
            the side that absorbs the flow, or around another price.
    """
    side = triggered_side(shock)
    levels = directional_levels(of, side)
    if levels.ticks(shock) < 1:
        raise InputError("cascade", "shock", f"{shock:g}", "at least one tick of the price", "nothing computed")
    law = law_or_fallback(of, depth)
    square_root_law = SquareRoot() if square_root is None else square_root
    base, round_of = _estimate("calm", levels, law, shock, kind, 1.0)
    stressed, _ = _estimate("stressed", levels, law, shock, kind, STRESSED)
    under_square_root, _ = _estimate("square_root", levels, square_root_law, shock, kind, 1.0)
    triggered = round_of > 0
    by_bracket = levels.by_bracket[triggered].sum(axis=0)
    return Cascade(
        instrument=of.instrument,
        at=of.at,
        shock=shock,
        kind=kind,
        side=side,
        mark_price=of.mark_price,
        start_price=levels.price(levels.ticks(shock)),
        base=base,
        stressed=stressed,
        square_root=under_square_root,
        chain=cascade_chain(levels, round_of, of),
        by_leverage={leverage: float(usd) for leverage, usd in zip(of.brackets, by_bracket, strict=True)},
        assumptions=(*law.assumptions, *square_root_law.assumptions, *_caveats(levels, of, base)),
    )


def _estimate(
    name: str, levels: DirectionalLevels, law: Law, shock: float, kind: Kind, multiplier: float
) -> tuple[Estimate, npt.NDArray[np.uint32]]:
    market = core_market(levels, law, kind)
    start = levels.ticks(shock)
    stop, liquidated, exhausted, marginal, path, round_of = _core.cascade(
        levels.distance, levels.notional, market, start, multiplier
    )
    estimate = Estimate(
        law=name,
        stop_price=levels.price(stop),
        displacement=stop / levels.mark,
        liquidated=liquidated,
        rounds=len(path),
        amplification=stop / start,
        marginal=marginal,
        depth_exhausted=exhausted,
    )
    return estimate, round_of


def _caveats(levels: DirectionalLevels, of: MapLike, base: Estimate) -> tuple[str, ...]:
    notes = [f"stressed book: {STRESSED:g} of the depth", "no refill, no withdrawal of orders between rounds"]
    if levels.left_out > 0:
        notes.append(f"${levels.left_out:,.0f} of {levels.side} levels on the wrong side of the mark are excluded")
    beyond = base.stop_price < of.grid.low if levels.side == "long" else base.stop_price > of.grid.high
    if beyond:
        notes.append("the stop price lies outside the map's grid: levels beyond the grid are not included")
    if base.depth_exhausted:
        notes.append("the flow exceeds the known depth: stop price and notional are bounds")
    return tuple(notes)
