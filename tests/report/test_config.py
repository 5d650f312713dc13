"""Invalid report files are rejected with a one-line error that names the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from liqmap._base.errors import InputError
from liqmap.report.config import read_report

GOOD = 'title = "x"\ninstruments = ["okx:BTC-USDT-SWAP"]\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_report_files_are_valid() -> None:
    # The folder also contains scoring plans, which are lists of tests.
    found = [
        path for path in (Path(__file__).parents[2] / "reports").glob("*.toml") if "[[test]]" not in path.read_text()
    ]
    assert "daily.toml" in {path.name for path in found}
    for path in found:
        assert read_report(path).instruments


def test_shocks_are_fractions_or_per_cent_in_order(tmp_path: Path) -> None:
    report = read_report(write(tmp_path, GOOD + 'shocks = ["+3%", -0.02, "-2%"]'))
    assert report.shocks == (-0.02, 0.03)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "intsruments = 1", "r.toml, intsruments: unknown key (expected one of title, "),
        ('title = "x"', "r.toml, instruments: missing"),
        ('title = "x"\ninstruments = []', "r.toml, instruments: []"),
        ('title = "x"\ninstruments = ["BTC"]', "instruments: 'BTC' (expected venue:SYMBOL"),
        ('title = "x"\ninstruments = ["a:b", "a:b"]', "is listed twice"),
        (GOOD + 'every = "soon"', "r.toml, every: 'soon' (expected a span such as 5m, 12h or 30d)"),
        (GOOD + "shocks = [0]", "a shock must not be 0"),
        (GOOD + 'shocks = ["-60%"]', "r.toml, shocks.0: '-60%'"),
        (GOOD + 'shocks = ["two%"]', "r.toml, shocks.0: 'two%'"),
        ('title = "x', "r.toml: Unterminated string"),
        ("\ufeff" + GOOD, "r.toml: "),
    ],
)
def test_an_invalid_file_gives_a_one_line_error(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_report(path)
    line = str(caught.value)
    assert line.startswith(f"liqmap: report: {path}")
    assert message in line
    assert line.endswith("; nothing written")
    assert "\n" not in line


def test_a_missing_file_gives_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_report(tmp_path / "none.toml")
