//! The smallest shock that fires each level: all shocks answered at once.

use rayon::prelude::*;

use super::Levels;
use crate::impact::Response;

/// Below this many levels a second thread costs more than it brings.
const PARALLEL: usize = 16_384;

/// The threshold of every level, in ticks: level `i` fires exactly when the shock is at least `σ_i`.
///
/// `σ_i = max_{j ≤ i} r_j`, where `r_j` is the smallest shock that reaches level `j` once all nearer ones have fired.
/// Levels that share a threshold fire together: an avalanche group.
#[must_use]
pub fn thresholds(levels: &Levels<'_>, response: &Response<'_>) -> Vec<i64> {
    let needed = |i: usize| response.needed(levels.distance()[i], levels.below(i));
    let mut sigma: Vec<i64> = if levels.len() < PARALLEL {
        (0..levels.len()).map(needed).collect()
    } else {
        (0..levels.len()).into_par_iter().with_min_len(PARALLEL / 4).map(needed).collect()
    };
    let mut highest = 0;
    for s in &mut sigma {
        highest = highest.max(*s);
        *s = highest;
    }
    sigma
}
