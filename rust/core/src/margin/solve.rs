//! The solver: the price at which the equity of a position equals its maintenance margin.
//!
//! In `x` (the price of a linear contract, the reciprocal price of an inverse one) equity and maintenance are straight
//! lines under every rule: `equity = a + k·x`, `maintenance = q·(m + f)·x − c`, with `k = ±q`. They meet at `x = −(a +
//! c) / (k − q·(m + f))`; `x <= 0` means that no price liquidates the position. Maintenance with deductions is
//! continuous and convex across tiers, so that stepping from tier to tier is Newton's method and ends after at most as
//! many steps as there are tiers. Where maintenance jumps (tables without deductions), the price is at the edge between
//! the tiers.

use super::compiled_rule::CompiledRule;
use super::reason::Reason;
use super::rule::Fee;
use super::tiers::TierParams;

/// A position as input of the solver; NaN means "not given".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Size in coin; for an inverse contract at its entry price, so that `size · entry` is the face value.
    pub size: f64,
    /// Entry price, quote currency.
    pub entry: f64,
    /// Mark price, quote currency; required if the rule measures equity at the mark.
    pub mark: f64,
    /// Leverage setting at the venue.
    pub leverage: f64,
    /// In settlement currency: the isolated margin without profit, or in cross mode the balance or equity of the
    /// account.
    pub margin: f64,
    /// In settlement currency: maintenance margin of the account, for the other positions or in total as the rule
    /// states.
    pub maintenance: f64,
    /// Closing fee, as a fraction; the default is that of the rule.
    pub fee: f64,
    /// Margin rate of amounts borrowed for losses beyond the settlement coin, as a fraction; the default is 0.
    pub borrow: f64,
    /// Size of the opposite leg in a hedged account, in coin.
    pub hedge_size: f64,
    /// Entry price of the opposite leg, quote currency.
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

/// Liquidation and bankruptcy price of a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Liquidation price in quote currency, or NaN.
    pub price: f64,
    /// Price at which equity is zero, in quote currency, or NaN.
    pub bankruptcy: f64,
    /// The venue's number of the tier at the liquidation price; that of the position itself if there is no such price.
    pub tier: i32,
    /// The reason for a missing liquidation price.
    pub reason: Reason,
}

impl CompiledRule {
    /// The liquidation and bankruptcy price of a position.
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

    /// The coordinate at which margin is measured, the quantity, and the amount by which its tier is looked up.
    #[inline]
    pub(super) fn reference(&self, p: &Position) -> [f64; 3] {
        let x0 = self.coordinate(self.at_mark.pick(p.mark, p.entry));
        let q = self.quantity(p.size, p.entry);
        [x0, q, self.measure(q, x0)]
    }

    /// Equity and maintenance lines of a position; `step` is its tier at the reference price.
    #[inline]
    pub(super) fn lines(&self, p: &Position, x0: f64, q: f64, step: &TierParams) -> Lines {
        let margin = self.margin(p);
        let fee = self.fee_rate(p);
        let f = self.fee_in_maintenance * fee;
        let k = self.sign * q;
        let own = q * x0 * step.mmr - step.deduction;
        let due = self.frozen * own + self.fee_at_bankruptcy(q, x0, margin, fee);
        let cash = self.after_fee(p, margin, fee) - self.other_maintenance(p, own + q * x0 * f) - due;
        // A position that pays for borrowed amounts loses faster.
        let k_loss = k * (1.0 + self.borrows * if p.borrow > 0.0 { p.borrow } else { 0.0 });
        Lines { a: cash - k_loss * x0, k: k_loss, q, f, bankrupt: x0 - margin / k }
    }

    /// Whether the common path applies: all inputs present and in range, and no opposite leg.
    #[allow(clippy::needless_bitwise_bool, reason = "a branch per test costs more than the tests")]
    #[inline]
    pub(super) fn is_valid(&self, p: &Position, lines: &Lines, measured: f64, max_leverage: f64) -> bool {
        // The lines are finite only if size, entry, mark and margin are; negative sizes and entries are tested
        // separately.
        (p.size > 0.0)
            & (p.entry > 0.0)
            & (lines.bankrupt.abs() <= f64::MAX)
            & (lines.a.abs() <= f64::MAX)
            & !((p.leverage < 1.0) | (p.leverage > max_leverage))
            & (measured <= self.lookup.last)
            & !(p.hedge_size > 0.0)
    }

    /// The coordinate at which the lines meet under a tier.
    #[inline]
    pub(super) fn intersection(&self, lines: &Lines, mmr: f64, deduction: f64) -> f64 {
        -(lines.a + self.live * deduction) / (lines.k - self.live * lines.q * (mmr + lines.f))
    }

    /// The amount by which the tier is looked up where the lines meet.
    #[inline]
    pub(super) fn measure_at_intersection(&self, lines: &Lines, measured: f64, x: f64) -> f64 {
        self.fixed.pick(measured, lines.q * x)
    }

    /// The coordinate at which the lines meet under the tier valid there, and that tier; the search starts at tier
    /// `at`.
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
                // Maintenance jumps between the two tiers, and equity meets it at the edge.
                let upper = at.max(next);
                return (self.lookup.edges[upper - 1] / lines.q, upper);
            }
            (from, at) = (at, next);
        }
    }

    /// Maintenance that the account owes for other positions, excluding `own`.
    #[inline]
    pub(super) fn other_maintenance(&self, p: &Position, own: f64) -> f64 {
        // A required but missing total is NaN, which yields no price.
        let otherwise = self.total_required.pick(f64::NAN, 0.0);
        let given = if p.maintenance.is_nan() { otherwise } else { p.maintenance };
        given - self.own_in_total * own
    }

    /// The margin as given, or for an isolated position its notional at the entry price divided by its leverage.
    #[inline]
    pub(super) fn margin(&self, p: &Position) -> f64 {
        let initial = self.needs_account.pick(f64::NAN, self.initial(p));
        if p.margin.is_nan() { initial } else { p.margin }
    }

    /// Initial margin: notional at the entry price (in coin for an inverse contract) divided by leverage.
    #[inline]
    fn initial(&self, p: &Position) -> f64 {
        (if self.inverse { p.size } else { p.size * p.entry }) / p.leverage
    }

    /// The margin that counts: the part above the initial margin may count after a fee only.
    #[inline]
    fn after_fee(&self, p: &Position, margin: f64, fee: f64) -> f64 {
        if self.rule.fee != Fee::ExtraMargin {
            return margin;
        }
        let extra = (margin - self.initial(p)).max(0.0);
        margin - extra + extra / (1.0 + fee)
    }

    /// The margin that counts, for a validated position.
    pub(super) fn effective_margin(&self, p: &Position) -> f64 {
        self.after_fee(p, self.margin(p), self.fee_rate(p))
    }

    #[inline]
    pub(super) fn fee_rate(&self, p: &Position) -> f64 {
        if p.fee.is_nan() { self.rule.taker_fee } else { p.fee }
    }

    /// The fee to close at the bankruptcy price.
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

/// `equity = a + k·x`, `maintenance = q·(m + f)·x − c`, and the coordinate at which equity without fees is zero.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    pub a: f64,
    pub k: f64,
    pub q: f64,
    pub f: f64,
    pub bankrupt: f64,
}
