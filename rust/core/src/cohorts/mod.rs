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

mod bars;
mod engine;
mod side_positions;

pub use bars::{Bars, Bracket};
pub use engine::{Account, Cohorts, Predicted};
pub use side_positions::Level;
