//! A cascade in time: orders queue at the engine's rate, the book refills, part of the impact decays.

use crate::cascade::Levels;
use crate::impact::Market;
use crate::{CoreError, Result};

/// No replay is longer.
const MOST_STEPS: usize = 1_000_000;

/// How time passes, in steps.
#[derive(Debug, Clone, Copy)]
pub struct ReplayParams {
    /// What a step leaves of the hole in the book and of the transient impact, 0 to 1 (1: nothing refills).
    pub keep: f64,
    /// Share of the impact that stays, 0 to 1.
    pub permanent: f64,
    /// Most notional that the engine sends in a step.
    pub rate: f64,
    /// Steps between a trigger and its order.
    pub latency: usize,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Displacement after each step, in the curve's unit.
    pub path: Vec<f64>,
    /// Notional sent in each step.
    pub sent: Vec<f64>,
    /// How many levels fired.
    pub fired: usize,
    /// Whether the book was asked for more than it is known to hold.
    pub exhausted: bool,
}

/// Replay a news shock of `shock` ticks on a book `multiplier` times as deep.
///
/// Per step: send `f = min(queue, rate)`; `Δ = I(C + f) − I(C)` for a hole `C` in the book; the permanent part of `Δ`
/// stays, the rest and the hole decay by `keep`. Without refill, rate and latency it ends where the cascade does; with
/// refill not beyond it, as long as depth is concave (β ≤ 1). Under the square-root law (β = 2) pieces push more than the
/// whole, and a refilled book can end further.
///
/// # Errors
/// A params out of range, a multiplier that is not above 0, or more steps than a million.
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
    let (mut hole, mut stays, mut passes, mut x) = (0.0, 0.0, 0.0, start);
    let (mut path, mut sent, mut fired, mut exhausted) = (Vec::new(), Vec::new(), 0, false);
    // Notional by the step at which it may be sent.
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
            let found = format!("a queue left after {MOST_STEPS} steps");
            return Err(CoreError::new("replay", found, "a higher rate"));
        }
        let f = f64::min(queue, params.rate);
        queue -= f;
        exhausted |= hole + f > capacity;
        let push = impact(hole + f) - impact(hole);
        hole = (hole + f) * params.keep;
        stays += params.permanent * push;
        passes += (1.0 - params.permanent) * push;
        x = start + stays + passes;
        path.push(x);
        sent.push(f);
        passes *= params.keep;
    }
}

fn check(params: ReplayParams, multiplier: f64) -> Result<()> {
    for (place, value) in [("keep", params.keep), ("permanent", params.permanent)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(CoreError::new(place, format!("{value}"), "a share from 0 to 1"));
        }
    }
    for (place, value) in [("rate", params.rate), ("depth multiplier", multiplier)] {
        if !(value > 0.0) {
            return Err(CoreError::new(place, format!("{value}"), "a number above 0"));
        }
    }
    if params.latency > MOST_STEPS {
        return Err(CoreError::new(
            "latency",
            format!("{} steps", params.latency),
            format!("at most {MOST_STEPS}"),
        ));
    }
    Ok(())
}
