"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# On a busy machine a deadline measures other processes.
settings.register_profile("liqmap", deadline=None)
settings.load_profile("liqmap")

_ROOT = Path(__file__).resolve().parent.parent

# Doctest collection imports every module, and two conftest files would be two modules with one name.
collect_ignore_glob = ["*/conftest.py"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real market data; tests are skipped without it, and fail without it in CI.

    A public runner has no such folder and sets LIQMAP_ALLOW_NO_DATA.
    """
    folder = Path(os.environ.get("LIQMAP_TEST_DATA", _ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        message = f"no real market data at LIQMAP_TEST_DATA ({folder})"
        if os.environ.get("CI") and not os.environ.get("LIQMAP_ALLOW_NO_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
