"""Publication to an object store: the store equals the site."""

from __future__ import annotations

from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from _helpers.site_files import files
from liqmap._base.errors import StorageError
from liqmap.publish.object_store import publish_object_store
from liqmap.publish.site_copy import Retention, checked_copy
from liqmap.publish.target import MAX_BYTES, publish


def held(store: ObjectStore) -> dict[str, bytes]:
    names = [str(found["path"]) for part in obstore.list(store) for found in part]
    return {name: bytes(obstore.get(store, name).bytes()) for name in sorted(names)}


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_the_store_equals_the_site(site: Path, tmp_path: Path, kind: str) -> None:
    store = MemoryStore() if kind == "memory" else LocalStore(tmp_path / "bucket", mkdir=True)
    with checked_copy(site, Retention(), most=MAX_BYTES) as ready:
        assert publish_object_store(ready, store)
        assert held(store) == files(site)
        assert not publish_object_store(ready, store)
    with checked_copy(site, Retention(issues=1), most=MAX_BYTES) as ready:
        assert publish_object_store(ready, store)
        assert held(store) == files(ready.folder)


def test_an_interrupted_publication_is_completed(site: Path) -> None:
    store = MemoryStore()
    with checked_copy(site, Retention(), most=MAX_BYTES) as ready:
        publish_object_store(ready, store)
        obstore.delete(store, ["latest/index.html"])
        obstore.put(store, "archive.html", b"half")
        obstore.put(store, "stray.txt", b"unrelated")
        assert publish_object_store(ready, store)
        assert held(store) == files(site)
        obstore.put(store, "manifest.json", b"{}")
        assert publish_object_store(ready, store)
        assert held(store) == files(site)


def test_files_have_their_content_types(site: Path) -> None:
    store = MemoryStore()
    with checked_copy(site, Retention(issues=1), most=MAX_BYTES) as ready:
        publish_object_store(ready, store)
    for name, kind in (
        ("index.html", "text/html"),
        ("feed.xml", "application/atom+xml"),
        ("issues.js", "text/javascript"),
    ):
        assert obstore.get(store, name).attributes["Content-Type"] == kind


def test_a_store_is_opened_by_its_address(site: Path, tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    address = (tmp_path / "bucket").as_uri()
    assert publish(site, address, keep=Retention()) == (3, True)
    assert files(tmp_path / "bucket") == files(site)
    with pytest.raises(StorageError, match="the address of an object store"):
        publish(site, "gopher://hole/x", keep=Retention())
