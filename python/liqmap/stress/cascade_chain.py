"""The chain of a cascade: runs of adjacent bins that trigger in the same round, in order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON
    from liqmap.stress.directional_levels import DirectionalLevels, MapLike

__all__ = ["HIGH_LEVERAGE", "CascadeStep", "cascade_chain"]

HIGH_LEVERAGE = 20.0


@dataclass(frozen=True, slots=True)
class CascadeStep:
    """Adjacent bins triggered in one round.

    Attributes:
        price: Centre of the largest bin, quote currency.
        notional: USD forced to close.
        round: The round, from 1.
        side: Side of the liquidated positions.
        low: Lower edge.
        high: Upper edge.
        distance: ``price / mark − 1``.
        leverage: Share of the notional by leverage bracket; empty brackets are omitted.
    """

    price: float
    notional: float
    round: int
    side: Side
    low: float
    high: float
    distance: float
    leverage: dict[float, float]

    @property
    def share_20x(self) -> float:
        """Share of the notional at 20x leverage or more."""
        return sum(share for leverage, share in self.leverage.items() if leverage >= HIGH_LEVERAGE)

    def to_dict(self) -> dict[str, JSON]:
        """Return the attributes as plain data, with leverage as text keys."""
        plain: dict[str, JSON] = asdict(self)
        return {**plain, "leverage": {f"{leverage:g}": share for leverage, share in self.leverage.items()}}


def cascade_chain(levels: DirectionalLevels, round_of: npt.NDArray[np.uint32], of: MapLike) -> tuple[CascadeStep, ...]:
    """Group the triggered levels; ``round_of`` is the round of each level, 0 if not triggered."""
    triggered = int(np.count_nonzero(round_of))
    if triggered == 0:
        return ()
    bins, rounds = levels.bins[:triggered], round_of[:triggered]
    breaks = np.flatnonzero((np.abs(np.diff(bins)) != 1) | (np.diff(rounds) != 0)) + 1
    return tuple(_cascade_step(levels, run, int(rounds[run[0]]), of) for run in np.split(np.arange(triggered), breaks))


def _cascade_step(levels: DirectionalLevels, run: npt.NDArray[np.intp], round_: int, of: MapLike) -> CascadeStep:
    bins = levels.bins[run]
    largest = int(bins[np.argmax(levels.notional[run])])
    price = (_bin_edge(of, largest) + _bin_edge(of, largest + 1)) / 2
    notional = float(levels.notional[run].sum())
    by_bracket = levels.by_bracket[run].sum(axis=0)
    return CascadeStep(
        price=price,
        notional=notional,
        round=round_,
        side=levels.side,
        low=_bin_edge(of, int(bins.min())),
        high=_bin_edge(of, int(bins.max()) + 1),
        distance=price / of.mark_price - 1,
        leverage={b: float(usd) / notional for b, usd in zip(of.brackets, by_bracket, strict=True) if usd > 0},
    )


def _bin_edge(of: MapLike, index: int) -> float:
    return of.grid.price(of.grid.low_tick + index * of.grid.width_ticks)
