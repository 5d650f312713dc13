"""Sites that several tests read; none of them changes what is in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing import HOSTILE, make_issue

from liqmap.report.site import write_issue


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One issue about one instrument."""
    out = tmp_path_factory.mktemp("plain") / "site"
    write_issue(make_issue(), out)
    return out


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One issue about instruments whose names would rather be code; simulated."""
    out = tmp_path_factory.mktemp("hostile") / "site"
    write_issue(make_issue(*HOSTILE, simulated=True), out)
    return out
