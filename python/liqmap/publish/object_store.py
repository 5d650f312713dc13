"""Publish to object storage: what never changes first, then what leads to it; what nothing leads to goes at the end."""

from __future__ import annotations

import json
import mimetypes
from typing import TYPE_CHECKING, Any

from liqmap._base.errors import LiqmapError, StorageError
from liqmap.report.site.atomic_files import MANIFEST, manifest_entry

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from liqmap.publish.site_copy import SiteCopy

__all__ = ["open_object_store", "publish_object_store"]

_CONTENT_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".js": "text/javascript",
    ".xml": "application/atom+xml",
}


def open_object_store(address: str) -> ObjectStore:
    """The store of ``s3://bucket/prefix``, ``gs://…``, ``az://…``, ``memory://`` or ``file:///…``.

    Keys and regions come from the environment, as the store's own tools read them.

    Raises:
        LiqmapError: obstore is not installed.
        StorageError: No such store.
    """
    try:
        from obstore.store import from_url  # noqa: PLC0415 - an extra
    except ImportError:
        hint = 'pip install "liqmap[publish]"'
        raise LiqmapError("publish", "obstore", "not installed", hint, "nothing published") from None
    try:
        return from_url(address)
    except Exception as error:
        raise StorageError("publish", address, str(error), "an address of a store", "nothing published") from error


def publish_object_store(source: SiteCopy, store: ObjectStore, where: str = "objects") -> bool:
    """Make a store hold a site and nothing else below its prefix.

    A store has no step that changes many files at once. So the order keeps every reader whole: assets and issues, which
    never change, go up first; then data and pages that do; then the front page and the manifest; each is read back.
    Only then does what the manifest no longer names go. If this is cut short, the old front page still leads to files
    that are there.

    Returns:
        Whether anything changed.

    Raises:
        StorageError: The store cannot be read or written, or gives back something else than was put there.
    """
    import obstore  # noqa: PLC0415 - an extra

    try:
        there = _published_entries(store)
        changed = [name for name in source.files if there.get(name) != source.files[name]]
        for name in sorted(changed, key=_upload_order):
            _upload(store, name, (source.folder / name).read_bytes(), where)
        listed: list[dict[str, Any]] = [dict(found) for part in obstore.list(store) for found in part]
        stale = [str(found["path"]) for found in listed if str(found["path"]) not in source.files]
        if stale:
            obstore.delete(store, stale)
    except StorageError:
        raise
    except Exception as error:
        raise StorageError("publish", where, str(error), "a store to write to", "run again to go on") from error
    return bool(changed or stale)


def _upload(store: ObjectStore, name: str, content: bytes, where: str) -> None:
    """Write a file and read it back."""
    import obstore  # noqa: PLC0415 - an extra

    # A folder keeps no attributes: there the reader goes by the name's ending.
    plain = type(store).__name__ == "LocalStore"
    obstore.put(store, name, content, attributes=None if plain else {"Content-Type": _content_type(name)})
    if bytes(obstore.get(store, name).bytes()) != content:
        raise StorageError("publish", f"{where}/{name}", "not what was put there", "the same bytes", "run again")


def _published_entries(store: ObjectStore) -> dict[str, Any]:
    """What the store's own manifest names, as far as it is there."""
    import obstore  # noqa: PLC0415 - an extra
    from obstore.exceptions import NotFoundError  # noqa: PLC0415

    try:
        own = bytes(obstore.get(store, MANIFEST).bytes())
    except (FileNotFoundError, NotFoundError):
        return {}
    sizes = {str(found["path"]): int(found["size"]) for part in obstore.list(store) for found in part}
    try:
        told = {**json.loads(own)["files"], MANIFEST: manifest_entry(own)}
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: said for name, said in told.items() if sizes.get(name) == said["bytes"]}


def _upload_order(name: str) -> tuple[int, str]:
    if name in ("index.html", MANIFEST):
        return (3 if name == MANIFEST else 2, name)
    return (0 if name.startswith("assets/") or name[:1].isdigit() else 1, name)


def _content_type(name: str) -> str:
    suffix = name[name.rfind(".") :]
    return _CONTENT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
