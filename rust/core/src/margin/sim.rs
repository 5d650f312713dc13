//! The simulated market: the plain rule, isolated and cross.

use super::rule::{PLAIN, Payoff, Rule, Venue};

const CROSS: Rule = Rule { needs_account: true, hedges: true, ..PLAIN };

pub const VENUE: Venue = Venue {
    name: "sim",
    payoff_of: |_| Payoff::Linear,
    rule: |mode, _, _| Some(if mode == super::Mode::Isolated { PLAIN } else { CROSS }),
    changes: &[],
};
