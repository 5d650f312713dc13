//! Positions outside the common path: rejected positions, and hedged accounts.

use super::compiled_rule::CompiledRule;
use super::reason::Reason;
use super::rule::Reference;
use super::solve::{Outcome, Position};

impl CompiledRule {
    /// The result of a rejected position, with the first applicable reason, or of a position with an opposite leg.
    #[cold]
    #[inline(never)]
    pub(super) fn solve_special_case(&self, p: &Position) -> Outcome {
        let x0 = self.coordinate(self.at_mark.pick(p.mark, p.entry));
        let measured = self.measure(self.quantity(p.size, p.entry), x0);
        let step = &self.lookup.tiers[self.lookup.tier_at(measured)];
        let reason = self.rejection(p, measured, step.max_leverage);
        if reason != Reason::None {
            return Outcome { price: f64::NAN, bankruptcy: f64::NAN, tier: step.number, reason };
        }
        let fee = self.fee_in_maintenance * self.fee_rate(p);
        let q = self.quantity(p.size, p.entry);
        let own = q * x0 * (step.mmr + fee) - step.deduction;
        self.hedged(p, self.margin(p) - self.other_maintenance(p, own), fee)
    }

    /// The first applicable reason for rejecting a position.
    fn rejection(&self, p: &Position, measured: f64, max_leverage: f64) -> Reason {
        let rule = &self.rule;
        let positive = |x: f64| x > 0.0 && x < f64::INFINITY;
        let margin = self.margin(p);
        if !positive(p.size) {
            Reason::Size
        } else if !positive(p.entry) {
            Reason::Entry
        } else if rule.reference == Reference::Mark && !positive(p.mark) {
            Reason::Mark
        } else if p.leverage < 1.0 || p.leverage.is_infinite() {
            Reason::Leverage
        } else if measured > self.lookup.last {
            Reason::LastTier
        } else if p.leverage > max_leverage {
            Reason::MaxLeverage
        } else if !margin.is_finite() || (rule.account_total && p.maintenance.is_nan()) {
            if rule.needs_account { Reason::Account } else { Reason::Margin }
        } else if p.hedge_size > 0.0 && !(rule.hedges && positive(p.hedge_entry)) {
            Reason::Hedge
        } else {
            Reason::None
        }
    }

    /// A hedged account: both legs share one liquidation price, and each owes the maintenance of its own tier.
    fn hedged(&self, p: &Position, cash: f64, f: f64) -> Outcome {
        let legs = [(p.size, p.entry, self.sign), (p.hedge_size, p.hedge_entry, -self.sign)];
        let legs = legs.map(|(size, entry, sign)| {
            (self.quantity(size, entry), self.coordinate(entry), sign * self.quantity(size, entry))
        });
        let a = cash - legs.iter().map(|&(_, x, k)| k * x).sum::<f64>();
        let k: f64 = legs.iter().map(|&(_, _, k)| k).sum();
        let mut tiers = legs.map(|(q, x, _)| self.lookup.tier_at(self.measure(q, x)));
        let mut x = f64::NAN;
        // Each round fixes the tier of at least one leg, so twice as many rounds as tiers fix both.
        for _ in 0..2 * self.lookup.tiers.len() {
            let owed = |i: usize| &self.lookup.tiers[tiers[i]];
            let slope: f64 = (0..2).map(|i| legs[i].0 * (owed(i).mmr + f)).sum();
            x = -(a + owed(0).deduction + owed(1).deduction) / (k - slope);
            let next = legs.map(|(q, _, _)| self.lookup.tier_at(self.measure(q, x)));
            if next == tiers {
                break;
            }
            tiers = next;
        }
        let bankrupt = -(p.margin - legs.iter().map(|&(_, x, k)| k * x).sum::<f64>()) / k;
        self.outcome(x, bankrupt, tiers[0])
    }
}
