//! Liquidation maps without Python: binning, cohorts, clusters, cascades.
//!
//! Units: prices in quote currency or integer ticks of the instrument, notional in quote currency (USD), sizes in coin.

pub mod align;
pub mod cascade;
pub mod clusters;
pub mod cohorts;
pub mod depth;
pub mod engine;
mod error;
pub mod grid;
pub mod histogram;
pub mod impact;
pub mod margin;
pub mod scenarios;
pub mod trailing;
pub mod transport;
mod wide;

pub use error::{CoreError, Result};
