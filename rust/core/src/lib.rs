//! Liquidation maps without Python: binning, cohorts, clusters, cascades.
//!
//! Units: prices in quote currency or integer ticks of the instrument, notional in quote currency (USD), sizes in coin.

pub mod clusters;
pub mod cohorts;
mod error;
pub mod grid;
pub mod histogram;

pub use error::{CoreError, Result};
