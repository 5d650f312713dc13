//! All touched levels at once, round by round: who is liquidated when.

use super::{Levels, Outcome};
use crate::impact::Response;

/// A cascade result in rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounds {
    /// Where it ends.
    pub outcome: Outcome,
    /// How many levels had fired after each round; the last round fires none, it is the check that all is over.
    pub fired: Vec<usize>,
    /// Displacement after each round, ticks.
    pub path: Vec<i64>,
}

impl Rounds {
    /// How many rounds there were, the final check among them.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.fired.len()
    }

    /// The round, from 1, in which level `i` fired; 0 if it did not.
    #[must_use]
    pub fn round_of_level(&self, i: usize) -> usize {
        let round = self.fired.partition_point(|k| *k <= i);
        if round == self.fired.len() { 0 } else { round + 1 }
    }
}

/// The least fixed point by rounds `x ← Φ(s, G(x))` from `x = s`; at most one round per level, and the check.
#[must_use]
pub fn rounds(levels: &Levels<'_>, response: &Response<'_>, shock: i64) -> Rounds {
    let (mut fired, mut path) = (Vec::new(), Vec::new());
    let market = response.after_shock(shock);
    let mut stop = market.phi(0.0);
    let mut before = 0;
    loop {
        let now = levels.within(stop);
        stop = market.phi(levels.cumulative(now));
        fired.push(now);
        path.push(stop);
        if now == before {
            break;
        }
        before = now;
    }
    let liquidated = levels.cumulative(before);
    let exhausted = market.exhausted(liquidated, stop);
    Rounds { outcome: Outcome { stop, fired: before, liquidated, exhausted }, fired, path }
}
