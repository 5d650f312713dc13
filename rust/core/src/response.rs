//! Price impact: the displacement, in whole ticks, after a shock and the forced flow that follows it.

use crate::depth::Curve;
use crate::{CoreError, Result};

/// How the exogenous shock acts on the order book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShockKind {
    /// News: the book re-centres at the new price, `Φ(s, Q) = s + I(Q)`.
    News,
    /// Flow: the shock has consumed the book up to `s`, `Φ(s, Q) = D⁻¹(D(s) + Q)`.
    Flow,
}

/// The market of a cascade: an order book, the kind of shock, and the tick in which displacement is measured.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    curve: &'a Curve,
    kind: ShockKind,
    scale: f64,
    limit: i64,
}

impl<'a> Market<'a> {
    /// One unit of the curve's displacement is `scale` ticks (if displacement is a fraction of the mark, `scale` is the
    /// mark in ticks). No displacement exceeds `limit` ticks (a price cannot fall below one tick).
    ///
    /// # Errors
    /// A scale that is not finite and positive, or a limit below one tick.
    pub fn new(curve: &'a Curve, kind: ShockKind, scale: f64, limit: i64) -> Result<Self> {
        above_zero("scale", scale)?;
        if limit < 1 {
            return Err(CoreError::value("limit", format!("{limit} ticks"), "at least one tick"));
        }
        Ok(Self { curve, kind, scale, limit })
    }

    /// The order book.
    #[must_use]
    pub const fn curve(&self) -> &'a Curve {
        self.curve
    }

    /// How the shock acts on the order book.
    #[must_use]
    pub const fn shock_kind(&self) -> ShockKind {
        self.kind
    }

    /// The largest displacement, in ticks.
    #[must_use]
    pub const fn limit(&self) -> i64 {
        self.limit
    }

    /// A displacement of 0 or more, rounded to the nearest tick.
    #[inline]
    #[must_use]
    pub fn ticks(&self, x: f64) -> i64 {
        (x * self.scale + 0.5) as i64
    }

    /// Ticks as a displacement in the unit of the curve.
    #[inline]
    #[must_use]
    pub fn displacement(&self, ticks: i64) -> f64 {
        ticks as f64 / self.scale
    }

    /// An impact given by [`Curve::log_displacement`], in ticks.
    #[inline]
    #[must_use]
    pub fn impact_ticks(&self, log_x: f64) -> i64 {
        self.ticks(log_x.exp().min(self.curve.max_displacement()))
    }

    /// Notional of the book within `s` ticks, in quote currency.
    #[inline]
    #[must_use]
    pub fn notional_within(&self, s: i64) -> f64 {
        self.curve.notional(self.displacement(s))
    }

    /// The response of a book that is `multiplier` times as deep.
    ///
    /// # Errors
    /// A multiplier that is not finite and positive.
    pub fn response(self, multiplier: f64) -> Result<Response<'a>> {
        above_zero("depth multiplier", multiplier)?;
        Ok(Response { market: self, multiplier, log_multiplier: multiplier.ln() })
    }
}

fn above_zero(place: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(CoreError::value(place, format!("{value}"), "a finite number above 0"))
}

/// `Φ(s, Q)`, nondecreasing in both arguments with `Φ(s, 0) = s`: the only property of the market that a cascade uses.
///
/// Displacements are whole ticks, so that all algorithms agree exactly on which levels are reached.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    market: Market<'a>,
    multiplier: f64,
    log_multiplier: f64,
}

impl<'a> Response<'a> {
    /// How the shock acts on the order book.
    #[must_use]
    pub const fn shock_kind(&self) -> ShockKind {
        self.market.kind
    }

    /// The market after a shock of `s` ticks.
    #[inline]
    #[must_use]
    pub fn after_shock(&self, s: i64) -> ShockedMarket<'a> {
        let s = s.min(self.market.limit);
        let consumed = match self.market.kind {
            ShockKind::News => 0.0,
            ShockKind::Flow => self.multiplier * self.market.notional_within(s),
        };
        ShockedMarket { response: *self, s, consumed }
    }

    /// `Φ(s, Q)`: the displacement in ticks after a shock of `s` ticks and a forced flow of `q` in quote currency.
    #[must_use]
    pub fn phi(&self, s: i64, q: f64) -> i64 {
        self.after_shock(s).phi(q)
    }

    /// `I(Q)` in ticks, rounded to the nearest.
    #[inline]
    #[must_use]
    pub fn impact_ticks(&self, q: f64) -> i64 {
        self.market.impact_ticks(self.market.curve.log_displacement(q.ln() - self.log_multiplier))
    }

    /// The smallest shock, in ticks, after which a flow of `q` reaches `d` ticks: `min {s ≥ 0 : Φ(s, q) ≥ d}`;
    /// `i64::MAX` if no shock does.
    #[must_use]
    pub fn required_shock(&self, d: i64, q: f64) -> i64 {
        if d > self.market.limit {
            return i64::MAX;
        }
        if q <= 0.0 || d <= 0 {
            return d.max(0);
        }
        match self.market.kind {
            ShockKind::News => self.required_news(d, self.impact_ticks(q)),
            // Impact cannot exceed the largest displacement of the book: farther levels are reached by the shock alone.
            ShockKind::Flow if d > self.impact_ticks(f64::INFINITY) => d,
            ShockKind::Flow => {
                let edge = (d as f64 - 0.5) / self.market.scale;
                let rest = self.market.curve.notional(edge) - q / self.multiplier;
                let x = if rest > 0.0 { self.market.curve.displacement(rest.ln()) } else { 0.0 };
                self.smallest_shock(d, q, ((x * self.market.scale).ceil() as i64).clamp(0, d))
            }
        }
    }

    /// The smallest news shock that reaches `d` ticks if forced flow adds `push` ticks.
    #[inline]
    #[must_use]
    pub fn required_news(&self, d: i64, push: i64) -> i64 {
        if d > self.market.limit { i64::MAX } else { (d - push).max(0) }
    }

    /// `min {0 ≤ s ≤ d : Φ(s, q) ≥ d}`, searched outwards from a guess. The guess is off by one where the inverse
    /// rounds and by more where the book is almost empty; the result is decided by Φ alone.
    fn smallest_shock(&self, d: i64, q: f64, guess: i64) -> i64 {
        let reaches = |s: i64| self.phi(s, q) >= d;
        let (mut low, mut high) = (guess - 1, guess);
        let mut step = 1;
        while low >= 0 && reaches(low) {
            (high, low, step) = (low, low - step, step * 2);
        }
        low = low.max(-1);
        step = 1;
        while high < d && !reaches(high) {
            (low, high, step) = (high, (high + step).min(d), step * 2);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if reaches(middle) { high = middle } else { low = middle }
        }
        high
    }

    /// `∂Φ/∂s` while no further level is triggered: 1 for news, `D'(s) / D'(x)` for flow; `None` beyond the end of the
    /// book.
    #[must_use]
    pub fn slope(&self, s: i64, x: i64) -> Option<f64> {
        if self.market.kind == ShockKind::News {
            return Some(1.0);
        }
        let density = |ticks: i64| self.market.curve.density(self.market.displacement(ticks));
        let to = density(x);
        (to > 0.0).then(|| density(s) / to)
    }
}

/// The market after a shock, as a function of the forced flow: `Q ↦ Φ(s, Q)`.
#[derive(Debug, Clone, Copy)]
pub struct ShockedMarket<'a> {
    response: Response<'a>,
    s: i64,
    consumed: f64,
}

impl ShockedMarket<'_> {
    /// The displacement in ticks after a forced flow of `q` in quote currency.
    #[must_use]
    pub fn phi(&self, q: f64) -> i64 {
        if q <= 0.0 {
            return self.s;
        }
        let x = match self.response.market.kind {
            ShockKind::News => self.s.saturating_add(self.response.impact_ticks(q)),
            ShockKind::Flow => self.response.impact_ticks(self.consumed + q).max(self.s),
        };
        x.min(self.response.market.limit)
    }

    /// `∫ Φ(s, u) du` from `q` to `q + more`; divided by `more` it is the mean displacement at which that flow is
    /// filled.
    #[must_use]
    pub fn cost(&self, q: f64, more: f64) -> f64 {
        let Response { market, multiplier, .. } = self.response;
        let work = |flow: f64| multiplier * market.curve.cost_integral(flow / multiplier);
        match market.kind {
            ShockKind::News => market.displacement(self.s) * more + work(q + more) - work(q),
            ShockKind::Flow => work(self.consumed + q + more) - work(self.consumed + q),
        }
    }

    /// Whether a flow of `q` that ended at `x` ticks exceeds the known book; `x` is then a lower bound.
    #[inline]
    #[must_use]
    pub fn exhausted(&self, q: f64, x: i64) -> bool {
        let held = self.response.multiplier * self.response.market.curve.capacity();
        q > 0.0 && (self.consumed + q > held || x >= self.response.market.limit)
    }
}
