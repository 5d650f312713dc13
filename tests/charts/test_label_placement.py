"""Labels never overlap, for any clusters."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from liqmap.charts.map.label_placement import place_labels

targets = st.lists(st.tuples(st.floats(0, 900), st.floats(20, 160)), max_size=20)


@given(targets, st.integers(1, 4), st.floats(0, 900))
def test_labels_do_not_overlap_and_stay_within_the_chart(
    wanted: list[tuple[float, float]], rows: int, rule: float
) -> None:
    taken = [(rule - 4, rule + 4, row) for row in range(rows)]
    placed = place_labels(wanted, 900, rows, taken)
    spans = [(p.x - wanted[p.key][1] / 2, p.x + wanted[p.key][1] / 2, p) for p in placed]
    for left, right, label in spans:
        target = wanted[label.key][0]
        assert left >= -1e-9
        assert right <= 900 + 1e-9
        assert left - 1e-9 <= target <= right + 1e-9  # the leader line starts below the text
        assert right <= rule - 4 or left >= rule + 4
    for (left, right, a), (low, high, b) in combinations(spans, 2):
        if a.row == b.row:
            assert right <= low or left >= high
        else:  # a leader line crosses the rows below, where no text may overlap it
            upper, lower = (a, (low, high)) if a.row > b.row else (b, (left, right))
            assert not lower[0] < wanted[upper.key][0] < lower[1]


@given(targets)
def test_the_most_important_label_is_always_placed(wanted: list[tuple[float, float]]) -> None:
    placed = place_labels(wanted, 900, 2)
    assert (not wanted) == (not placed)
    assert not placed or placed[0].key == 0
