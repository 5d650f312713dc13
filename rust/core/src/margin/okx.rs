//! OKX: the tier's rate applies to the whole position, the taker fee is added, and tiers are counted in contracts.
//!
//! Reported isolated prices of longs lie exactly one tick above the formula (three API responses, error below 2e-16;
//! shorts are untested). Cross accounts measure equity at the mark and add no tick (three API responses, error below
//! 5e-10).

use super::rule::{Fee, Mode, PLAIN, Partial, Payoff, Reference, Rule, Venue};

const ISOLATED: Rule = Rule {
    fee: Fee::Maintenance,
    taker_fee: 0.0005,
    deducts: false,
    by_size: true,
    cap_inclusive: true,
    ticks: [1.0, 0.0],
    partial: Partial::Tiers { step: 2, from: 3 },
    ..PLAIN
};

const CROSS: Rule = Rule { reference: Reference::Mark, needs_account: true, ticks: [0.0, 0.0], ..ISOLATED };

pub const VENUE: Venue = Venue {
    name: "okx",
    // `BTC-USD-SWAP` and `BTC-USD-261225` settle in coin; `BTC-USDT-SWAP` and `BTC-USD_UM-261030` do not.
    payoff_of: |symbol| if symbol.contains("-USD-") { Payoff::Inverse } else { Payoff::Linear },
    rule: |mode, _, _| Some(if mode == Mode::Isolated { ISOLATED } else { CROSS }),
    changes: &[],
};
