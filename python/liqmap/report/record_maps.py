"""Issued maps into the history: what a site published goes on record beside the data it was made from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from liqmap.history.registry import issued_maps
from liqmap.history.store import open_store
from liqmap.maps.map_registry import entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from liqmap.history.registry.issued_maps import MapBins, MapRecord

__all__ = ["record_maps"]


def record_maps(database: Path, folders: Iterable[Path]) -> int:
    """Put the maps of issues on record.

    What is recorded is read from the issues' own ``map.json``: no other map than the published one gets there, however
    many processes made them. Maps of whole markets are left out; those of their instruments stand for them.

    Args:
        database: The history file; opened to write for as long as this takes.
        folders: Of the issues.

    Returns:
        How many were not on record yet.

    Raises:
        StorageError: The history cannot be written: read-only, or held by another process.
    """
    with open_store(database, "w", patience=0.0) as store:
        ticks = {about.name: about.tick_size for about in store.instruments()}
        there = {header.map_id for header in issued_maps.read_map_records(store)}
        return issued_maps.record_issued_maps(store, _unrecorded_maps(folders, ticks, there))


def _unrecorded_maps(
    folders: Iterable[Path], ticks: dict[str, float], there: set[str]
) -> Iterator[tuple[MapRecord, MapBins]]:
    for folder in folders:
        for path in sorted(folder.glob("*/map.json")):
            raw = path.read_bytes()
            if hashlib.sha256(raw).hexdigest() in there:
                continue
            tick = ticks.get(json.loads(raw)["instrument"])
            if tick is not None:
                yield entry(raw, tick)
