"""A kernel with the day it was issued, what it was fitted on, and how sure it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from liqmap._base.timestamps import iso, parse_instant
from liqmap.positions.engine.calibrated_recipe import CalibratedRecipe

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON
    from liqmap._base.timestamps import Instant

__all__ = ["Calibration"]

_SIDED_FIELDS = ("low", "high", "prior_share")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Used by maps issued at or after ``issued_at``, never before.

    Attributes:
        instrument: Whose bars and volume fed the model.
        feed: Whose realised liquidations it was fitted to (an instrument, or a vendor's sum of venues).
        interval_s, price_source: The series of bars: a share of spot volume is no share of a perpetual's.
        start, end: The fitted span, UTC microseconds.
        issued_at: Never before ``end``.
        kernel: The shares found.
        low, high: 5 % and 95 % of each share over block-bootstrap resamples, long and short.
        prior_share: How much of each share is the prior's word, 0 to 1, long and short: near 1 nothing was learnt.
        background: Liquidated per USD that is expected to trade, wherever price goes, long and short.
        notes: What was assumed, one sentence each.
    """

    instrument: str
    feed: str
    interval_s: int
    price_source: str
    start: Instant
    end: Instant
    issued_at: Instant
    kernel: CalibratedRecipe
    low: tuple[tuple[float, ...], tuple[float, ...]]
    high: tuple[tuple[float, ...], tuple[float, ...]]
    prior_share: tuple[tuple[float, ...], tuple[float, ...]]
    background: tuple[float, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, JSON]:
        """Plain data; times as text."""
        plain: dict[str, Any] = asdict(self)
        plain |= {key: iso(plain[key]) for key in ("start", "end", "issued_at")}
        plain["kernel"] = self.kernel.to_dict()
        plain |= {key: [list(side) for side in plain[key]] for key in _SIDED_FIELDS}
        plain |= {"background": list(self.background), "notes": list(self.notes)}
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Calibration:
        """What :meth:`to_dict` gave."""
        made = dict(plain)
        made |= {key: parse_instant(made[key]) for key in ("start", "end", "issued_at")}
        made["kernel"] = CalibratedRecipe.from_dict(plain["kernel"])
        made |= {key: tuple(tuple(side) for side in made[key]) for key in _SIDED_FIELDS}
        made |= {"background": tuple(made["background"]), "notes": tuple(made["notes"])}
        return cls(**made)
