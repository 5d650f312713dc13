//! The smallest shock that triggers each level, which answers all shocks at once.

use rayon::prelude::*;

use super::Levels;
use crate::response::{Response, ShockKind};

/// Levels per task; fewer levels are processed on one thread.
const ROWS_PER_TASK: usize = 1 << 15;

/// The threshold of every level, in ticks: level `i` is triggered if and only if the shock is at least `σ_i`.
///
/// `σ_i = max_{j ≤ i} r_j`, where `r_j` is the smallest shock that reaches level `j` once all nearer levels have been
/// triggered. Levels that share a threshold are triggered together.
#[must_use]
pub fn thresholds(levels: &Levels<'_>, response: &Response<'_>) -> Vec<i64> {
    let mut sigma = vec![0; levels.len()];
    sigma.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(|(piece, sigma)| {
        let first = piece * ROWS_PER_TASK;
        if response.shock_kind() == ShockKind::News {
            impacts(levels, response, first, sigma);
        }
        let mut highest = 0;
        for ((i, s), &d) in (first..).zip(sigma).zip(&levels.distance()[first..]) {
            let shock = match response.shock_kind() {
                ShockKind::News => response.required_news(d, *s),
                ShockKind::Flow => response.required_shock(d, levels.cumulative(i)),
            };
            highest = shock.max(highest);
            *s = highest;
        }
    });
    // Within a task thresholds ascend; only the first ones may lie below the last threshold of the task before.
    let mut highest = 0;
    for piece in sigma.chunks_mut(ROWS_PER_TASK) {
        let below = piece.partition_point(|s| *s < highest);
        piece[..below].fill(highest);
        highest = piece.last().map_or(highest, |s| highest.max(*s));
    }
    sigma
}

/// `I(Q)` in ticks before each of the levels from `first` on.
///
/// Impacts ascend with the levels, so a stretch with equal impact at both ends is filled without further lookups: the
/// cost grows with the number of distinct impacts, not of levels.
fn impacts(levels: &Levels<'_>, response: &Response<'_>, first: usize, out: &mut [i64]) {
    let push = |i: usize| {
        if levels.cumulative(first + i) > 0.0 {
            response.impact_ticks(levels.cumulative(first + i))
        } else {
            0
        }
    };
    let Some(last) = out.len().checked_sub(1) else { return };
    (out[0], out[last]) = (push(0), push(last));
    let mut open = vec![(0, last)];
    while let Some((low, high)) = open.pop() {
        if out[low] == out[high] {
            let same = out[low];
            out[low..high].fill(same);
        } else if high - low > 1 {
            let middle = usize::midpoint(low, high);
            out[middle] = push(middle);
            open.push((low, middle));
            open.push((middle, high));
        }
    }
}
