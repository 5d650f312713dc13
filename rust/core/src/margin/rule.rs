//! The vocabulary of a venue's rules. A rule is data: the solver has no branch that names a venue.

/// Payoff of a contract: in quote currency per coin, or in coin per quote currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payoff {
    /// Profit is `size · (price − entry)`, in quote currency.
    Linear,
    /// Profit is `face · (1/entry − 1/price)`, in coin.
    Inverse,
}

/// Side of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

/// What backs a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The position's own margin.
    Isolated,
    /// The equity of the account.
    Cross,
}

/// The price at which `margin` equals equity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Margin excludes the profit of the position: equity equals margin at the entry price.
    Entry,
    /// Margin is the equity that the account shows: equity equals margin at the mark price.
    Mark,
}

/// Whether maintenance margin moves with the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// Maintenance is computed on the notional at the liquidation price.
    Live,
    /// Maintenance is computed on the notional at the reference price and stays constant.
    Frozen,
}

/// Where the closing fee enters the formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// There is no closing fee.
    None,
    /// It adds to the maintenance margin rate.
    Maintenance,
    /// The maintenance margin holds the fee to close at the bankruptcy price.
    Bankruptcy,
    /// Margin above the initial margin counts after the fee: `extra / (1 + fee)`.
    ExtraMargin,
}

/// How a venue liquidates a position whose equity fell below maintenance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Partial {
    /// The whole position at once.
    Whole,
    /// From tier `from` upwards: down to the cap of the tier `step` below, then the position is measured again.
    Tiers {
        /// Number of tiers per liquidation.
        step: usize,
        /// Lower tiers (1 is the first) are liquidated as a whole.
        from: usize,
    },
    /// Above a notional, first a share of the position and then the rest.
    ShareFirst {
        /// Share liquidated first.
        share: f64,
        /// Notional at the liquidation price above which the position is split.
        above: f64,
    },
}

/// How one venue liquidates one kind of position.
#[allow(clippy::struct_excessive_bools, reason = "each is one fact of a venue, independent of the others")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// The price at which `margin` is measured.
    pub reference: Reference,
    /// Whether maintenance moves with the price.
    pub maintenance: Maintenance,
    /// Whether `maintenance` is the total of the account, including this position (otherwise it covers the other
    /// positions only).
    pub account_total: bool,
    /// Whether the account's equity and mark must be given, as leverage does not determine them.
    pub needs_account: bool,
    /// Whether a loss beyond the settlement coin is borrowed at a margin rate of its own.
    pub borrows: bool,
    /// Where the closing fee enters the formula.
    pub fee: Fee,
    /// The fee rate if the position has none, as a fraction.
    pub taker_fee: f64,
    /// Whether tiers have deductions, which make maintenance continuous across tiers.
    pub deducts: bool,
    /// Whether tiers are counted by size (coin, or USD face value of an inverse contract) instead of notional at the
    /// price.
    pub by_size: bool,
    /// Whether a position exactly at the cap of a tier belongs to that tier.
    pub cap_inclusive: bool,
    /// Ticks that the venue adds to the reported price, for longs and for shorts.
    pub ticks: [f64; 2],
    /// Whether the two legs of a hedged account share one liquidation price.
    pub hedges: bool,
    /// How a liquidation proceeds.
    pub partial: Partial,
}

/// The plain rule, which the rules of the venues modify: own margin, maintenance at the liquidation price less the
/// tier's deduction, no fee, no offset, liquidated as a whole.
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
