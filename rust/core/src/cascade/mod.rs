//! Cascades: a shock triggers levels, their forced flow moves the price, which triggers more, to the least fixed point.
//!
//! `x = Φ(s, G(x))` with `G` the notional of the levels within `x`. Both maps are monotone, so a least fixed point
//! exists (Tarski), and three roads lead to it: one level at a time ([`sweep`]), all touched levels at once
//! ([`rounds`]), and the smallest shock of every level ([`thresholds`]), which answers for all shocks together.

pub mod dynamics;
mod rounds;
mod sweep;
mod thresholds;

pub use rounds::{Rounds, rounds};
pub use sweep::sweep;
pub use thresholds::thresholds;

use crate::grid::TICK_LIMIT;
use crate::{CoreError, Result};

/// Levels in one direction from the mark: distances in ticks, ascending, and the notional forced at each.
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
    /// Lengths that differ, distances that descend, are negative or exceed [`TICK_LIMIT`], notional that is negative or
    /// not finite.
    pub fn new(distance: &'a [i64], notional: &'a [f64]) -> Result<Self> {
        if distance.len() != notional.len() {
            let expected = format!("{}, one per distance", distance.len());
            return Err(CoreError::new("levels notional", format!("{} values", notional.len()), expected));
        }
        if let Some(row) =
            (0..distance.len()).find(|&i| distance[i] < if i == 0 { 0 } else { distance[i - 1] })
        {
            let found = format!("{} ticks", distance[row]);
            return Err(CoreError::new(
                format!("levels distance[{row}]"),
                found,
                "ticks from 0 on, ascending",
            ));
        }
        if let Some(last) = distance.last().filter(|last| **last > TICK_LIMIT) {
            let place = format!("levels distance[{}]", distance.len() - 1);
            return Err(CoreError::new(
                place,
                format!("{last} ticks"),
                format!("at most {TICK_LIMIT} ticks"),
            ));
        }
        if let Some(row) = notional.iter().position(|q| !(q.is_finite() && *q >= 0.0)) {
            let place = format!("levels notional[{row}]");
            return Err(CoreError::new(place, format!("{}", notional[row]), "a finite number from 0 on"));
        }
        let mut sum = 0.0;
        let sums = notional.iter().map(|q| {
            sum += q;
            sum
        });
        let cumulative = std::iter::once(0.0).chain(sums).collect();
        Ok(Self { distance, notional, cumulative })
    }

    /// How many levels there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.distance.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.distance.is_empty()
    }

    /// Distances, ticks.
    #[must_use]
    pub const fn distance(&self) -> &'a [i64] {
        self.distance
    }

    /// Notional of each level.
    #[must_use]
    pub const fn notional(&self) -> &'a [f64] {
        self.notional
    }

    /// Notional of the first `k` levels.
    ///
    /// # Errors
    /// There are fewer than `k` levels.
    pub fn notional_of_first(&self, k: usize) -> Result<f64> {
        let found = || CoreError::new("k", format!("{k}"), format!("at most {} levels", self.len()));
        self.cumulative.get(k).copied().ok_or_else(found)
    }

    /// Notional of the first `k` levels, for a `k` that [`Self::within`] or a count of these levels gave.
    #[inline]
    pub(crate) fn cumulative(&self, k: usize) -> f64 {
        self.cumulative[k]
    }

    /// How many levels lie within `x` ticks.
    #[must_use]
    pub fn within(&self, x: i64) -> usize {
        self.distance.partition_point(|d| *d <= x)
    }
}

/// Where a cascade ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Displacement at the end, in ticks from the mark.
    pub stop: i64,
    /// How many levels fired: the nearest ones.
    pub fired: usize,
    /// Their notional.
    pub liquidated: f64,
    /// Whether the flow asked for more than the book is known to hold; then `stop` is a lower bound.
    pub exhausted: bool,
}
