//! Warm start: a lower bound on the triggered levels from precomputed thresholds of a slightly deeper book.
//!
//! A deeper book gives a smaller cascade, so its triggered levels are a lower bound from which rounds converge to the
//! same least fixed point. With thresholds tabulated for a series of depths, a scenario needs about two rounds
//! regardless of the length of its cascade.

use rayon::prelude::*;

use crate::Result;
use crate::cascade::{Levels, thresholds};
use crate::response::Market;

/// Depth steps between the smallest and the largest multiplier.
const DEPTH_STEPS: usize = 16;
/// Resolution of the table along the shock, in bits.
const SHOCK_BITS: u32 = 10;
/// Smallest ratio between two depth steps, as a logarithm; far above rounding error.
const MIN_LOG_STEP: f64 = 1e-3;

pub struct WarmStart {
    log_low: f64,
    steps_per_log: f64,
    shift: u32,
    width: usize,
    /// `fired[depth_step · width + step]`: levels triggered by a shock of `step << shift` ticks at that depth.
    fired: Vec<u32>,
}

impl WarmStart {
    /// Whether the table saves time: it costs one threshold per level and depth step, and saves rounds in every
    /// scenario.
    pub const fn is_worthwhile(levels: usize, scenarios: usize) -> bool {
        scenarios > 16 * levels
    }

    /// Tables for multipliers from `low` to `high` and shocks of up to `most` ticks.
    pub fn new(levels: &Levels<'_>, market: Market<'_>, (low, high): (f64, f64), most: i64) -> Result<Self> {
        let depth_step = ((high.ln() - low.ln()) / DEPTH_STEPS as f64).max(MIN_LOG_STEP);
        let shift = (64 - most.leading_zeros()).saturating_sub(SHOCK_BITS);
        let width = (most >> shift) as usize + 1;
        let tables: Vec<Vec<u32>> = (0..=DEPTH_STEPS + 2)
            .into_par_iter()
            .map(|r| {
                let multiplier = (low.ln() + r as f64 * depth_step).exp().min(f64::MAX);
                let sigma = thresholds(levels, &market.response(multiplier)?);
                let mut fired = 0;
                Ok((0..width as i64)
                    .map(|step| {
                        fired += sigma[fired..].iter().take_while(|s| **s <= step << shift).count();
                        fired as u32
                    })
                    .collect())
            })
            .collect::<Result<_>>()?;
        Ok(Self { log_low: low.ln(), steps_per_log: 1.0 / depth_step, shift, width, fired: tables.concat() })
    }

    /// A lower bound on the number of triggered levels.
    #[inline]
    pub fn fired(&self, shock: i64, log_multiplier: f64) -> usize {
        // At least a hundredth of a depth step deeper, so that rounding cannot turn the bound into an overestimate.
        let depth_step = ((log_multiplier - self.log_low) * self.steps_per_log + 1.01) as usize;
        self.fired[depth_step * self.width + (shock >> self.shift) as usize] as usize
    }
}
