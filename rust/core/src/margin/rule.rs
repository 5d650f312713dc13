//! The words a venue's rule is written in. A rule is data: the solver has no branch that names a venue.

/// How a contract pays: in quote currency per coin, or in coin per quote currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payoff {
    /// Profit is `size · (price − entry)`, in quote currency.
    Linear,
    /// Profit is `face · (1/entry − 1/price)`, in coin.
    Inverse,
}

/// Whose position it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

/// What stands behind the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Its own margin.
    Isolated,
    /// The account.
    Cross,
}

/// The price at which `margin` is an equity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Margin without the position's own profit: worth itself at the entry.
    Entry,
    /// Equity as the account shows it: worth itself at the mark.
    Mark,
}

/// Whether maintenance margin moves with the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// Notional at the liquidation price counts.
    Live,
    /// Notional at the reference price counts, all the way down.
    Frozen,
}

/// Where a closing fee enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// Nowhere.
    None,
    /// It adds to the maintenance margin rate.
    Maintenance,
    /// The maintenance margin holds the fee to close at the bankruptcy price.
    Bankruptcy,
    /// Margin above the initial margin counts after the fee: `extra / (1 + fee)`.
    ExtraMargin,
}

/// How a venue takes a position that fell below maintenance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Partial {
    /// All of it at once.
    Whole,
    /// From tier `from` on: down to the cap of the tier `step` below, then look again.
    Tiers {
        /// How many tiers at a time.
        step: usize,
        /// Tiers below this one (1 is the first) are taken whole.
        from: usize,
    },
    /// Above a notional: a share first, then the rest.
    ShareFirst {
        /// The share taken first.
        share: f64,
        /// Notional at the liquidation price above which this applies.
        above: f64,
    },
}

/// How one venue liquidates one kind of position.
#[allow(clippy::struct_excessive_bools, reason = "each is one fact of a venue, independent of the others")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Where `margin` is measured.
    pub reference: Reference,
    /// Whether maintenance moves with the price.
    pub maintenance: Maintenance,
    /// `maintenance` as given counts this position's own too (else: only the others').
    pub account_total: bool,
    /// The account's equity and mark must be given; leverage alone says nothing.
    pub needs_account: bool,
    /// A loss beyond the settlement coin is borrowed, and the loan needs margin of its own.
    pub borrows: bool,
    /// Where the closing fee enters.
    pub fee: Fee,
    /// The fee rate where the position gives none.
    pub taker_fee: f64,
    /// Tiers carry a deduction, so that maintenance is continuous across them.
    pub deducts: bool,
    /// Tiers go by size (coin, or USD face of an inverse contract) rather than by notional at the price.
    pub by_size: bool,
    /// A position exactly at a tier's cap still belongs to it.
    pub cap_inclusive: bool,
    /// Ticks that the venue adds to the price it reports, for longs and shorts.
    pub ticks: [f64; 2],
    /// The opposite leg of a hedged account shares one liquidation price with this one.
    pub hedges: bool,
    /// How a liquidation proceeds.
    pub partial: Partial,
}

/// The plain rule, from which the venues differ: own margin, maintenance at the liquidation price with the tier's
/// deduction, no fee, no offset, taken whole.
pub const PLAIN: Rule = Rule {
    reference: Reference::Entry,
    maintenance: Maintenance::Live,
    account_total: false,
    needs_account: false,
    borrows: false,
    fee: Fee::None,
    taker_fee: 0.0,
    deducts: true,
    by_size: false,
    cap_inclusive: false,
    ticks: [0.0, 0.0],
    hedges: false,
    partial: Partial::Whole,
};

/// A venue: its name, how its symbols tell the payoff, and its rules.
#[derive(Debug, Clone, Copy)]
pub struct Venue {
    /// The part of an instrument's name before the colon.
    pub name: &'static str,
    /// The payoff that a symbol's spelling stands for.
    pub payoff_of: fn(&str) -> Payoff,
    /// The rule for a kind of position at an instant (UTC microseconds); `None`: no formula is known.
    pub rule: fn(Mode, Payoff, i64) -> Option<Rule>,
    /// Instants at which a rule changed, ascending.
    pub changes: &'static [i64],
}
