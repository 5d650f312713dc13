//! Whipsaw: a move that liquidates one side, followed by a rebound that liquidates the other side, in alternation.
//!
//! Forced sales and forced purchases act against each other, so both sides together have no least fixed point and their
//! order matters. Each leg by itself has one.

use crate::cascade::{Levels, Outcome, sweep};
use crate::response::{Market, Response};
use crate::{CoreError, Result};

/// The size of the rebound after a leg.
#[derive(Debug, Clone, Copy)]
pub struct Rebound {
    /// Share of the forced part of a leg that is permanent, 0 to 1; the rest reverts.
    pub permanent: f64,
    /// Further reversion, as a share of the whole leg, 0 or more.
    pub reversion: f64,
}

/// One leg of the whipsaw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// Whether the leg goes in the direction of the first shock.
    pub away: bool,
    /// Displacement at the start, in ticks from the mark, positive in the direction of the first shock.
    pub start: i64,
    /// Size of the shock that starts the leg, in ticks.
    pub shock: i64,
    /// Displacement at the end, in ticks from the mark.
    pub stop: i64,
    /// Notional liquidated in the leg, in quote currency.
    pub liquidated: f64,
    /// Whether the flow exceeds the known book.
    pub exhausted: bool,
}

/// Legs in alternating directions until a leg triggers no level; that last leg is returned only if it is the first.
///
/// `away` are the levels in the direction of the shock, `back` those on the other side of the mark, each with its own
/// market. The shock of a leg is the rebound of the leg before, `(1 − permanent)·(forced part) + reversion·(whole
/// leg)`; distances are measured from the start of the leg. Every leg triggers at least one level, which later legs
/// cannot, so there are at most as many legs as levels.
///
/// # Errors
/// A permanent share outside 0 to 1, a reversion that is negative or not finite, or a negative shock.
pub fn whipsaw(
    away: (&Levels<'_>, Market<'_>),
    back: (&Levels<'_>, Market<'_>),
    multiplier: f64,
    shock: i64,
    rebound: Rebound,
) -> Result<Vec<Leg>> {
    if !(0.0..=1.0).contains(&rebound.permanent) {
        return Err(CoreError::value("permanent", format!("{}", rebound.permanent), "a share from 0 to 1"));
    }
    if !(rebound.reversion >= 0.0 && rebound.reversion.is_finite()) {
        return Err(CoreError::value(
            "reversion",
            format!("{}", rebound.reversion),
            "a finite number, 0 or more",
        ));
    }
    if shock < 0 {
        return Err(CoreError::value("shock", format!("{shock} ticks"), "0 ticks or more"));
    }
    let sides = [(away.0, away.1.response(multiplier)?), (back.0, back.1.response(multiplier)?)];
    let mut fired_before = [0, 0];
    let (mut at, mut size, mut legs) = (0, shock, Vec::new());
    for turn in 0.. {
        let side = turn % 2;
        let sign = if side == 0 { 1 } else { -1 };
        let (outcome, fired) = leg(sides[side].0, &sides[side].1, fired_before[side], sign * at, size)?;
        if fired == 0 && turn > 0 {
            break;
        }
        fired_before[side] += fired;
        let stop = at.saturating_add(sign * outcome.stop);
        legs.push(Leg {
            away: side == 0,
            start: at,
            shock: size,
            stop,
            liquidated: outcome.liquidated,
            exhausted: outcome.exhausted,
        });
        let forced = outcome.stop.saturating_sub(size) as f64;
        at = stop;
        size = ((1.0 - rebound.permanent) * forced + rebound.reversion * outcome.stop as f64 + 0.5) as i64;
    }
    Ok(legs)
}

/// The cascade over the levels of one side beyond the first `fired_before`, for a price displaced by `at` ticks towards
/// them.
fn leg(
    levels: &Levels<'_>,
    response: &Response<'_>,
    fired_before: usize,
    at: i64,
    shock: i64,
) -> Result<(Outcome, usize)> {
    let distance: Vec<i64> =
        levels.distance()[fired_before..].iter().map(|d| d.saturating_sub(at).max(0)).collect();
    let left = Levels::new(&distance, &levels.notional()[fired_before..])?;
    let outcome = sweep(&left, response, shock);
    Ok((outcome, outcome.fired))
}
