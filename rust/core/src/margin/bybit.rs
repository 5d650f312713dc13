//! Bybit: maintenance frozen where the margin is measured.
//!
//! Isolated linear at the entry (two payloads, one worked example). Isolated inverse: maintenance at the liquidation
//! price, margin beyond the initial counted after the fee (help page, 2026-05-27). Unified cross: the account's
//! maintenance frozen at its current value; once the settlement coin is overdrawn each further dollar of loss is
//! borrowed (two live position and wallet pairs; inferred). Classic inverse cross: maintenance at the entry with the fee
//! to close at bankruptcy (one worked example).

use super::rule::{Fee, Maintenance, Mode, PLAIN, Partial, Payoff, Reference, Rule, Venue};

const BASE: Rule = Rule {
    cap_inclusive: true,
    // Perpetual taker fee of a new account; it enters the inverse rules only.
    taker_fee: 0.00055,
    partial: Partial::Tiers { step: 1, from: 2 },
    ..PLAIN
};

const ISOLATED_LINEAR: Rule = Rule { maintenance: Maintenance::Frozen, ..BASE };

const ISOLATED_INVERSE: Rule = Rule { fee: Fee::ExtraMargin, ..BASE };

const UNIFIED_CROSS: Rule = Rule {
    reference: Reference::Mark,
    maintenance: Maintenance::Frozen,
    account_total: true,
    needs_account: true,
    borrows: true,
    ..BASE
};

const CLASSIC_CROSS: Rule =
    Rule { maintenance: Maintenance::Frozen, fee: Fee::Bankruptcy, needs_account: true, ..BASE };

pub const VENUE: Venue = Venue {
    name: "bybit",
    // `BTCUSD` and `BTCUSDM26` (a month's letter and a year) settle_tier in coin; `BTCUSDT` and `BTCPERP` do not.
    payoff_of: |symbol| match symbol.split_once("USD").map(|(_, tail)| tail.as_bytes()) {
        Some([] | [b'F'..=b'Z', b'0'..=b'9', b'0'..=b'9']) => Payoff::Inverse,
        _ => Payoff::Linear,
    },
    rule: |mode, payoff, _| {
        Some(match (mode, payoff) {
            (Mode::Isolated, Payoff::Linear) => ISOLATED_LINEAR,
            (Mode::Isolated, Payoff::Inverse) => ISOLATED_INVERSE,
            (Mode::Cross, Payoff::Linear) => UNIFIED_CROSS,
            (Mode::Cross, Payoff::Inverse) => CLASSIC_CROSS,
        })
    },
    changes: &[],
};
