"""A site to publish: three issues."""

from __future__ import annotations

from pathlib import Path

import pytest

from _helpers.sample_issue import make_issue
from liqmap._base.timestamps import parse_instant
from liqmap.report.site.site import write_issue

TIMES = ("2026-06-11T12:00Z", "2026-06-12T00:00Z", "2026-06-12T12:00Z")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "site"
    for seed, time in enumerate(TIMES):
        write_issue(make_issue(at=parse_instant(time), seed=seed), out)
    return out
