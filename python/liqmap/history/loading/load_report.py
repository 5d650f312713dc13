"""What a load did, row by row accounted for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from liqmap._base.timestamps import Instant, iso

if TYPE_CHECKING:
    from liqmap._base.provenance import JSON

__all__ = ["LoadReport", "Reject", "TableReport"]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not stored.

    Attributes:
        member: The file inside an archive.
        row: 1-based, counted with the header.
        field: The column at fault, as the file names it.
        value: What stood there.
        reason: What would have been right.
    """

    member: str | None
    row: int
    field: str
    value: str | None
    reason: str


@dataclass(slots=True)
class TableReport:
    """One table's share of a load.

    ``read = stored + duplicates + known + rejected + blank + left_out``, but for trades and bands, of which several
    rows make one.

    Attributes:
        table: The table.
        instruments: Whose rows.
        read: Rows of the file.
        stored: Rows added.
        duplicates: Rows that stood twice in the file, counted once more than needed.
        known: Rows the history already held, alike.
        replaced: Stored rows that gave way.
        rejected: Rows refused; they are in the ``rejects`` table.
        blank: Rows with nothing in them for this table.
        left_out: Placeholder rows at the file's ends, bars or windows that were not over yet, and a payload's records
            that are no rows (the notes say why).
        missing: Bars that are not there between the file's first and last.
        first: First time, UTC microseconds.
        last: Last time.
    """

    table: str
    instruments: tuple[str, ...] = ()
    read: int = 0
    stored: int = 0
    duplicates: int = 0
    known: int = 0
    replaced: int = 0
    rejected: int = 0
    blank: int = 0
    left_out: int = 0
    missing: int = 0
    first: Instant | None = None
    last: Instant | None = None

    def add(self, other: TableReport) -> None:
        """Count another part of the same file in."""
        self.instruments = tuple(sorted({*self.instruments, *other.instruments}))
        for name in ("read", "stored", "duplicates", "known", "replaced", "rejected", "blank", "left_out", "missing"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        times = [t for t in (self.first, self.last, other.first, other.last) if t is not None]
        self.first, self.last = (min(times), max(times)) if times else (None, None)

    @property
    def line(self) -> str:
        """The table's share as one line."""
        span = f" {iso(self.first)} … {iso(self.last)}" if self.first is not None and self.last is not None else ""
        told = [
            f"{getattr(self, name):,} {word}"
            for name, word in (
                ("duplicates", "duplicate"),
                ("known", "already stored"),
                ("replaced", "replaced"),
                ("rejected", "rejected"),
                ("blank", "blank"),
                ("left_out", "left out"),
                ("missing", "missing"),
            )
            if getattr(self, name)
        ]
        rest = f" ({', '.join(told)})" if told else ""
        whose = f" {', '.join(self.instruments)}" if self.instruments else ""
        return f"{self.table}{whose}: {self.stored:,} rows{span}{rest}"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What one file did to the history.

    Attributes:
        source: The file.
        sha256: Of its bytes.
        layout: The mapping that read it.
        load_id: Its number in ``loads``.
        already: The same bytes had been loaded before in the same way: nothing was changed.
        tables: What each table got.
        rejects: The rows that were refused (only where that was allowed).
        notes: What could not be checked.
    """

    source: str
    sha256: str
    layout: str
    load_id: int
    already: bool = False
    tables: tuple[TableReport, ...] = ()
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def stored(self) -> int:
        """Rows added, all tables together."""
        return sum(t.stored for t in self.tables)

    @property
    def lines(self) -> tuple[str, ...]:
        """The report to read: one line for the file, one for each table."""
        if self.already:
            return (f"{self.source}: already loaded (load {self.load_id}); nothing changed",)
        tables = [f"  {t.line}" for t in self.tables]
        return (f"{self.source}: {self.layout}", *tables, *(f"  {note}" for note in self.notes))

    def to_dict(self) -> dict[str, JSON]:
        """The report as plain data, times as ISO 8601."""
        tables: list[JSON] = []
        for table in self.tables:
            plain = asdict(table)
            for end in ("first", "last"):
                plain[end] = None if plain[end] is None else iso(plain[end])
            tables.append({**plain, "instruments": list(table.instruments)})
        return {
            "source": self.source,
            "sha256": self.sha256,
            "layout": self.layout,
            "load_id": self.load_id,
            "already": self.already,
            "stored": self.stored,
            "tables": tables,
            "rejects": [asdict(r) for r in self.rejects],
            "notes": list(self.notes),
        }
