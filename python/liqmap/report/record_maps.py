"""Record the issued maps of a site in the history."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from liqmap.history.registry import issued_maps
from liqmap.history.store import open_store
from liqmap.maps.map_registry import registry_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from liqmap.history.registry.issued_maps import MapBins, MapRecord

__all__ = ["record_maps"]


def record_maps(database: Path, folders: Iterable[Path]) -> int:
    """Record the maps of issues in the history.

    The maps are read from the published ``map.json`` files, so each record equals the published map. Maps of whole
    markets are skipped; the maps of their instruments are recorded instead.

    Args:
        database: The history file; opened for writing during the call.
        folders: Folders of the issues.

    Returns:
        Number of newly recorded maps.

    Raises:
        StorageError: The history cannot be written: it is read-only or locked by another process.
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
                yield registry_entry(raw, tick)
