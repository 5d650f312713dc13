//! Several venues at once: each has its own levels and book, and a mark that follows an index of them all.

use crate::cascade::Levels;
use crate::depth::Curve;
use crate::{CoreError, Result};

/// One venue, or one contract of it.
#[derive(Debug, Clone, Copy)]
pub struct CoupledVenue<'a> {
    /// Its levels.
    pub levels: &'a Levels<'a>,
    /// Its book.
    pub curve: &'a Curve,
    /// Ticks per unit of displacement, for its levels.
    pub scale: f64,
    /// Its exogenous shock: the market's, plus a basis shock for a dated contract.
    pub shock: f64,
    /// Weight of its price in the index, 0 to 1; the weights sum to 1.
    pub in_index: f64,
    /// Weight of its own price in its mark, 0 (pure index) to 1 (own price alone).
    pub own: f64,
}

/// Where it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Coupled {
    /// Displacement of the last price, per venue.
    pub price: Vec<f64>,
    /// Displacement of the mark, per venue.
    pub mark: Vec<f64>,
    /// Levels that fired, per venue.
    pub fired: Vec<usize>,
    /// Rounds, the final check among them.
    pub rounds: usize,
    /// Whether a book, or all together, was asked for more than it is known to hold.
    pub exhausted: bool,
}

/// The least fixed point of `x_v = s_v + (1 − κ)·I_v(Q_v) + κ·I_all(Σ Q)`, `Q_v = G_v((1 − w_v)·Σ ω x + w_v·x_v)`.
///
/// `together` is κ, how far books act as one: 1 is a single consolidated book, 0 venues that share nothing but the index.
/// Every map is nondecreasing, so rounds from the shocks climb to the least fixed point of the product (Tarski).
///
/// # Errors
/// No venue, weights out of range or that do not sum to 1, κ outside 0 to 1, a shock that is negative or not finite.
pub fn coupled(venues: &[CoupledVenue<'_>], all: &Curve, together: f64) -> Result<Coupled> {
    check(venues, together)?;
    let impact = |curve: &Curve, q: f64| if q > 0.0 { curve.displacement(q.ln()) } else { 0.0 };
    let mut fired = vec![0; venues.len()];
    let mut rounds = 0;
    loop {
        rounds += 1;
        let flow: Vec<f64> = venues.iter().zip(&fired).map(|(v, k)| v.levels.cumulative(*k)).collect();
        let sum: f64 = flow.iter().sum();
        let shared = together * impact(all, sum);
        let price: Vec<f64> = venues
            .iter()
            .zip(&flow)
            .map(|(v, q)| v.shock + (1.0 - together) * impact(v.curve, *q) + shared)
            .collect();
        let index: f64 = venues.iter().zip(&price).map(|(v, x)| v.in_index * x).sum();
        let mark: Vec<f64> =
            venues.iter().zip(&price).map(|(v, x)| (1.0 - v.own) * index + v.own * x).collect();
        let now: Vec<usize> =
            venues.iter().zip(&mark).map(|(v, m)| v.levels.within((m * v.scale + 0.5) as i64)).collect();
        if now == fired {
            let over = |q: f64, curve: &Curve| q > curve.capacity();
            let exhausted = (together > 0.0 && over(sum, all))
                || (together < 1.0 && venues.iter().zip(&flow).any(|(v, q)| over(*q, v.curve)));
            return Ok(Coupled { price, mark, fired, rounds, exhausted });
        }
        fired = now;
    }
}

fn check(venues: &[CoupledVenue<'_>], together: f64) -> Result<()> {
    let share = 0.0..=1.0;
    if !share.contains(&together) {
        return Err(CoreError::new("together", format!("{together}"), "a share from 0 to 1"));
    }
    for (i, v) in venues.iter().enumerate() {
        for (field, value) in [("in_index", v.in_index), ("own", v.own)] {
            if !share.contains(&value) {
                let place = format!("venues[{i}] {field}");
                return Err(CoreError::new(place, format!("{value}"), "a weight from 0 to 1"));
            }
        }
        if !(v.shock >= 0.0 && v.shock.is_finite()) {
            let place = format!("venues[{i}] shock");
            return Err(CoreError::new(place, format!("{}", v.shock), "a finite number from 0 on"));
        }
        if !(v.scale > 0.0 && v.scale.is_finite()) {
            let place = format!("venues[{i}] scale");
            return Err(CoreError::new(place, format!("{}", v.scale), "a finite number above 0"));
        }
    }
    let sum: f64 = venues.iter().map(|v| v.in_index).sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(CoreError::new("index weights", format!("a sum of {sum}"), "a sum of 1"));
    }
    Ok(())
}
