"""Tracks: matching of synthetic clusters, and accounting of notional on histories."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import liqmap
from _helpers.hourly_market import write_hourly_market
from liqmap import Recipe
from liqmap.maps.tracks.build_tracks import TrackBuilder
from liqmap.maps.tracks.cluster_coupling import couple
from liqmap.maps.tracks.cluster_matching import ClusterExtent, match_clusters
from liqmap.maps.tracks.mass_changes import MassChanges
from liqmap.maps.tracks.transitions import find_transition
from liqmap.positions.engine import checkpoints

START = 1_735_689_600_000_000
HOUR = 3_600_000_000
NAME = "sim:BTCUSDT"


def extent(peak: float, mass: float, half: float = 100) -> ClusterExtent:
    return ClusterExtent(peak - half, peak, peak + half, mass)


@st.composite
def rows(draw: st.DrawFn) -> list[ClusterExtent]:
    """Clusters in order of price, without overlap."""
    peaks = np.cumsum(draw(st.lists(st.floats(300, 5_000), min_size=1, max_size=8))) + 20_000
    return [extent(float(p), draw(st.floats(1, 1e9))) for p in peaks]


def test_the_coupling_of_a_worked_example() -> None:
    """Coupling of three clusters, computed by hand: W1 is 680.56, and 22,000 sends 85 % to 23,000."""
    before, after = [(21_500, 20), (22_000, 100), (24_000, 60)], [(21_500, 15), (23_000, 90), (24_000, 75)]
    links = couple(before, after)
    shares = {(f.before, f.after): f.share for f in links.flows}
    want = {(0, 0): 1 / 12, (0, 1): 1 / 36, (1, 1): 17 / 36, (1, 2): 1 / 12, (2, 2): 1 / 3}
    assert shares == pytest.approx(want)
    assert links.distance == pytest.approx(680.5556, abs=1e-4)
    matching = match_clusters([extent(p, m, 300) for p, m in before], [extent(p, m, 300) for p, m in after])
    assert matching.pairs == {0: 0, 1: 1, 2: 2}
    assert matching.share[1] == pytest.approx(0.85)


@given(clusters=rows())
def test_equal_clusters_are_continued(clusters: list[ClusterExtent]) -> None:
    matching = match_clusters(clusters, clusters)
    assert matching.pairs == {i: i for i in range(len(clusters))}
    assert all(share == pytest.approx(1) for share in matching.share.values())
    assert (matching.parent, matching.heir) == ({}, {})


@given(clusters=rows(), shift=st.floats(-120, 120))
def test_shifted_clusters_are_continued(clusters: list[ClusterExtent], shift: float) -> None:
    moved = [ClusterExtent(c.low + shift, c.peak + shift, c.high + shift, c.mass) for c in clusters]
    matching = match_clusters(clusters, moved)
    assert matching.pairs == {i: i for i in range(len(clusters))}
    assert (matching.parent, matching.heir) == ({}, {})


@given(clusters=rows(), which=st.integers(0, 7), share=st.floats(0.35, 0.65))
def test_a_reversed_split_is_a_merge(clusters: list[ClusterExtent], which: int, share: float) -> None:
    i = which % len(clusters)
    c = clusters[i]
    halves = [
        ClusterExtent(c.low, c.peak - 40, c.peak, share * c.mass),
        ClusterExtent(c.peak, c.peak + 40, c.high, c.mass * (1 - share)),
    ]
    after = [*clusters[:i], *halves, *clusters[i + 1 :]]
    matching = match_clusters(clusters, after)
    went = matching.pairs[i]
    assert went in (i, i + 1)
    assert matching.parent == {2 * i + 1 - went: i}
    back = match_clusters(after, clusters)
    stays = next(half for half in (i, i + 1) if half in back.pairs)
    assert back.pairs[stays] == i
    assert back.heir == {2 * i + 1 - stays: i}


def test_a_distant_new_cluster_has_no_parent() -> None:
    matching = match_clusters([extent(20_000, 5)], [extent(20_000, 5), extent(30_000, 500)])
    assert (matching.pairs, matching.parent) == ({0: 0}, {})
    assert match_clusters([extent(20_000, 5), extent(30_000, 500)], [extent(20_000, 5)]).heir == {}
    assert match_clusters([], [extent(20_000, 5)]).pairs == {}


def test_pairs_preserve_the_order_of_price() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        a, b = (
            [extent(float(p), float(rng.exponential(1e6)) + 1) for p in np.sort(rng.uniform(2e4, 2.2e4, count))]
            for count in rng.integers(1, 9, 2)
        )
        pairs = match_clusters(a, b).pairs
        assert list(pairs.values()) == sorted(set(pairs.values()))


def changes_of(before: np.ndarray, survived: np.ndarray, swept: np.ndarray, after: np.ndarray) -> MassChanges:
    """One side's changes from the notional per bin."""
    return MassChanges(before, after, after - survived, before - survived - swept, swept)


def bump(centre: float, mass: float, width: float = 4) -> np.ndarray:
    x = np.exp(-0.5 * ((np.arange(400) - centre) / width) ** 2)
    return np.asarray(mass * x / x.sum())


@given(
    masses=st.lists(st.floats(1e3, 1e8), min_size=2, max_size=2),
    shift=st.integers(-200, 150),
    kept=st.floats(0, 1),
    swept=st.integers(0, 400),
)
def test_the_parts_of_a_step_sum_to_its_change(masses: list[float], shift: int, kept: float, swept: int) -> None:
    before = bump(200, masses[0]) + bump(120, masses[1] / 3)
    lost = np.where(np.arange(400) >= swept, before, 0.0)
    survived = kept * (before - lost)
    after = survived + bump(200 + shift, masses[1])
    assume(after.sum() > 0)
    edges = np.exp(np.arange(401) * 5e-4) * 50_000
    side = TrackBuilder("long")
    start = find_transition(edges, (), changes_of(before, before, np.zeros(400), before), START)
    side.step(start)
    side.step(find_transition(edges, start.now, changes_of(before, survived, lost, after), START + HOUR))
    for draft in side.drafts:
        mass = 0.0
        for step in draft.steps:
            parts = step.opened + step.carried_in - step.closed - step.liquidated - step.carried_out
            assert mass + parts == pytest.approx(step.notional, rel=1e-9, abs=1e-6 * masses[0])
            assert min(step.opened, step.closed, step.liquidated) >= -1e-9 * sum(masses)
            mass = step.notional


def follow(*columns: np.ndarray) -> TrackBuilder:
    """Tracks through columns whose losses are all closed positions."""
    edges = np.exp(np.arange(401) * 5e-4) * 50_000
    side = TrackBuilder("short")
    made = find_transition(edges, (), changes_of(columns[0], columns[0], np.zeros(400), columns[0]), START)
    side.step(made)
    for k, (before, after) in enumerate(itertools.pairwise(columns), start=1):
        parts = changes_of(before, np.minimum(before, after), np.zeros(400), after)
        made = find_transition(edges, made.now, parts, START + k * HOUR)
        side.step(made)
    return side


def test_a_step_migrates_if_it_is_linked_and_its_peak_moved() -> None:
    stays = follow(bump(200, 1e6), bump(201, 1e6))
    assert not stays.drafts[0].steps[1].migrating
    moved = follow(bump(200, 1e6), bump(208, 1e6))
    assert len(moved.drafts) == 1
    step = moved.drafts[0].steps[1]
    assert step.migrating
    assert step.link == pytest.approx(1)
    # Positions do not move: most of the notional there is new.
    assert step.opened > 0.5 * step.notional
    # The same move with a large new cluster far away: the coupling sends less than half to the moved cluster.
    outweighed = follow(bump(200, 1e6) + bump(340, 1e4), bump(208, 1e6) + bump(340, 2e4) + bump(40, 9e6))
    goes_on = (draft for draft in outweighed.drafts if len(draft.steps) == 2)
    step = next(draft.steps[1] for draft in goes_on if 190 < at_bin(draft.steps[0].peak) < 215)
    assert step.link is not None
    assert step.link < 0.5
    assert not step.migrating


def at_bin(price: float) -> float:
    return float(np.log(price / 50_000) / 5e-4)


def test_a_split_and_a_merge_carry_positions() -> None:
    one, two = bump(190, 1e6, 6) + bump(210, 1e6, 6) + bump(200, 1.2e6, 6), bump(188, 1e6) + bump(214, 1e6)
    apart = follow(one, two)
    child = next(draft for draft in apart.drafts if draft.parent)
    assert child.parent is apart.drafts[0]
    assert child.steps[0].carried_in > 0.3 * child.steps[0].notional
    again = follow(two, one)
    ended = next(draft for draft in again.drafts if draft.heir)
    assert ended.steps[-1].notional == 0
    assert ended.steps[-1].carried_out > 0.3 * ended.steps[0].notional


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of synthetic hourly bars with open interest."""
    return write_hourly_market(tmp_path_factory.mktemp("tracks"), NAME, seed=8, volatility=0.007, oi_swing=4_000)


@pytest.mark.parametrize("step", ["1h", "8h"])
@pytest.mark.parametrize("mapped", [0.08, 1.0])
def test_every_change_is_opened_closed_or_liquidated(db: Path, step: str, mapped: float) -> None:
    """With all open interest mapped, most bars are rescaled to it; rescaled positions count as closed."""
    with liqmap.open(db) as history:
        made = history.tracks(NAME, "2025-01-03", "2025-01-09", step, recipe=Recipe(mapped_share=mapped))
        heat = history.heatmap(NAME, "2025-01-03", "2025-01-09", step, recipe=Recipe(mapped_share=mapped))
    assert np.array_equal(made.at, heat.at)
    assert made.notional == pytest.approx(np.stack([heat.long.sum(axis=(1, 2)), heat.short.sum(axis=(1, 2))], axis=1))
    change = made.opened[1:] - made.closed[1:] - made.liquidated[1:]
    assert np.diff(made.notional, axis=0) == pytest.approx(change, rel=1e-9, abs=1e-9 * made.notional.max())
    # Positions opened and swept between two columns are in no column.
    assert (made.liquidated[1:] <= heat.predicted[1:].sum(axis=2) * (1 + 1e-9)).all()
    assert made.liquidated.sum() > 0.2 * heat.predicted[1:].sum()
    for track in made.tracks:
        mass = 0.0
        for at in track.steps:
            parts = at.opened + at.carried_in - at.closed - at.liquidated - at.carried_out
            assert mass + parts == pytest.approx(at.notional, rel=1e-9, abs=1)
            mass = at.notional


def test_without_turnover_the_swept_notional_is_liquidated_and_none_is_closed(db: Path) -> None:
    """With falling open interest and negligible turnover, tracks lose the predicted liquidations."""
    no_turnover = Recipe(half_life_hours=(1e9,) * 10)
    with liqmap.open(db) as history:
        made = history.tracks(NAME, "2025-01-04", "2025-01-09", "1h", recipe=no_turnover)
        heat = history.heatmap(NAME, "2025-01-04", "2025-01-09", "1h", recipe=no_turnover)
    falling = np.diff(heat.open_interest) < 0
    assert falling.sum() > 20
    swept = heat.predicted[1:].sum(axis=2)[falling]
    assert made.liquidated[1:][falling] == pytest.approx(swept, rel=1e-6, abs=1e-6 * made.notional.max())
    assert made.closed[1:].max() <= 1e-6 * made.notional.max()


def test_tracks_are_exported_as_data_csv_and_arrow(db: Path) -> None:
    with liqmap.open(db) as history:
        made = history.tracks(NAME, "2025-01-04", "2025-01-06", "6h")
        again = history.tracks(NAME, "2025-01-04", "2025-01-06", "6h")
    assert made.to_dict() == again.to_dict()
    assert made.to_dict()["tracks"][0]["track"] == 1  # type: ignore[index,call-overload]
    lines = made.to_csv().splitlines()
    table = made.to_arrow()
    assert len(lines) == 1 + table.num_rows == 1 + sum(len(track.steps) for track in made.tracks)
    assert lines[1].startswith(f"{NAME},1,long,,,2025-01-04T00:00:00Z,")
    numbers = {track.number for track in made.tracks}
    assert {t.parent for t in made.tracks} | {t.heir for t in made.tracks} <= numbers | {None}
    assert made.provenance.simulated


def test_cached_columns_equal_computed_columns(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [("2025-01-04", "2025-01-06"), ("2025-01-04T12:00", "2025-01-06T12:00"), ("2025-01-03", "2025-01-08")]

    def tracks_of(begin: str, end: str) -> object:
        with liqmap.open(db) as history:
            return history.tracks(NAME, begin, end, "4h").to_dict()

    shared = [tracks_of(*span) for span in spans]
    assert checkpoints._CACHES.caches
    for span, made in zip(spans, shared, strict=True):
        monkeypatch.setattr(checkpoints._CACHES, "caches", [])
        assert tracks_of(*span) == made
