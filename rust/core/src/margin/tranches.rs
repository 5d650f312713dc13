//! The tranches in which a venue liquidates a large position.
//!
//! Each tranche is closed at its own liquidation price. The rest keeps the equity and owes less maintenance, so that
//! its liquidation price lies farther away. Fees of closing a tranche are not included.

use super::compiled_rule::CompiledRule;
use super::rule::{Maintenance, Partial, Reference};
use super::solve::Position;

/// One tranche.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tranche {
    /// Liquidation price in quote currency; NaN if the margin covers the rest, which is then never liquidated.
    pub price: f64,
    /// Size in coin, in the unit of [`Position::size`].
    pub size: f64,
}

/// The tranches of a position, nearest price first; their sizes sum to that of the position. Empty if the position has
/// no liquidation price.
#[must_use]
pub fn tranches(compiled: &CompiledRule, position: &Position) -> Vec<Tranche> {
    let mut out = Vec::new();
    let mut left = *position;
    let mut price = compiled.solve(&left).price;
    if price.is_nan() {
        return out;
    }
    let mut current_tier = usize::MAX;
    loop {
        let closed_size = compiled.first_tranche(&left, price, &mut current_tier);
        out.push(Tranche { price, size: closed_size });
        if closed_size >= left.size {
            return out;
        }
        left = compiled.after_closing(&left, closed_size, price);
        price = compiled.solve(&left).price;
        if price.is_nan() {
            out.push(Tranche { price, size: left.size });
            return out;
        }
    }
}

impl CompiledRule {
    /// The size that the venue liquidates first; `current_tier` is the tier to which the position has been reduced.
    fn first_tranche(&self, p: &Position, price: f64, current_tier: &mut usize) -> f64 {
        let q = self.quantity(p.size, p.entry);
        match self.rule.partial {
            Partial::Whole => p.size,
            Partial::ShareFirst { share, above } => {
                let first = std::mem::replace(current_tier, 0) > 0;
                if first && p.size * price > above { share * p.size } else { p.size }
            }
            Partial::Tiers { step, from } => {
                let x = self.tier_coordinate(p, price);
                // The notional of an inverse contract grows as the price falls; the position does not move back up the
                // tiers.
                let at = self.lookup.tier_at(self.measure(q, x)).min(*current_tier);
                if at + 1 < from {
                    return p.size;
                }
                *current_tier = at.saturating_sub(step);
                let cap = self.lookup.tiers[*current_tier].cap;
                let kept = cap / self.measure(1.0, x) / q;
                // A position exactly on the edge of its tier would be kept entirely: it is liquidated as a whole.
                if kept < 1.0 { p.size * (1.0 - kept) } else { p.size }
            }
        }
    }

    /// The rest of a position after a tranche was closed at a price: the gain or loss is realised and its maintenance
    /// is no longer owed.
    fn after_closing(&self, p: &Position, closed_size: f64, price: f64) -> Position {
        let x0 = self.coordinate(if self.rule.reference == Reference::Mark { p.mark } else { p.entry });
        let closed = self.quantity(closed_size, p.entry);
        let realised = self.sign * closed * (self.coordinate(price - self.offset) - x0);
        let own = |size: f64| {
            let q = self.quantity(size, p.entry);
            let step = &self.lookup.tiers[self.lookup.tier_at(self.measure(q, x0))];
            q * x0 * step.mmr - step.deduction
        };
        let size = p.size - closed_size;
        let maintenance =
            if self.rule.account_total { p.maintenance - own(p.size) + own(size) } else { p.maintenance };
        Position { size, margin: self.effective_margin(p) + realised, maintenance, leverage: f64::NAN, ..*p }
    }

    /// The coordinate at which the venue reads the tier of a position.
    fn tier_coordinate(&self, p: &Position, price: f64) -> f64 {
        match (self.rule.maintenance, self.rule.reference) {
            (Maintenance::Live, _) => self.coordinate(price),
            (Maintenance::Frozen, Reference::Entry) => self.coordinate(p.entry),
            (Maintenance::Frozen, Reference::Mark) => self.coordinate(p.mark),
        }
    }
}
