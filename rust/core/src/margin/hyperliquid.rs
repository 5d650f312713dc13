//! Hyperliquid: the maintenance margin is half of the tier's initial margin at its highest leverage; the leverage
//! chosen by the user has no effect.
//!
//! Isolated mode follows the plain rule. Cross mode measures the account at the mark, with the total maintenance of the
//! account given (fifteen prices, error below 5e-9). Before 2024 the interface omitted the divisor `1 − l·side`, which
//! is equivalent to maintenance frozen at the mark (five recordings of 2023).

use super::rule::{Maintenance, Mode, PLAIN, Partial, Payoff, Reference, Rule, Venue};

/// 2024-01-01 UTC, in microseconds.
const DIVISOR_SINCE: i64 = 1_704_067_200_000_000;

const ISOLATED: Rule = Rule { partial: Partial::ShareFirst { share: 0.2, above: 100_000.0 }, ..PLAIN };

const CROSS: Rule = Rule { reference: Reference::Mark, account_total: true, needs_account: true, ..ISOLATED };

const CROSS_BEFORE_2024: Rule = Rule { maintenance: Maintenance::Frozen, ..CROSS };

pub const VENUE: Venue = Venue {
    name: "hyperliquid",
    payoff_of: |_| Payoff::Linear,
    rule: |mode, payoff, at| match (mode, payoff) {
        (_, Payoff::Inverse) => None,
        (Mode::Isolated, _) => Some(ISOLATED),
        (Mode::Cross, _) if at < DIVISOR_SINCE => Some(CROSS_BEFORE_2024),
        (Mode::Cross, _) => Some(CROSS),
    },
    changes: &[DIVISOR_SINCE],
};
