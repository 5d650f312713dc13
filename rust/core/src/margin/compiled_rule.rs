//! A rule over a tier table, for one side: the numbers the solver works with.

use super::rule::{Fee, Maintenance, Payoff, Reference, Rule, Side};
use super::tiers::{TierLookup, Tiers};

/// Everything that positions of one instrument, side and margin mode share: the rule, and the rule as numbers and masks,
/// so that a row of any rule takes the same path through the solver.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledRule {
    pub(super) rule: Rule,
    pub(super) lookup: TierLookup,
    /// Sign of equity's slope in `x`.
    pub(super) sign: f64,
    /// What the venue adds to the price it reports.
    pub(super) offset: f64,
    pub(super) inverse: bool,
    pub(super) at_mark: Mask,
    pub(super) needs_account: Mask,
    /// The tier does not depend on the liquidation price.
    pub(super) fixed: Mask,
    /// 1 where maintenance moves with the price, else 0.
    pub(super) live: f64,
    /// 1 where the account's total holds this position's own maintenance, which then moves with the price.
    pub(super) own_in_total: f64,
    /// 1 where the position's own maintenance at the reference is what it owes to the end.
    pub(super) frozen: f64,
    /// 1 where the closing fee adds to the rate.
    pub(super) fee_in_maintenance: f64,
    /// 1 where a loss beyond the settlement coin is borrowed.
    pub(super) borrows: f64,
    /// The account's total maintenance has to be given.
    pub(super) total_required: Mask,
    pub(super) by_size: Mask,
}

impl CompiledRule {
    /// The compiled of a rule over a tier table; `tick` is not read where the rule adds no ticks, and 0 if unknown.
    #[must_use]
    pub fn new(rule: Rule, tiers: &Tiers, payoff: Payoff, side: Side, tick: f64) -> Self {
        let inverse = payoff == Payoff::Inverse;
        let long = side == Side::Long;
        let live = rule.maintenance == Maintenance::Live;
        let one = |flag: bool| f64::from(u8::from(flag));
        Self {
            rule,
            lookup: tiers.lookup(&rule),
            sign: if long == inverse { -1.0 } else { 1.0 },
            offset: rule.ticks[usize::from(!long)] * if tick > 0.0 { tick } else { 0.0 },
            inverse,
            at_mark: Mask::of(rule.reference == Reference::Mark),
            needs_account: Mask::of(rule.needs_account),
            fixed: Mask::of(rule.by_size || !live),
            live: one(live),
            own_in_total: one(live && rule.account_total),
            frozen: one(!live && !rule.account_total),
            fee_in_maintenance: one(rule.fee == Fee::Maintenance),
            borrows: one(rule.borrows),
            total_required: Mask::of(rule.account_total),
            by_size: Mask::of(rule.by_size),
        }
    }

    /// The rule this compiled follows.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
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
        self.by_size.pick(quantity, quantity * x)
    }

    /// A coordinate as a price: NaN where it is not a positive finite number.
    #[allow(clippy::needless_bitwise_bool, reason = "a branch per test costs more than the tests")]
    #[inline]
    pub(super) fn price(&self, x: f64) -> f64 {
        let price = self.coordinate(x);
        if (x > 0.0) & (x <= f64::MAX) { price } else { f64::NAN }
    }
}

/// All bits set, or none: chooses between two numbers without a branch, whatever the other one is (NaN, infinite).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(u64);

impl Mask {
    fn of(flag: bool) -> Self {
        Self(u64::from(flag).wrapping_neg())
    }

    /// `yes` where the mask is set, else `no`.
    #[inline]
    pub fn pick(self, yes: f64, no: f64) -> f64 {
        f64::from_bits((yes.to_bits() & self.0) | (no.to_bits() & !self.0))
    }
}
