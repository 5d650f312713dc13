//! Binance USD-M and COIN-M: the plain rule. `margin` is the wallet balance; in cross mode it includes the profit of
//! the other positions.
//!
//! Cross mode: `WB − TMM₁ + UPNL₁`, with the maintenance margin of the other positions given as `maintenance`. Verified
//! against three API responses and four worked examples of the exchange's documentation. In hedge mode both legs share
//! one liquidation price (stated in the same documentation; no API response available).

use super::rule::{Mode, PLAIN, Payoff, Rule, Venue};

const CROSS: Rule = Rule { needs_account: true, hedges: true, ..PLAIN };

pub const VENUE: Venue = Venue {
    name: "binance",
    // COIN-M symbols end in `USD_PERP` or `USD_YYMMDD`; `BTCUSDT_261225` does not.
    payoff_of: |symbol| if symbol.contains("USD_") { Payoff::Inverse } else { Payoff::Linear },
    rule: |mode, _, _| Some(if mode == Mode::Isolated { PLAIN } else { CROSS }),
    changes: &[],
};
