//! A cascade in time: liquidation orders queue at a limited rate, the order book refills, and part of the impact
//! decays.

use crate::cascade::Levels;
use crate::response::Market;
use crate::{CoreError, Result};

/// Largest number of steps.
const MOST_STEPS: usize = 1_000_000;

/// Time parameters, in steps.
#[derive(Debug, Clone, Copy)]
pub struct ReplayParams {
    /// Share of the consumed depth and of the transient impact that remains after a step, 0 to 1 (1: no refill).
    pub keep: f64,
    /// Share of the impact that is permanent, 0 to 1.
    pub permanent: f64,
    /// Largest notional that the venue sends per step, in quote currency.
    pub rate: f64,
    /// Steps from the trigger of a level to its order.
    pub latency: usize,
}

/// A cascade, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Displacement after each step, in the curve's unit.
    pub path: Vec<f64>,
    /// Notional sent in each step, in quote currency.
    pub sent: Vec<f64>,
    /// Number of triggered levels.
    pub fired: usize,
    /// Whether the flow exceeds the known book.
    pub exhausted: bool,
}

/// Replay a news shock of `shock` ticks on a book that is `multiplier` times as deep.
///
/// In each step the venue sends `f = min(queue, rate)`, which moves the price by `Δ = I(C + f) − I(C)` for a consumed
/// depth `C`. The permanent part of `Δ` stays; the rest and the consumed depth decay by the factor `keep`. Without
/// refill, rate limit and latency the result equals that of the cascade. With refill it does not exceed it as long as
/// depth is concave (β ≤ 1); under the square-root law (β = 2) several small orders move the price further than one
/// large order, and a refilled book can end further.
///
/// # Errors
/// A parameter out of range, a multiplier that is not positive, or more than a million steps.
pub fn replay(
    levels: &Levels<'_>,
    market: Market<'_>,
    multiplier: f64,
    shock: i64,
    params: ReplayParams,
) -> Result<Replay> {
    check(params, multiplier)?;
    let curve = market.curve();
    let impact = |q: f64| if q > 0.0 { curve.displacement((q / multiplier).ln()) } else { 0.0 };
    let capacity = multiplier * curve.capacity();
    let start = market.displacement(shock);
    let (mut consumed, mut lasting, mut transient, mut x) = (0.0, 0.0, 0.0, start);
    let (mut path, mut sent, mut fired, mut exhausted) = (Vec::new(), Vec::new(), 0, false);
    // Notional by the number of steps until it may be sent.
    let mut due = std::collections::VecDeque::from(vec![0.0; params.latency + 1]);
    let mut queue = 0.0;
    loop {
        let now = levels.within(market.ticks(x).min(market.limit())).max(fired);
        due[params.latency] += levels.cumulative(now) - levels.cumulative(fired);
        fired = now;
        queue += due[0];
        due.rotate_left(1);
        due[params.latency] = 0.0;
        if queue <= 0.0 && due.iter().all(|q| *q <= 0.0) {
            return Ok(Replay { path, sent, fired, exhausted });
        }
        if path.len() == MOST_STEPS {
            let found = format!("unsent orders after {MOST_STEPS} steps");
            return Err(CoreError::limit("rate", found, "a higher rate"));
        }
        let f = f64::min(queue, params.rate);
        queue -= f;
        exhausted |= consumed + f > capacity;
        let push = impact(consumed + f) - impact(consumed);
        consumed = (consumed + f) * params.keep;
        lasting += params.permanent * push;
        transient += (1.0 - params.permanent) * push;
        x = start + lasting + transient;
        path.push(x);
        sent.push(f);
        transient *= params.keep;
    }
}

fn check(params: ReplayParams, multiplier: f64) -> Result<()> {
    for (place, value) in [("keep", params.keep), ("permanent", params.permanent)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(CoreError::value(place, format!("{value}"), "a share from 0 to 1"));
        }
    }
    for (place, value) in [("rate", params.rate), ("depth multiplier", multiplier)] {
        if !(value > 0.0) {
            return Err(CoreError::value(place, format!("{value}"), "a number above 0"));
        }
    }
    if params.latency > MOST_STEPS {
        return Err(CoreError::limit(
            "latency",
            format!("{} steps", params.latency),
            format!("at most {MOST_STEPS}"),
        ));
    }
    Ok(())
}
