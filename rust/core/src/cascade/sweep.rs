//! One level at a time: linear in the levels that fire.

use super::{Levels, Outcome};
use crate::impact::Response;

/// The least fixed point by absorbing the next level while it is touched.
///
/// Every absorbed level lies within the fixed point, so the displacement never passes it; at the stop the absorbed
/// levels are exactly those within the displacement.
#[must_use]
pub fn sweep(levels: &Levels<'_>, response: &Response<'_>, shock: i64) -> Outcome {
    let market = response.after_shock(shock);
    let mut fired = 0;
    let mut stop = market.phi(0.0);
    while fired < levels.len() && levels.distance()[fired] <= stop {
        fired += 1;
        stop = market.phi(levels.cumulative(fired));
    }
    let liquidated = levels.cumulative(fired);
    Outcome { stop, fired, liquidated, exhausted: market.exhausted(liquidated, stop) }
}
