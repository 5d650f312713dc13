//! Bybit: maintenance margin frozen at the price at which margin is measured.
//!
//! Isolated linear: frozen at the entry price (two API responses, one worked example). Isolated inverse: maintenance at
//! the liquidation price, margin above the initial margin counted after the fee (help page of 2026-05-27). Unified
//! cross: maintenance of the account frozen at its current value; once the settlement coin is overdrawn, each further
//! dollar of loss is borrowed (inferred from two live pairs of position and wallet). Classic inverse cross: maintenance
//! at the entry price, including the fee to close at bankruptcy (one worked example).

use super::rule::{Fee, Maintenance, Mode, PLAIN, Partial, Payoff, Reference, Rule, Venue};

const BASE: Rule = Rule {
    cap_inclusive: true,
    // Taker fee of a new account on perpetuals; only the inverse rules use it.
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
    // `BTCUSD` and `BTCUSDM26` (month code and year) settle in coin; `BTCUSDT` and `BTCPERP` do not.
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
