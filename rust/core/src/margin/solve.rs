//! The one solver: where a position's equity meets its maintenance margin.
//!
//! In `x` (the price of a linear contract, one over the price of an inverse one) equity and maintenance are straight
//! lines for every rule: `equity = a + k·x`, `maintenance = q·(m + f)·x − c`, with `k = ±q`. They meet at
//! `x = −(a + c) / (k − q·(m + f))`; `x <= 0` means that no price liquidates. Maintenance with deductions is continuous
//! and convex across tiers, so stepping from tier to tier is Newton's method and ends after as many steps as there are
//! tiers; where it jumps (tables without deductions), the edge itself is the price.

use super::compiled_rule::CompiledRule;
use super::reason::Reason;
use super::rule::Fee;
use super::tiers::TierParams;

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
    pub hedge_size: f64,
    /// The opposite leg's entry price.
    pub hedge_entry: f64,
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
            hedge_size: no,
            hedge_entry: no,
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

impl CompiledRule {
    /// The liquidation and bankruptcy price of one position.
    #[must_use]
    pub fn solve(&self, p: &Position) -> Outcome {
        let [x0, q, measured] = self.reference(p);
        let at = self.lookup.tier_at(measured);
        let lines = self.lines(p, x0, q, &self.lookup.tiers[at]);
        if !(self.is_valid(p, &lines, measured, self.lookup.tiers[at].max_leverage)) {
            return self.solve_special_case(p);
        }
        let (x, at) = self.settle_tier(&lines, measured, at);
        self.outcome(x, lines.bankrupt, at)
    }

    /// The coordinate at which margin is measured, the quantity, and what the tiers count there.
    #[inline]
    pub(super) fn reference(&self, p: &Position) -> [f64; 3] {
        let x0 = self.coordinate(self.at_mark.pick(p.mark, p.entry));
        let q = self.quantity(p.size, p.entry);
        [x0, q, self.measure(q, x0)]
    }

    /// A position's lines; `step` is its tier at the reference.
    #[inline]
    pub(super) fn lines(&self, p: &Position, x0: f64, q: f64, step: &TierParams) -> Lines {
        let margin = self.margin(p);
        let fee = self.fee_rate(p);
        let f = self.fee_in_maintenance * fee;
        let k = self.sign * q;
        let own = q * x0 * step.mmr - step.deduction;
        let due = self.frozen * own + self.fee_at_bankruptcy(q, x0, margin, fee);
        let cash = self.after_fee(p, margin, fee) - self.other_maintenance(p, own + q * x0 * f) - due;
        // A position that pays for what it borrows loses faster.
        let k_loss = k * (1.0 + self.borrows * if p.borrow > 0.0 { p.borrow } else { 0.0 });
        Lines { a: cash - k_loss * x0, k: k_loss, q, f, bankrupt: x0 - margin / k }
    }

    /// Whether a position is to be solved: nothing missing or out of range, and no second leg.
    #[allow(clippy::needless_bitwise_bool, reason = "a branch per test costs more than the tests")]
    #[inline]
    pub(super) fn is_valid(&self, p: &Position, lines: &Lines, measured: f64, max_leverage: f64) -> bool {
        // Lines are finite only if size, entry, mark and margin are; a size or an entry below 0 turns its own sign.
        (p.size > 0.0)
            & (p.entry > 0.0)
            & (lines.bankrupt.abs() <= f64::MAX)
            & (lines.a.abs() <= f64::MAX)
            & !((p.leverage < 1.0) | (p.leverage > max_leverage))
            & (measured <= self.lookup.last)
            & !(p.hedge_size > 0.0)
    }

    /// Where the lines meet under a tier.
    #[inline]
    pub(super) fn intersection(&self, lines: &Lines, mmr: f64, deduction: f64) -> f64 {
        -(lines.a + self.live * deduction) / (lines.k - self.live * lines.q * (mmr + lines.f))
    }

    /// What the tiers count where the lines meet.
    #[inline]
    pub(super) fn measure_at_intersection(&self, lines: &Lines, measured: f64, x: f64) -> f64 {
        self.fixed.pick(measured, lines.q * x)
    }

    /// Where the lines meet under the tier that holds there, from the tier `at` on.
    pub(super) fn settle_tier(&self, lines: &Lines, measured: f64, mut at: usize) -> (f64, usize) {
        let mut from = usize::MAX;
        loop {
            let step = &self.lookup.tiers[at];
            let x = self.intersection(lines, step.mmr, step.deduction);
            let next = self.lookup.tier_at(self.measure_at_intersection(lines, measured, x));
            if next == at {
                return (x, at);
            }
            if next == from {
                // Maintenance jumps between the two tiers and is met at the edge.
                let upper = at.max(next);
                return (self.lookup.edges[upper - 1] / lines.q, upper);
            }
            (from, at) = (at, next);
        }
    }

    /// Maintenance that the account owes for other positions, of which `own` is none.
    #[inline]
    pub(super) fn other_maintenance(&self, p: &Position, own: f64) -> f64 {
        // The total is NaN where it is needed and not given: no line, no price.
        let otherwise = self.total_required.pick(f64::NAN, 0.0);
        let given = if p.maintenance.is_nan() { otherwise } else { p.maintenance };
        given - self.own_in_total * own
    }

    /// The margin: as given, or of an isolated position its notional at the entry over its leverage.
    #[inline]
    pub(super) fn margin(&self, p: &Position) -> f64 {
        let initial = self.needs_account.pick(f64::NAN, self.initial(p));
        if p.margin.is_nan() { initial } else { p.margin }
    }

    /// Initial margin: the notional at the entry (coin, of an inverse contract) over the leverage.
    #[inline]
    fn initial(&self, p: &Position) -> f64 {
        (if self.inverse { p.size } else { p.size * p.entry }) / p.leverage
    }

    /// The margin that counts: what lies above the initial margin may count after a fee only.
    #[inline]
    fn after_fee(&self, p: &Position, margin: f64, fee: f64) -> f64 {
        if self.rule.fee != Fee::ExtraMargin {
            return margin;
        }
        let extra = (margin - self.initial(p)).max(0.0);
        margin - extra + extra / (1.0 + fee)
    }

    /// The margin that counts, of a position that has been checked.
    pub(super) fn effective_margin(&self, p: &Position) -> f64 {
        self.after_fee(p, self.margin(p), self.fee_rate(p))
    }

    #[inline]
    pub(super) fn fee_rate(&self, p: &Position) -> f64 {
        if p.fee.is_nan() { self.rule.taker_fee } else { p.fee }
    }

    /// The fee to close where nothing is left but that fee.
    #[inline]
    fn fee_at_bankruptcy(&self, q: f64, x0: f64, margin: f64, fee: f64) -> f64 {
        if self.rule.fee != Fee::Bankruptcy {
            return 0.0;
        }
        let k = self.sign * q;
        q * fee * (k * x0 - margin) / (k - q * fee)
    }

    #[inline]
    pub(super) fn outcome(&self, x: f64, bankrupt: f64, at: usize) -> Outcome {
        let price = self.price(x) + self.offset;
        let reason = if price.is_nan() { Reason::Covered } else { Reason::None };
        Outcome { price, bankruptcy: self.price(bankrupt), tier: self.lookup.tiers[at].number, reason }
    }
}

/// `equity = a + k·x`, `maintenance = q·(m + f)·x − c`; and where equity measured by profit alone is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    pub a: f64,
    pub k: f64,
    pub q: f64,
    pub f: f64,
    pub bankrupt: f64,
}
