"""What every test can ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent

# Doctests are sought in every module: two conftests would be two modules of one name.
collect_ignore_glob = ["*/conftest.py"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real market data; skipped where it is absent, required in CI.

    A public runner does not have it and says so with LIQMAP_ALLOW_NO_DATA.
    """
    folder = Path(os.environ.get("LIQMAP_TEST_DATA", _ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        message = f"no real market data at LIQMAP_TEST_DATA ({folder})"
        if os.environ.get("CI") and not os.environ.get("LIQMAP_ALLOW_NO_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
