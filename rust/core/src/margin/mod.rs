//! Margin: liquidation price, bankruptcy price and liquidation tranches of a position.
//!
//! A venue is a set of rules (one file per venue), a rule is data, and a single solver evaluates all rules. Dated tier
//! tables are inputs; none is built in.
//!
//! Units: prices in quote currency, sizes in coin, margin in settlement currency, rates as fractions.

mod batch;
mod binance;
mod block;
mod bybit;
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

pub use batch::{COLUMN_NAMES, Columns, RuleCodes, SolvedColumns, liquidation_prices};
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
