//! The cohort engine: a population of modelled positions, advanced bar by bar.
//!
//! Accounting, in coin and per side: every contract has a long and a short, so the open positions of each side equal
//! open interest. *Mapped* positions have a liquidation price, *unmapped* positions have none. In each bar the engine
//! 1. **liquidates** the levels within the price range of the bar (the predicted liquidations);
//! 2. **closes** positions by age, with the half-life of each bracket;
//! 3. **opens** the flow of the bar, spread evenly over its range in log price, at the distance of each bracket;
//! 4. **balances**: unmapped positions open or close until the total of the side equals open interest. A liquidated
//!    contract that another trader takes over is counted as a new position at the current price.
//!
//! After every bar, `opened − closed − liquidated = mapped + unmapped = open interest` on both sides.
//!
//! ```
//! use liqmap_core::cohorts::{Bars, Bracket, Cohorts};
//!
//! let bracket = Bracket {
//!     long_distance: 0.1,
//!     short_distance: 0.1,
//!     long_share: 0.5,
//!     short_share: 0.5,
//!     half_life_hours: f64::INFINITY,
//! };
//! let mut engine = Cohorts::new(&[bracket], 2.5e-4)?;
//! // Longs of 100 coin are opened at 50,000, half of them in the bracket; then the price falls through 45,000.
//! let predicted = engine.advance(&Bars {
//!     hours: &[1.0, 1.0],
//!     low: &[50_000.0, 44_900.0],
//!     high: &[50_000.0, 50_000.0],
//!     close: &[50_000.0, 44_900.0],
//!     open_interest: &[1_000.0, 950.0],
//!     long_flow: &[100.0, 0.0],
//!     short_flow: &[0.0, 0.0],
//! })?;
//! let [long, _] = engine.accounts();
//! assert_eq!(long.liquidated, 50.0);
//! assert!((predicted.usd[2] / (50.0 * 45_000.0) - 1.0).abs() < 2.5e-4);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

mod bars;
mod engine;
mod side_positions;

pub use bars::{Bars, Bracket};
pub use engine::{Account, Cohorts, Predicted};
pub use side_positions::Level;
