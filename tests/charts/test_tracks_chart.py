"""Track charts: ends of tracks, new tracks, and the data of trails."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.sample_map import sample_map
from _helpers.sample_tracks import COLUMNS, sample_tracks
from liqmap._base.errors import InputError
from liqmap.charts.heatmap.layout import WIDE
from liqmap.charts.theme import PAGE
from liqmap.charts.tracks.chart import track_data, track_spec
from liqmap.charts.tracks.layout import PricePath, TracksLayout
from liqmap.report.svg.turnover import HEIGHT, turnover

TRACKS, PATH = sample_tracks(sample_map())
LAYOUT = TracksLayout.of_tracks(TRACKS, PATH, PATH, 0.1)


def test_every_track_has_one_end() -> None:
    ends = {one.track.number: one.end for one in LAYOUT.summaries}
    assert ends == {1: "swept", 2: "stands", 3: "stands", 4: "merged", 5: "stands", 6: "stands"}
    # With a price that does not reach the first track, it is dissolved instead of swept.
    still = PricePath(TRACKS.at, np.full(COLUMNS, 7e4), np.full(COLUMNS, 7e4) * 1.1, np.full(COLUMNS, 7.7e4))
    high = PricePath(TRACKS.at, still.high, still.high, still.high)
    assert TracksLayout.of_tracks(TRACKS, high, high, 0.1).summaries[0].end == "dissolved"


def test_a_new_track_started_later_and_did_not_split_off() -> None:
    assert [one.track.number for one in LAYOUT.summaries if one.new] == [5]
    assert [one.track.number for one in LAYOUT.summaries if one.known] == [5, 6]
    assert LAYOUT.summaries[4].change == 25e6
    assert LAYOUT.summaries[1].change == 0


def test_open_tracks_are_ordered_by_price_and_ended_tracks_by_time() -> None:
    # The largest three, highest price first.
    assert [one.track.number for one in LAYOUT.open_tracks(3)] == [5, 3, 2]
    assert [one.track.number for one in LAYOUT.ended_tracks(5)] == [4, 1]


def test_trails_show_the_notional_and_the_ends_of_tracks() -> None:
    data = track_data(LAYOUT, WIDE)
    rows = data["datasets"]
    assert {row["track"] for row in rows["trails"]} == {1, 2, 3, 4, 5, 6}
    kinds = [row["kind"] for row in rows["ends"]]
    assert sorted(kinds) == ["born", "born", "dissolved", "moved", "swept"]
    swept = next(row for row in rows["ends"] if row["kind"] == "swept")
    assert swept["t"] == TRACKS.tracks[0].steps[-1].at // 1000
    # A trail ends at the sweep.
    first = [row["t"] for row in rows["trails"] if row["track"] == 1]
    assert first[-1] == swept["t"]
    assert all(row["usd"] > 0 for row in rows["trails"])
    assert track_data(LAYOUT, WIDE) == data
    assert "trail" in str(track_spec(PAGE))


def test_turnover_bars_of_both_sides_share_a_scale_and_sum_to_the_totals() -> None:
    longs, shorts = turnover(TRACKS)
    steps = COLUMNS - 1
    assert longs.totals == (8e6 * steps, 4e6 * steps, 3e6 * steps)
    assert longs.change == 1e6 * steps
    assert (longs.top, shorts.top) == (8e6, 8e6)
    assert longs.zero_line == pytest.approx(HEIGHT * 8 / 15)
    assert longs.paths["opened"].count("M") == steps


def test_an_invalid_price_is_rejected_with_its_field() -> None:
    close = PATH.close.copy()
    close[3] = np.nan
    line = PricePath(PATH.at, PATH.low, PATH.high, close)
    with pytest.raises(InputError, match="tracks/path, close: nan"):
        track_data(TracksLayout.of_tracks(TRACKS, PATH, line, 0.1), WIDE)
