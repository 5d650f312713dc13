//! The price axis of a map: left-closed bins of equal width in integer ticks.
//!
//! ```
//! use liqmap_core::grid::{BinLocation, Grid};
//!
//! // Three bins of one unit of quote currency from 100.0 upwards; the tick is 0.1.
//! let grid = Grid::new(0.1, 1_000, 10, 3)?;
//! assert_eq!(grid.locate(100.9), BinLocation::Bin(0));
//! assert_eq!(grid.locate(101.0), BinLocation::Bin(1));
//! assert_eq!(grid.locate(103.0), BinLocation::Above);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

use std::fmt;

use crate::error::{CoreError, Result};

/// Prices stay below this number of ticks, so that every tick is exact as an `f64`.
pub const TICK_LIMIT: i64 = 1 << 51;

/// Largest number of bins of an axis, so that the cells of a map can be indexed with 32 bits.
pub const BINS_LIMIT: usize = 1_000_000;

/// Largest span of an axis in ticks, so that the offset of a tick fits 32 bits.
pub const SPAN_LIMIT: i64 = 1 << 31;

/// `bins` bins of `width_ticks` ticks each, upwards from `low_tick`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    ticks_per_unit: f64,
    low_tick: i64,
    width_ticks: i64,
    bins: usize,
}

/// The location of a price relative to a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinLocation {
    /// In the bin with this index, counted from the lowest.
    Bin(usize),
    /// Below the lowest edge.
    Below,
    /// At or above the highest edge.
    Above,
}

impl Grid {
    /// A grid of `bins` bins, each `width_ticks` ticks wide, upwards from `low_tick`; `tick` is the tick size in quote
    /// currency.
    ///
    /// # Errors
    /// A tick size that is not finite and positive, no bins, a width below one tick, or an axis beyond [`TICK_LIMIT`],
    /// [`BINS_LIMIT`] or [`SPAN_LIMIT`].
    pub fn new(tick: f64, low_tick: i64, width_ticks: i64, bins: usize) -> Result<Self> {
        if !(tick.is_finite() && tick > 0.0) {
            return Err(CoreError::value("tick", format!("{tick}"), "a finite number above 0"));
        }
        if width_ticks < 1 {
            return Err(CoreError::value("width_ticks", format!("{width_ticks}"), "at least one tick"));
        }
        let span = i64::try_from(bins).ok().and_then(|n| n.checked_mul(width_ticks));
        let high = span.and_then(|s| s.checked_add(low_tick));
        match high {
            Some(high)
                if (1..=BINS_LIMIT).contains(&bins)
                    && span.is_some_and(|ticks| ticks < SPAN_LIMIT)
                    && low_tick.unsigned_abs() < TICK_LIMIT as u64
                    && high.unsigned_abs() < TICK_LIMIT as u64 =>
            {
                Ok(Self { ticks_per_unit: 1.0 / tick, low_tick, width_ticks, bins })
            }
            _ => Err(CoreError::limit(
                "bins, width_ticks",
                format!("{bins} bins of {width_ticks} ticks from tick {low_tick}"),
                "1 to 1,000,000 bins that span fewer than 2^31 ticks",
            )),
        }
    }

    /// Number of bins.
    #[must_use]
    pub const fn bins(&self) -> usize {
        self.bins
    }

    /// The location of a finite price in quote currency: rounded to its tick (half up), then compared as an integer.
    #[must_use]
    pub fn locate(&self, price: f64) -> BinLocation {
        let offset = (price * self.ticks_per_unit + 0.5).floor() - self.low_tick as f64;
        if offset < 0.0 {
            return BinLocation::Below;
        }
        let bin = (offset as i64 / self.width_ticks) as usize;
        if bin < self.bins { BinLocation::Bin(bin) } else { BinLocation::Above }
    }

    /// Ticks per unit of quote currency, lowest tick, span in ticks and bins per tick, for the vectorised path of
    /// [`crate::histogram`].
    pub(crate) fn scale(&self) -> (f64, f64, f64, f64) {
        let low = self.low_tick as f64;
        (
            self.ticks_per_unit,
            low,
            (self.width_ticks * self.bins as i64) as f64,
            1.0 / self.width_ticks as f64,
        )
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tick = 1.0 / self.ticks_per_unit;
        write!(f, "{} bins of {} ticks of {tick} from tick {}", self.bins, self.width_ticks, self.low_tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_above_it() {
        let grid = Grid::new(0.1, 1_000, 10, 3).unwrap();
        assert_eq!(grid.locate(99.94), BinLocation::Below);
        assert_eq!(grid.locate(99.95), BinLocation::Bin(0));
        assert_eq!(grid.locate(100.9), BinLocation::Bin(0));
        assert_eq!(grid.locate(101.0), BinLocation::Bin(1));
        assert_eq!(grid.locate(102.9), BinLocation::Bin(2));
        assert_eq!(grid.locate(103.0), BinLocation::Above);
    }

    #[test]
    fn decimal_edges_are_exact() {
        // floor(0.3 / 0.1) is 2 and floor(0.7 / 0.1) is 6 in binary floating point; integer ticks give 3 and 7.
        let grid = Grid::new(0.1, 0, 1, 10).unwrap();
        assert_eq!(grid.locate(0.3), BinLocation::Bin(3));
        assert_eq!(grid.locate(0.7), BinLocation::Bin(7));
    }

    #[test]
    fn an_invalid_axis_is_rejected() {
        assert!(Grid::new(f64::NAN, 0, 1, 1).is_err());
        assert!(Grid::new(0.1, 0, 0, 1).is_err());
        assert!(Grid::new(0.1, 0, 1, 0).is_err());
        assert!(Grid::new(0.1, i64::MAX - 1, 1, 1).is_err());
        assert!(Grid::new(0.1, i64::MIN, 1, 1).is_err());
        assert!(Grid::new(0.1, 0, i64::MAX, 2).is_err());
        assert!(Grid::new(0.1, 0, 1 << 30, 2).is_err());
    }
}
