//! Cohorts: the population of modelled positions, advanced bar by bar: consume, close, open, balance.
//!
//! Accounting (coin, per side): every contract has a long and a short, so each side's open positions equal open
//! interest. What is *mapped* has a liquidation price; the difference is *unmapped*. Each bar
//! 1. **consumes** the levels that the bar's range touches (predicted liquidations);
//! 2. **closes** by age, each bracket with its half-life;
//! 3. **opens** the bar's flow, spread evenly over the bar's range in log price, at each bracket's distance;
//! 4. **balances**: unmapped positions open or close until the side's total is the open interest again. A liquidated
//!    contract that somebody took over is thereby a new one at today's price.
//!
//! So on both sides `opened − closed − liquidated = mapped + unmapped = open interest` after every bar.

mod bars;
mod engine;
mod side_positions;

pub use bars::{Bars, Bracket};
pub use engine::{Account, Cohorts, Predicted};
pub use side_positions::Level;
