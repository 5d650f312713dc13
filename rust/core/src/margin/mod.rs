//! Margin: liquidation price, bankruptcy price and liquidation tranches of a position.
//!
//! A venue is a set of rules (one file per venue), a rule is data, and a single solver evaluates all rules. Dated tier
//! tables are inputs; none is built in.
//!
//! Units: prices in quote currency, sizes in coin, margin in settlement currency, rates as fractions.
//!
//! ```
//! use liqmap_core::margin::{CompiledRule, Mode, Payoff, Position, Side, Tier, Tiers, venue};
//!
//! let tier = Tier { number: 1, floor: 0.0, cap: 1e6, max_leverage: 100.0, mmr: 0.005, deduction: f64::NAN };
//! let tiers = Tiers::new("tiers", vec![tier])?;
//! let rule = (venue("binance").unwrap().rule)(Mode::Isolated, Payoff::Linear, i64::MAX).unwrap();
//! let compiled = CompiledRule::new(rule, &tiers, Payoff::Linear, Side::Long, 0.1);
//! let position = Position { size: 1.0, entry: 50_000.0, leverage: 10.0, ..Position::default() };
//! let outcome = compiled.solve(&position);
//! // Equity 5,000 + (p − 50,000) equals maintenance 0.005 · p.
//! assert!((outcome.price - 45_000.0 / 0.995).abs() < 1e-6);
//! assert!((outcome.bankruptcy - 45_000.0).abs() < 1e-6);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

mod batch;
mod binance;
mod block;
mod bybit;
mod columns;
mod compiled_rule;
mod compiled_rules;
mod hyperliquid;
mod okx;
mod reason;
mod row_sorter;
mod rule;
mod sim;
mod solve;
mod special_cases;
mod tiers;
mod tranches;

pub use batch::{SolvedColumns, liquidation_prices};
pub use columns::{COLUMN_NAMES, Columns, RuleCodes};
pub use compiled_rule::CompiledRule;
pub use compiled_rules::{CompiledRules, Contract};
pub use reason::Reason;
pub use rule::{Fee, Maintenance, Mode, PLAIN, Partial, Payoff, Reference, Rule, Side, Venue};
pub use solve::{Outcome, Position};
pub use tiers::{Tier, Tiers};
pub use tranches::{Tranche, tranches};

/// All venues with known rules.
pub const VENUES: [&Venue; 5] =
    [&binance::VENUE, &bybit::VENUE, &hyperliquid::VENUE, &okx::VENUE, &sim::VENUE];

/// The venue with this name.
#[must_use]
pub fn venue(name: &str) -> Option<&'static Venue> {
    VENUES.into_iter().find(|venue| venue.name == name)
}
