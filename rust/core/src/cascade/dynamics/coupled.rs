//! Coupled venues: each has its own levels and order book, and a mark that depends on an index of all venues.

use crate::cascade::Levels;
use crate::depth::Curve;
use crate::{CoreError, Result};

/// One venue, or one contract of it.
#[derive(Debug, Clone, Copy)]
pub struct CoupledVenue<'a> {
    /// Its liquidation levels.
    pub levels: &'a Levels<'a>,
    /// Its order book.
    pub curve: &'a Curve,
    /// Ticks per unit of displacement, for its levels.
    pub scale: f64,
    /// Its exogenous shock, in the curve's unit: that of the market, plus a basis shock for a dated contract.
    pub shock: f64,
    /// Weight of its price in the index, 0 to 1; the weights sum to 1.
    pub in_index: f64,
    /// Weight of its own price in its mark, 0 (pure index) to 1 (own price only).
    pub own: f64,
}

/// The end of a cascade over coupled venues.
#[derive(Debug, Clone, PartialEq)]
pub struct Coupled {
    /// Displacement of the last price, per venue, in the curve's unit.
    pub price: Vec<f64>,
    /// Displacement of the mark, per venue, in the curve's unit.
    pub mark: Vec<f64>,
    /// Number of triggered levels, per venue.
    pub fired: Vec<usize>,
    /// Number of rounds, including the confirming one.
    pub rounds: usize,
    /// Whether the flow exceeds the known book of a venue, or that of all venues together.
    pub exhausted: bool,
}

/// The least fixed point of `x_v = s_v + (1 − κ)·I_v(Q_v) + κ·I_all(Σ Q)`, `Q_v = G_v((1 − w_v)·Σ ω x + w_v·x_v)`.
///
/// `together` is κ, the share of impact that acts on one consolidated book: 1 is a single book, 0 means that venues
/// share the index only. All maps are nondecreasing, so that rounds from the shocks converge to the least fixed
/// point of the product (Tarski 1955).
///
/// # Errors
/// No venue, weights out of range or with another sum than 1, κ outside 0 to 1, a shock that is negative or not finite,
/// a scale that is not finite and positive.
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
        return Err(CoreError::value("together", format!("{together}"), "a share from 0 to 1"));
    }
    for (i, v) in venues.iter().enumerate() {
        for (field, value) in [("in_index", v.in_index), ("own", v.own)] {
            if !share.contains(&value) {
                let place = format!("venues[{i}] {field}");
                return Err(CoreError::value(place, format!("{value}"), "a weight from 0 to 1"));
            }
        }
        if !(v.shock >= 0.0 && v.shock.is_finite()) {
            let place = format!("venues[{i}] shock");
            return Err(CoreError::value(place, format!("{}", v.shock), "a finite number, 0 or more"));
        }
        if !(v.scale > 0.0 && v.scale.is_finite()) {
            let place = format!("venues[{i}] scale");
            return Err(CoreError::value(place, format!("{}", v.scale), "a finite number above 0"));
        }
    }
    let sum: f64 = venues.iter().map(|v| v.in_index).sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(CoreError::value("index weights", format!("a sum of {sum}"), "a sum of 1"));
    }
    Ok(())
}
