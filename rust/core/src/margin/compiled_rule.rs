//! A venue's rule combined with a tier table and a side, as the numbers that the solver uses.

use super::rule::{Fee, Maintenance, Payoff, Reference, Rule, Side};
use super::tiers::{TierLookup, Tiers};

/// Everything that positions of one instrument, side and margin mode have in common: the rule, and the rule as numbers
/// and masks, so that all rules take the same path through the solver.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledRule {
    pub(super) rule: Rule,
    pub(super) lookup: TierLookup,
    /// Sign of the slope of equity in `x`.
    pub(super) sign: f64,
    /// Amount that the venue adds to the reported price, quote currency.
    pub(super) offset: f64,
    pub(super) inverse: bool,
    pub(super) at_mark: Mask,
    pub(super) needs_account: Mask,
    /// Set if the tier does not depend on the liquidation price.
    pub(super) fixed: Mask,
    /// 1 if maintenance moves with the price, else 0.
    pub(super) live: f64,
    /// 1 if the account total includes this position's own maintenance, which then moves with the price.
    pub(super) own_in_total: f64,
    /// 1 if the position owes its maintenance at the reference price, whatever the liquidation price.
    pub(super) frozen: f64,
    /// 1 if the closing fee adds to the maintenance rate.
    pub(super) fee_in_maintenance: f64,
    /// 1 if a loss beyond the settlement coin is borrowed.
    pub(super) borrows: f64,
    /// Set if the total maintenance of the account must be given.
    pub(super) total_required: Mask,
    pub(super) by_size: Mask,
}

impl CompiledRule {
    /// A rule applied to a tier table. `tick` is the tick size in quote currency, 0 if unknown; it is used only if the
    /// rule adds ticks to the price.
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

    /// The underlying rule.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The solver's coordinate of a price, which is its own inverse.
    #[inline]
    pub(super) fn coordinate(&self, price: f64) -> f64 {
        if self.inverse { 1.0 / price } else { price }
    }

    /// The quantity of a position: coin, or the face value of an inverse contract.
    #[inline]
    pub(super) fn quantity(&self, size: f64, entry: f64) -> f64 {
        if self.inverse { size * entry } else { size }
    }

    /// The amount by which tiers are looked up, at a coordinate.
    #[inline]
    pub(super) fn measure(&self, quantity: f64, x: f64) -> f64 {
        self.by_size.pick(quantity, quantity * x)
    }

    /// The price at a coordinate; NaN if it is not positive and finite.
    #[allow(clippy::needless_bitwise_bool, reason = "a branch per test costs more than the tests")]
    #[inline]
    pub(super) fn price(&self, x: f64) -> f64 {
        let price = self.coordinate(x);
        if (x > 0.0) & (x <= f64::MAX) { price } else { f64::NAN }
    }
}

/// All bits set or none: selects one of two numbers without a branch, even if the other is NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask(u64);

impl Mask {
    fn of(flag: bool) -> Self {
        Self(u64::from(flag).wrapping_neg())
    }

    /// `yes` if the mask is set, else `no`.
    #[inline]
    pub fn pick(self, yes: f64, no: f64) -> f64 {
        f64::from_bits((yes.to_bits() & self.0) | (no.to_bits() & !self.0))
    }
}
