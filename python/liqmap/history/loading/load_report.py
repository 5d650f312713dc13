"""Load reports: the result of a load, with every row accounted for."""

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
        member: File inside an archive.
        row: 1-based row; the header counts as a row.
        field: Invalid column, as named in the file.
        value: Text of the invalid cell.
        reason: Description of valid values.
    """

    member: str | None
    row: int
    field: str
    value: str | None
    reason: str


@dataclass(slots=True)
class TableReport:
    """Result of a load for one table.

    ``read = stored + duplicates + known + rejected + blank + left_out``, except for trades and depth bands, several of
    which are aggregated into one row.

    Attributes:
        table: The table.
        instruments: Instruments of the stored rows.
        read: Rows of the file.
        stored: Rows added.
        duplicates: Identical repeats within the file.
        known: Rows that are identical to stored ones.
        replaced: Stored rows that were replaced.
        rejected: Invalid rows, recorded in the table ``rejects``.
        blank: Rows without any value for this table.
        left_out: Placeholder rows at the ends of the file, bars or windows that have not ended, and skipped records of
            venue JSON (the notes give the reasons).
        missing: Bars missing between the first and the last bar of the file.
        first: First time, UTC microseconds.
        last: Last time, UTC microseconds.
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
        """Add the counts of another member or target of the same file."""
        self.instruments = tuple(sorted({*self.instruments, *other.instruments}))
        for name in ("read", "stored", "duplicates", "known", "replaced", "rejected", "blank", "left_out", "missing"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        times = [t for t in (self.first, self.last, other.first, other.last) if t is not None]
        self.first, self.last = (min(times), max(times)) if times else (None, None)

    @property
    def line(self) -> str:
        """One line of text for the table."""
        span = f" {iso(self.first)} … {iso(self.last)}" if self.first is not None and self.last is not None else ""
        counts = [
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
        details = f" ({', '.join(counts)})" if counts else ""
        instruments = f" {', '.join(self.instruments)}" if self.instruments else ""
        return f"{self.table}{instruments}: {self.stored:,} rows{span}{details}"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Result of loading one file.

    Attributes:
        source: The file.
        sha256: SHA-256 of its bytes.
        layout: Name of the mapping.
        load_id: Id in the table ``loads``.
        already: Whether the same bytes were loaded before with the same mapping, so that nothing changed.
        tables: Result for each table.
        rejects: Rejected rows, if rejects were allowed.
        notes: Checks that were not possible, and reasons for skipped records.
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
        """Number of rows added to all tables."""
        return sum(t.stored for t in self.tables)

    @property
    def lines(self) -> tuple[str, ...]:
        """The report as text: one line for the file and one for each table."""
        if self.already:
            return (f"{self.source}: already loaded (load {self.load_id}); nothing changed",)
        tables = [f"  {t.line}" for t in self.tables]
        return (f"{self.source}: {self.layout}", *tables, *(f"  {note}" for note in self.notes))

    def to_dict(self) -> dict[str, JSON]:
        """Return the report as plain data, with times in ISO 8601."""
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
