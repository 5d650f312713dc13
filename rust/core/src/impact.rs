//! Impact: where the price stands after a shock and the forced flow that followed, in whole ticks of displacement.

use crate::depth::Curve;
use crate::{CoreError, Result};

/// What the exogenous shock does to the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shock {
    /// News: the book re-centres at the new price. `Φ(s, Q) = s + I(Q)`.
    News,
    /// Flow: the shock has eaten the book up to `s`. `Φ(s, Q) = D⁻¹(D(s) + Q)`.
    Flow,
}

/// `Φ(s, Q)`, nondecreasing in both arguments, `Φ(s, 0) = s`: all that a cascade knows of the market.
///
/// Displacements are whole ticks, so that every algorithm draws the same line between "touched" and "not touched".
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    curve: &'a Curve,
    shock: Shock,
    multiplier: f64,
    log_multiplier: f64,
    quantum: f64,
    limit: i64,
}

impl<'a> Response<'a> {
    /// A response of `curve`, made `multiplier` times as deep; one tick is `quantum` in the curve's unit; no
    /// displacement goes beyond `limit` ticks (a price cannot fall below one tick).
    ///
    /// # Errors
    /// A multiplier or quantum that is not finite and above 0, a limit below one tick.
    pub fn new(curve: &'a Curve, shock: Shock, multiplier: f64, quantum: f64, limit: i64) -> Result<Self> {
        for (place, value) in [("depth multiplier", multiplier), ("quantum", quantum)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(CoreError::new(place, format!("{value}"), "a finite number above 0"));
            }
        }
        if limit < 1 {
            return Err(CoreError::new("limit", format!("{limit} ticks"), "at least one tick"));
        }
        Ok(Self { curve, shock, multiplier, log_multiplier: multiplier.ln(), quantum, limit })
    }

    /// The kind of shock.
    #[must_use]
    pub const fn shock(&self) -> Shock {
        self.shock
    }

    /// The displacement, in ticks, after a shock of `s` ticks and a forced flow of `q`.
    #[inline]
    #[must_use]
    pub fn phi(&self, s: i64, q: f64) -> i64 {
        if q <= 0.0 {
            return s.min(self.limit);
        }
        match self.shock {
            Shock::News => s.saturating_add(self.push(q)).min(self.limit),
            Shock::Flow => {
                let eaten = self.multiplier * self.curve.notional(s as f64 * self.quantum);
                self.push(eaten + q).max(s).min(self.limit)
            }
        }
    }

    /// `I(Q)` in ticks, rounded to the nearest.
    #[inline]
    #[must_use]
    pub fn push(&self, q: f64) -> i64 {
        (self.curve.displacement(q.ln() - self.log_multiplier) / self.quantum + 0.5).floor() as i64
    }

    /// Whether the flow asks for more than the book is known to hold: then `phi` is a lower bound.
    #[must_use]
    pub fn exhausted(&self, s: i64, q: f64) -> bool {
        let eaten = match self.shock {
            Shock::News => 0.0,
            Shock::Flow => self.multiplier * self.curve.notional(s as f64 * self.quantum),
        };
        q > 0.0 && (eaten + q > self.multiplier * self.curve.capacity() || self.phi(s, q) >= self.limit)
    }

    /// The smallest shock, in ticks, after which a flow of `q` reaches `d` ticks: `min {s ≥ 0 : Φ(s, q) ≥ d}`;
    /// `i64::MAX` where nothing reaches it.
    #[must_use]
    pub fn needed(&self, d: i64, q: f64) -> i64 {
        if d > self.limit {
            return i64::MAX;
        }
        if q <= 0.0 || d <= 0 {
            return d.max(0);
        }
        match self.shock {
            Shock::News => (d - self.push(q)).max(0),
            Shock::Flow => {
                let rest = self.curve.notional((d as f64 - 0.5) * self.quantum) - q / self.multiplier;
                let s = if rest > 0.0 { self.curve.displacement(rest.ln()) / self.quantum } else { 0.0 };
                let mut guess = (s.ceil() as i64).clamp(0, d);
                // Near a whole tick the inverse may round either way; Φ itself decides.
                while guess > 0 && self.phi(guess - 1, q) >= d {
                    guess -= 1;
                }
                while guess < d && self.phi(guess, q) < d {
                    guess += 1;
                }
                guess
            }
        }
    }

    /// `∂Φ/∂s` while nothing more fires: 1 for news, `D'(s) / D'(x)` for flow; `None` where the book ends.
    #[must_use]
    pub fn slope(&self, s: i64, x: i64) -> Option<f64> {
        match self.shock {
            Shock::News => Some(1.0),
            Shock::Flow => {
                let (from, to) = (
                    self.curve.density(s as f64 * self.quantum),
                    self.curve.density(x as f64 * self.quantum),
                );
                (to > 0.0).then(|| from / to)
            }
        }
    }
}
