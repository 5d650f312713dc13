"""What the README shows runs as it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
_BARS = "data/binance_btcusdt_perp_5m_20260525_20260614.csv"


def test_the_python_block_runs(shared: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", _README, re.DOTALL)
    load = ["load", "--db", "btc.duckdb", "--instrument", "binance:BTCUSDT", str(shared / _BARS)]
    for program in (["-c", "from liqmap.cli import main; main()", *load], ["-c", block]):
        done = subprocess.run(
            [sys.executable, *program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"^liqmap (\w+)", _README, re.MULTILINE))))
def test_every_command_and_its_options_exist(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from liqmap.cli import main; main()", verb, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line.split("     ")[0] for line in _README.splitlines() if line.startswith(f"liqmap {verb} ")]
    options = {option for line in lines for option in re.findall(r"(--[a-z]+)", line)}
    assert all(option in done.stdout for option in options), options


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", _README))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (Path(__file__).resolve().parent.parent / target).is_file()
