//! The cascade one level at a time, in time linear in the triggered levels.

use super::{Levels, Outcome};
use crate::response::Response;

/// The least fixed point, found by adding the next level while it is reached.
///
/// Every added level lies within the least fixed point, so the displacement never exceeds it; at the end the added
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
