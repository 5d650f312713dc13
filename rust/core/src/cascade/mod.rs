//! Cascades: a shock triggers liquidation levels, their forced flow moves the price, which triggers more levels, until
//! a fixed point is reached.
//!
//! The displacement solves `x = Φ(s, G(x))`, where `s` is the shock, `G(x)` the notional of the levels within `x` and
//! `Φ` the price impact ([`crate::response::Response`]). Both maps are monotone, so a least fixed point exists (Tarski
//! 1955). Three algorithms compute it: one level at a time ([`sweep`]), all reached levels at once ([`rounds`]), and
//! the smallest triggering shock of every level ([`thresholds`]), which answers all shocks together. [`dynamics`]
//! extends the model.
//!
//! ```
//! use liqmap_core::cascade::{Levels, rounds, sweep, thresholds};
//! use liqmap_core::depth::Curve;
//! use liqmap_core::response::{Market, ShockKind};
//!
//! // One USD of displacement per million USD of flow; the tick is 0.01 USD.
//! let book = Curve::new(&[1.0], &[1e6], 1.0, 1.0, Some(1e12))?;
//! let response = Market::new(&book, ShockKind::News, 100.0, 9_999_999)?.response(1.0)?;
//! let levels = Levels::new(&[50_000, 80_000, 110_000], &[300e6, 200e6, 500e6])?;
//! let outcome = sweep(&levels, &response, 50_000);
//! assert_eq!((outcome.stop, outcome.fired, outcome.liquidated), (100_000, 2, 500e6));
//! assert_eq!(rounds(&levels, &response, 50_000).outcome, outcome);
//! assert_eq!(thresholds(&levels, &response), [50_000, 50_000, 60_000]);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

pub mod dynamics;
mod rounds;
mod sweep;
mod thresholds;

pub use rounds::{Rounds, rounds};
pub use sweep::sweep;
pub use thresholds::thresholds;

use crate::grid::TICK_LIMIT;
use crate::{CoreError, Result};

/// Liquidation levels in one direction from the mark: ascending distances in ticks, and the notional forced at each in
/// quote currency.
#[derive(Debug, Clone)]
pub struct Levels<'a> {
    distance: &'a [i64],
    notional: &'a [f64],
    /// `cumulative[k]`: notional of the first `k` levels, summed in their order.
    cumulative: Vec<f64>,
}

impl<'a> Levels<'a> {
    /// Levels by ascending distance.
    ///
    /// # Errors
    /// Lengths that differ; distances that descend, are negative or exceed [`TICK_LIMIT`]; notional that is negative or
    /// not finite.
    pub fn new(distance: &'a [i64], notional: &'a [f64]) -> Result<Self> {
        if distance.len() != notional.len() {
            let expected = format!("{}, one per distance", distance.len());
            return Err(CoreError::shape("levels notional", format!("{} values", notional.len()), expected));
        }
        if let Some(row) =
            (0..distance.len()).find(|&i| distance[i] < if i == 0 { 0 } else { distance[i - 1] })
        {
            let found = format!("{} ticks", distance[row]);
            return Err(CoreError::value(
                format!("levels distance[{row}]"),
                found,
                "ascending ticks, 0 or more",
            ));
        }
        if let Some(last) = distance.last().filter(|last| **last > TICK_LIMIT) {
            let place = format!("levels distance[{}]", distance.len() - 1);
            return Err(CoreError::limit(
                place,
                format!("{last} ticks"),
                format!("at most {TICK_LIMIT} ticks"),
            ));
        }
        if let Some(row) = notional.iter().position(|q| !(q.is_finite() && *q >= 0.0)) {
            let place = format!("levels notional[{row}]");
            return Err(CoreError::value(place, format!("{}", notional[row]), "a finite number, 0 or more"));
        }
        let mut sum = 0.0;
        let sums = notional.iter().map(|q| {
            sum += q;
            sum
        });
        let cumulative = std::iter::once(0.0).chain(sums).collect();
        Ok(Self { distance, notional, cumulative })
    }

    /// Number of levels.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.distance.len()
    }

    /// Whether there are no levels.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.distance.is_empty()
    }

    /// Distances from the mark, in ticks.
    #[must_use]
    pub const fn distance(&self) -> &'a [i64] {
        self.distance
    }

    /// Notional of each level, in quote currency.
    #[must_use]
    pub const fn notional(&self) -> &'a [f64] {
        self.notional
    }

    /// Notional of the first `k` levels, in quote currency.
    ///
    /// # Errors
    /// There are fewer than `k` levels.
    pub fn notional_of_first(&self, k: usize) -> Result<f64> {
        let found = || CoreError::value("k", format!("{k}"), format!("at most {} levels", self.len()));
        self.cumulative.get(k).copied().ok_or_else(found)
    }

    /// Notional of the first `k` levels, for a `k` returned by [`Self::within`] or counted from these levels.
    #[inline]
    pub(crate) fn cumulative(&self, k: usize) -> f64 {
        self.cumulative[k]
    }

    /// Number of levels within `x` ticks.
    #[must_use]
    pub fn within(&self, x: i64) -> usize {
        self.distance.partition_point(|d| *d <= x)
    }
}

/// The end of a cascade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Displacement at the end, in ticks from the mark.
    pub stop: i64,
    /// Number of triggered levels; these are the nearest ones.
    pub fired: usize,
    /// Notional of the triggered levels, in quote currency.
    pub liquidated: f64,
    /// Whether the flow exceeds the known book; `stop` is then a lower bound.
    pub exhausted: bool,
}
