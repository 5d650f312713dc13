//! Binance USD-M and COIN-M: the plain rule; `margin` is the wallet balance, in cross with the others' profit added.
//!
//! Cross: `WB − TMM₁ + UPNL₁`, where the maintenance of the other positions comes as `maintenance`. Three payloads and
//! four worked examples of the exchange's own pages. In hedge mode both legs share one price (the same pages' list of
//! variables; no payload).

use super::rule::{Mode, PLAIN, Payoff, Rule, Venue};

const CROSS: Rule = Rule { needs_account: true, hedges: true, ..PLAIN };

pub const VENUE: Venue = Venue {
    name: "binance",
    // COIN-M symbols end in `USD_PERP` or `USD_YYMMDD`; `BTCUSDT_261225` does not.
    payoff_of: |symbol| if symbol.contains("USD_") { Payoff::Inverse } else { Payoff::Linear },
    rule: |mode, _, _| Some(if mode == Mode::Isolated { PLAIN } else { CROSS }),
    changes: &[],
};
