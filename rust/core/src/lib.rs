//! Liquidation maps without Python: binning, cohorts, clusters, cascades.
//!
//! Units: prices in integer ticks of the instrument, notional in quote currency (USD), sizes in coin, time in bars.

mod error;

pub use error::{CoreError, Result};
