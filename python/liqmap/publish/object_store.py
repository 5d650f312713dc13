"""Publish to object storage: immutable files first, then the pages that link to them; deletions come last."""

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

    Credentials and regions come from the environment variables of the provider's own tools.

    Raises:
        LiqmapError: obstore is not installed.
        StorageError: The address does not name a supported store.
    """
    try:
        from obstore.store import from_url  # noqa: PLC0415 - an extra
    except ImportError:
        hint = 'pip install "liqmap[publish]"'
        raise LiqmapError("publish", "obstore", "not installed", hint, "nothing published") from None
    try:
        return from_url(address)
    except Exception as error:
        raise StorageError(
            "publish", address, str(error), "the address of an object store", "nothing published"
        ) from error


def publish_object_store(source: SiteCopy, store: ObjectStore, where: str = "objects") -> bool:
    """Replace everything below the store's prefix by a site.

    An object store cannot change several files atomically. The upload order keeps links valid for readers at every
    moment: immutable assets and issues first, then pages and data that change, then the front page, then the manifest.
    Each file is read back. Files that the manifest no longer lists are deleted last. After an interruption the old
    front page still links to existing files.

    Returns:
        Whether anything changed.

    Raises:
        StorageError: The store cannot be read or written, or returns other bytes than were uploaded.
    """
    import obstore  # noqa: PLC0415 - an extra

    try:
        published = _published_entries(store)
        changed = [name for name in source.files if published.get(name) != source.files[name]]
        for name in sorted(changed, key=_upload_order):
            _upload(store, name, (source.folder / name).read_bytes(), where)
        listed: list[dict[str, Any]] = [dict(found) for part in obstore.list(store) for found in part]
        stale = [str(found["path"]) for found in listed if str(found["path"]) not in source.files]
        if stale:
            obstore.delete(store, stale)
    except StorageError:
        raise
    except Exception as error:
        raise StorageError("publish", where, str(error), "a writable store", "run again to continue") from error
    return bool(changed or stale)


def _upload(store: ObjectStore, name: str, content: bytes, where: str) -> None:
    """Upload a file and verify it by reading it back."""
    import obstore  # noqa: PLC0415 - an extra

    # A local folder stores no attributes; the content type follows from the file extension.
    local = type(store).__name__ == "LocalStore"
    obstore.put(store, name, content, attributes=None if local else {"Content-Type": _content_type(name)})
    if bytes(obstore.get(store, name).bytes()) != content:
        raise StorageError(
            "publish", f"{where}/{name}", "content differs from the upload", "the same bytes", "run again"
        )


def _published_entries(store: ObjectStore) -> dict[str, Any]:
    """Entries of the store's manifest whose files exist with the listed size."""
    import obstore  # noqa: PLC0415 - an extra
    from obstore.exceptions import NotFoundError  # noqa: PLC0415

    try:
        own = bytes(obstore.get(store, MANIFEST).bytes())
    except (FileNotFoundError, NotFoundError):
        return {}
    sizes = {str(found["path"]): int(found["size"]) for part in obstore.list(store) for found in part}
    try:
        entries = {**json.loads(own)["files"], MANIFEST: manifest_entry(own)}
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: entry for name, entry in entries.items() if sizes.get(name) == entry["bytes"]}


def _upload_order(name: str) -> tuple[int, str]:
    if name in ("index.html", MANIFEST):
        return (3 if name == MANIFEST else 2, name)
    return (0 if name.startswith("assets/") or name[:1].isdigit() else 1, name)


def _content_type(name: str) -> str:
    suffix = name[name.rfind(".") :]
    return _CONTENT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
