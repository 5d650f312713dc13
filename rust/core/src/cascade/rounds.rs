//! The cascade in rounds: all reached levels at once, which shows the order of liquidation.

use super::{Levels, Outcome};
use crate::response::Response;

/// A cascade, round by round.
#[derive(Debug, Clone, PartialEq)]
pub struct Rounds {
    /// The end of the cascade.
    pub outcome: Outcome,
    /// Number of levels triggered after each round; the last round triggers none and confirms the fixed point.
    pub fired: Vec<usize>,
    /// Displacement after each round, in ticks.
    pub path: Vec<i64>,
}

impl Rounds {
    /// Number of rounds, including the confirming one.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.fired.len()
    }

    /// The round, counted from 1, in which level `i` was triggered; 0 if it was not.
    #[must_use]
    pub fn round_of_level(&self, i: usize) -> usize {
        let round = self.fired.partition_point(|k| *k <= i);
        if round == self.fired.len() { 0 } else { round + 1 }
    }
}

/// The least fixed point by rounds `x ← Φ(s, G(x))` from `x = s`; at most one round per level, plus the confirming one.
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
