"""Tracks: clusters followed through time, with their changes of notional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from liqmap._base.timestamps import Instant, iso

if TYPE_CHECKING:
    import arro3.core
    import numpy as np
    import numpy.typing as npt

    from liqmap._base.instruments import Side
    from liqmap._base.provenance import JSON, Provenance

    Floats = npt.NDArray[np.float64]

__all__ = ["Step", "Track", "Tracks"]


@dataclass(frozen=True, slots=True)
class Step:
    """A cluster at one column and its changes since the column before, USD.

    Its notional is that of the step before ``+ opened + carried_in − closed − liquidated − carried_out``.

    Attributes:
        at: UTC microseconds of the column.
        low, peak, high: The basin, price; for a cluster that has ended, its last basin.
        notional: Notional in the basin; 0 if the cluster has ended.
        opened: Opened since the column before, in the present basin.
        closed: Closed by choice, in the basin before.
        liquidated: Swept by the price, in the basin before.
        carried_in: Older positions that are new to the basin, because it widened or another cluster merged into it.
        carried_out: Open positions that left the basin, because it narrowed, split or ended.
        link: Share of the cluster's mass that the optimal coupling sends here; ``None`` at a start and at an end.
        migrating: Whether ``link`` is at least one half and the peak moved by more than the basin's half-width.
            Positions do not move; this is turnover, and ``opened / notional`` is the share of new positions.
    """

    at: Instant
    low: float
    peak: float
    high: float
    notional: float
    opened: float
    closed: float
    liquidated: float
    carried_in: float
    carried_out: float
    link: float | None
    migrating: bool

    def to_dict(self) -> dict[str, JSON]:
        """The attributes as plain data, with the share of new positions."""
        plain: dict[str, JSON] = {name: getattr(self, name) for name in _AMOUNTS}
        new = self.opened / self.notional if self.notional > 0 else None
        return {"at": iso(self.at), **plain, "link": self.link, "migrating": self.migrating, "new_share": new}


_AMOUNTS = (
    *("low", "peak", "high", "notional"),
    *("opened", "closed", "liquidated", "carried_in", "carried_out"),
)


@dataclass(frozen=True, slots=True)
class Track:
    """One cluster through time.

    Attributes:
        number: From 1, in order of first column, then longs before shorts, then price.
        side: Side of the positions.
        steps: One per column from the first one to the last, or to the one at which the track had ended.
        parent: Number of the track from which it split off, if any.
        heir: Number of the track into which it merged, if any.
    """

    number: int
    side: Side
    steps: tuple[Step, ...]
    parent: int | None
    heir: int | None

    @property
    def alive(self) -> bool:
        """Whether the track is open at the last column."""
        return self.steps[-1].notional > 0

    def to_dict(self) -> dict[str, JSON]:
        """The track as plain data."""
        return {
            "track": self.number,
            "side": self.side,
            "born": iso(self.steps[0].at),
            "ended": None if self.alive else iso(self.steps[-1].at),
            "parent": self.parent,
            "heir": self.heir,
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, eq=False)
class Tracks:
    """All tracks between two times, and the totals of both sides.

    Attributes:
        instrument: ``venue:SYMBOL``.
        at: UTC microseconds of each column.
        tracks: In order of their numbers.
        notional: USD of each side on the axis, inside and outside clusters, shape ``(columns, 2)``, longs first.
        opened, closed, liquidated: Its changes since the column before, same shape; zero at the first column.
        provenance: Inputs, parameters, assumptions.
    """

    instrument: str
    at: npt.NDArray[np.int64]
    tracks: tuple[Track, ...]
    notional: Floats
    opened: Floats
    closed: Floats
    liquidated: Floats
    provenance: Provenance

    def __len__(self) -> int:
        return len(self.tracks)

    def to_dict(self) -> dict[str, JSON]:
        """Everything as plain data."""
        sides: dict[str, JSON] = {
            side: {name: getattr(self, name)[:, k].tolist() for name in ("notional", "opened", "closed", "liquidated")}
            for k, side in enumerate(("long", "short"))
        }
        return {
            "instrument": self.instrument,
            "at": [iso(int(at)) for at in self.at],
            "sides": sides,
            "tracks": [track.to_dict() for track in self.tracks],
            "provenance": self.provenance.to_dict(),
        }

    def to_arrow(self) -> arro3.core.Table:
        """One row per step: ``track, side, parent, heir, at_us``, the step's figures, ``link, migrating``."""
        from arro3.core import Array, DataType, Table  # noqa: PLC0415 - Arrow loads only when asked for

        rows = [(track, step) for track in self.tracks for step in track.steps]
        whole, number, text, truth = DataType.int64(), DataType.float64(), DataType.utf8(), DataType.bool()
        return Table.from_pydict(
            {
                "track": Array([t.number for t, _ in rows], type=whole),
                "side": Array([t.side for t, _ in rows], type=text),
                "parent": Array([t.parent for t, _ in rows], type=whole),
                "heir": Array([t.heir for t, _ in rows], type=whole),
                "at_us": Array([s.at for _, s in rows], type=whole),
                **{name: Array([getattr(s, name) for _, s in rows], type=number) for name in _AMOUNTS},
                "link": Array([s.link for _, s in rows], type=number),
                "migrating": Array([s.migrating for _, s in rows], type=truth),
            }
        )

    def to_csv(self) -> str:
        """:meth:`to_arrow` as CSV text, with times in ISO 8601."""
        from liqmap.maps.export import csv_text  # noqa: PLC0415 - tables load only when asked for

        header = ["instrument", "track", "side", "parent", "heir", "at", *_AMOUNTS, "link", "migrating"]
        lines = (
            [
                *(self.instrument, t.number, t.side, t.parent, t.heir, iso(s.at)),
                *(getattr(s, name) for name in _AMOUNTS),
                *(s.link, str(s.migrating).lower()),
            ]
            for t in self.tracks
            for s in t.steps
        )
        return csv_text(header, lines)
