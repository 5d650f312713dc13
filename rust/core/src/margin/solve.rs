//! The one solver: where a position's equity meets its maintenance margin.
//!
//! In `x` (the price of a linear contract, one over the price of an inverse one) equity and maintenance are straight
//! lines for every rule: `equity = a + k·x`, `maintenance = q·(m + f)·x − c`, with `k = ±q`. They meet at
//! `x = −(a + c) / (k − q·(m + f))`; `x <= 0` means that no price liquidates. Maintenance with deductions is continuous
//! and convex across tiers, so stepping from tier to tier is Newton's method and ends after as many steps as there are
//! tiers; where it jumps (tables without deductions), the edge itself is the price.

use super::reason::Reason;
use super::rule::{Fee, Maintenance, Payoff, Reference, Rule, Side};
use super::tiers::{Ladder, Tiers};

/// A position as the solver takes it; NaN stands for "not given".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Coin; of an inverse contract at its entry price, so that `size · entry` is its face value.
    pub size: f64,
    /// Entry price.
    pub entry: f64,
    /// Mark price, where the rule measures equity at the mark.
    pub mark: f64,
    /// Leverage as set at the venue.
    pub leverage: f64,
    /// Settlement currency: isolated margin without profit; in cross the account's balance or equity.
    pub margin: f64,
    /// Settlement currency: maintenance margin the account owes, for the others or in total, as the rule says.
    pub maintenance: f64,
    /// Closing fee, a fraction; the rule's own if not given.
    pub fee: f64,
    /// Margin rate of what a loss beyond the settlement coin borrows; 0 if not given.
    pub borrow: f64,
    /// The opposite leg's coin, in a hedged account.
    pub other_size: f64,
    /// The opposite leg's entry price.
    pub other_entry: f64,
}

impl Default for Position {
    fn default() -> Self {
        let no = f64::NAN;
        Self {
            size: no,
            entry: no,
            mark: no,
            leverage: no,
            margin: no,
            maintenance: no,
            fee: no,
            borrow: no,
            other_size: no,
            other_entry: no,
        }
    }
}

/// Where a position is liquidated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Liquidation price, or NaN.
    pub price: f64,
    /// Price at which nothing is left, or NaN.
    pub bankruptcy: f64,
    /// The venue's number of the tier that holds at the liquidation price; of the position itself where there is none.
    pub tier: i32,
    /// Why there is no liquidation price.
    pub reason: Reason,
}

/// Everything that positions of one instrument, side and margin mode share.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(super) rule: Rule,
    pub(super) ladder: Ladder,
    pub(super) inverse: bool,
    /// Sign of equity's slope in `x`.
    pub(super) sign: f64,
    /// What the venue adds to the price it reports.
    offset: f64,
}

impl Plan {
    /// The plan of a rule over a tier table; `tick` is not read where the rule adds no ticks, and 0 if unknown.
    #[must_use]
    pub fn new(rule: Rule, tiers: &Tiers, payoff: Payoff, side: Side, tick: f64) -> Self {
        let inverse = payoff == Payoff::Inverse;
        let long = side == Side::Long;
        Self {
            rule,
            ladder: tiers.ladder(&rule),
            inverse,
            sign: if long == inverse { -1.0 } else { 1.0 },
            offset: rule.ticks[usize::from(!long)] * if tick > 0.0 { tick } else { 0.0 },
        }
    }

    /// The rule this plan follows.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What the venue adds to the price it reports, quote currency.
    pub(super) const fn offset(&self) -> f64 {
        self.offset
    }

    /// A price as the solver's coordinate, and back.
    #[inline]
    pub(super) fn coordinate(&self, price: f64) -> f64 {
        if self.inverse { 1.0 / price } else { price }
    }

    /// A position's quantity: coin, or the face value of an inverse contract.
    #[inline]
    pub(super) fn quantity(&self, size: f64, entry: f64) -> f64 {
        if self.inverse { size * entry } else { size }
    }

    /// What the tiers count at a coordinate.
    #[inline]
    pub(super) fn measure(&self, quantity: f64, x: f64) -> f64 {
        if self.rule.by_size { quantity } else { quantity * x }
    }

    /// The liquidation and bankruptcy price of one position.
    #[inline]
    #[must_use]
    pub fn solve(&self, p: &Position) -> Outcome {
        let rule = &self.rule;
        let x_entry = self.coordinate(p.entry);
        let x0 = if rule.reference == Reference::Mark { self.coordinate(p.mark) } else { x_entry };
        let q = self.quantity(p.size, p.entry);
        let at = self.ladder.at(self.measure(q, x0));
        let step = &self.ladder.steps[at];
        let refused = |reason| Outcome { price: f64::NAN, bankruptcy: f64::NAN, tier: step.number, reason };

        let margin = self.margin(p, q * x_entry);
        let reason = self.refusal(p, margin, self.measure(q, x0), step.max_leverage);
        if reason != Reason::None {
            return refused(reason);
        }

        let fee = self.fee_rate(p);
        let elsewhere = if p.maintenance.is_nan() { 0.0 } else { p.maintenance };
        let borrow = if rule.borrows && !p.borrow.is_nan() { p.borrow } else { 0.0 };
        let k = self.sign * q;
        let backing = self.after_fee(margin, q * x_entry / p.leverage, fee);
        let own = q * x0 * step.mmr - step.deduction;
        let (x, tier) = if rule.maintenance == Maintenance::Frozen {
            let due = if rule.account_total { 0.0 } else { own + self.fee_at_bankruptcy(q, x0, margin, fee) };
            (x0 - (backing - elsewhere - due) / (k * (1.0 + borrow)), at)
        } else {
            let f = if rule.fee == Fee::Maintenance { fee } else { 0.0 };
            let others = if rule.account_total { elsewhere - own - q * x0 * f } else { elsewhere };
            if p.other_size > 0.0 {
                return self.hedged(p, backing - others, f);
            }
            self.meet(backing - others - k * x0, k, q, f, at)
        };
        let bankrupt = x0 - margin / k;
        self.outcome(x, bankrupt, self.ladder.steps[tier].number)
    }

    /// The margin: as given, or of an isolated position its notional at the entry over its leverage.
    #[inline]
    fn margin(&self, p: &Position, notional: f64) -> f64 {
        if p.margin.is_nan() && !self.rule.needs_account { notional / p.leverage } else { p.margin }
    }

    /// The margin that counts: what lies above the initial margin may count after a fee only.
    #[inline]
    fn after_fee(&self, margin: f64, initial: f64, fee: f64) -> f64 {
        let extra = margin - initial;
        if self.rule.fee == Fee::ExtraMargin && extra > 0.0 { initial + extra / (1.0 + fee) } else { margin }
    }

    /// The margin that counts, of a position that has been checked.
    pub(super) fn backing(&self, p: &Position) -> f64 {
        let notional = self.quantity(p.size, p.entry) * self.coordinate(p.entry);
        self.after_fee(self.margin(p, notional), notional / p.leverage, self.fee_rate(p))
    }

    #[inline]
    fn fee_rate(&self, p: &Position) -> f64 {
        if p.fee.is_nan() { self.rule.taker_fee } else { p.fee }
    }

    /// Why a position cannot be computed, the first reason first.
    #[inline]
    fn refusal(&self, p: &Position, margin: f64, measured: f64, max_leverage: f64) -> Reason {
        let rule = &self.rule;
        let positive = |x: f64| x > 0.0 && x < f64::INFINITY;
        if !positive(p.size) {
            Reason::Size
        } else if !positive(p.entry) {
            Reason::Entry
        } else if rule.reference == Reference::Mark && !positive(p.mark) {
            Reason::Mark
        } else if p.leverage < 1.0 || p.leverage.is_infinite() {
            Reason::Leverage
        } else if measured > self.ladder.last {
            Reason::LastTier
        } else if p.leverage > max_leverage {
            Reason::MaxLeverage
        } else if !margin.is_finite() || (rule.account_total && p.maintenance.is_nan()) {
            if rule.needs_account { Reason::Account } else { Reason::Margin }
        } else if p.other_size > 0.0 && !(rule.hedges && positive(p.other_entry)) {
            Reason::Hedge
        } else {
            Reason::None
        }
    }

    /// Where the lines meet, from the tier `at` on: the coordinate and its tier.
    #[inline]
    pub(super) fn meet(&self, a: f64, k: f64, q: f64, f: f64, mut at: usize) -> (f64, usize) {
        let mut from = usize::MAX;
        loop {
            let step = &self.ladder.steps[at];
            let x = -(a + step.deduction) / (k - q * (step.mmr + f));
            let next = self.ladder.at(self.measure(q, x));
            if next == at {
                return (x, at);
            }
            if next == from {
                let upper = at.max(next);
                return (self.ladder.edges[upper - 1] / q, upper);
            }
            (from, at) = (at, next);
        }
    }

    /// A hedged account: both legs share one price, and each owes maintenance by its own tier.
    fn hedged(&self, p: &Position, cash: f64, f: f64) -> Outcome {
        let legs = [(p.size, p.entry, self.sign), (p.other_size, p.other_entry, -self.sign)];
        let legs = legs.map(|(size, entry, sign)| {
            (self.quantity(size, entry), self.coordinate(entry), sign * self.quantity(size, entry))
        });
        let a = cash - legs.iter().map(|&(_, x, k)| k * x).sum::<f64>();
        let k: f64 = legs.iter().map(|&(_, _, k)| k).sum();
        let mut tiers = legs.map(|(q, x, _)| self.ladder.at(self.measure(q, x)));
        let mut x = f64::NAN;
        // Each round settles one leg's tier at least; twice as many rounds as tiers settle both.
        for _ in 0..2 * self.ladder.steps.len() {
            let owed = |i: usize| &self.ladder.steps[tiers[i]];
            let slope: f64 = (0..2).map(|i| legs[i].0 * (owed(i).mmr + f)).sum();
            x = -(a + owed(0).deduction + owed(1).deduction) / (k - slope);
            let next = legs.map(|(q, _, _)| self.ladder.at(self.measure(q, x)));
            if next == tiers {
                break;
            }
            tiers = next;
        }
        let bankrupt = -(p.margin - legs.iter().map(|&(_, x, k)| k * x).sum::<f64>()) / k;
        self.outcome(x, bankrupt, self.ladder.steps[tiers[0]].number)
    }

    /// The fee to close where nothing is left but that fee.
    #[inline]
    fn fee_at_bankruptcy(&self, q: f64, x0: f64, margin: f64, fee: f64) -> f64 {
        if self.rule.fee == Fee::Bankruptcy {
            let k = self.sign * q;
            q * fee * (k * x0 - margin) / (k - q * fee)
        } else {
            0.0
        }
    }

    /// Coordinates as prices; what is not a positive finite number is no price.
    #[inline]
    fn outcome(&self, x: f64, bankrupt: f64, tier: i32) -> Outcome {
        let price = |x: f64| if x > 0.0 && x < f64::INFINITY { self.coordinate(x) } else { f64::NAN };
        let liquidation = price(x) + self.offset;
        let reason = if liquidation.is_nan() { Reason::Covered } else { Reason::None };
        Outcome { price: liquidation, bankruptcy: price(bankrupt), tier, reason }
    }
}
