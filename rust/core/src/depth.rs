//! Cumulative depth: how much rests within a displacement, and how far a flow pushes.
//!
//! The book and the impact law are one object. `D(x)` is the notional that moves the price by `x`; its inverse is the
//! impact `I(Q)`. Between knots `D` is a power law (a line in log-log), outside them a stated one, so that the linear
//! and square-root laws are curves with one knot and slopes 1 and 2.

use crate::{CoreError, Result};

/// Buckets of the lookup from `ln D` to a segment.
const BUCKETS: usize = 256;

/// A cumulative depth curve: displacement in any unit, notional in quote currency.
#[derive(Debug, Clone)]
pub struct Curve {
    /// `ln x` and `ln D` at the knots, both strictly ascending.
    x: Vec<f64>,
    d: Vec<f64>,
    /// Slope `d ln D / d ln x` of each segment: below the first knot, between knots, above the last.
    slope: Vec<f64>,
    /// First candidate segment of each bucket of `ln D`.
    hint: Vec<u32>,
    bucket: f64,
    reach: f64,
    capacity: f64,
}

impl Curve {
    /// A curve through `(displacement, notional)` knots, both strictly ascending and above 0.
    ///
    /// `head` and `tail` are the exponents below the first and above the last knot. `reach` is the displacement beyond
    /// which no number is given; `None` means the last knot, the end of what is visible.
    ///
    /// # Errors
    /// No knots, knots that do not ascend, numbers that are not finite and above 0.
    pub fn new(
        displacement: &[f64],
        notional: &[f64],
        head: f64,
        tail: f64,
        reach: Option<f64>,
    ) -> Result<Self> {
        if displacement.is_empty() || displacement.len() != notional.len() {
            let found = format!("{} displacements, {} notionals", displacement.len(), notional.len());
            return Err(CoreError::new("depth", found, "as many of one as of the other, at least one"));
        }
        for (place, values) in [("displacement", displacement), ("notional", notional)] {
            for (row, &value) in values.iter().enumerate() {
                if !(value.is_finite() && value > 0.0) || (row > 0 && value <= values[row - 1]) {
                    return Err(CoreError::new(
                        format!("depth {place}[{row}]"),
                        format!("{value}"),
                        "finite numbers above 0 that ascend",
                    ));
                }
            }
        }
        let last = displacement[displacement.len() - 1];
        let reach = reach.unwrap_or(last);
        for (place, value) in [("head", head), ("tail", tail), ("reach", reach)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(CoreError::new(
                    format!("depth {place}"),
                    format!("{value}"),
                    "a finite number above 0",
                ));
            }
        }
        let x: Vec<f64> = displacement.iter().map(|v| v.ln()).collect();
        let d: Vec<f64> = notional.iter().map(|v| v.ln()).collect();
        let mut slope = Vec::with_capacity(x.len() + 1);
        slope.push(head);
        slope.extend(x.windows(2).zip(d.windows(2)).map(|(x, d)| (d[1] - d[0]) / (x[1] - x[0])));
        slope.push(tail);
        if let Some(row) = slope.iter().position(|s| !(s.is_finite() && *s > 0.0)) {
            // Two knots so close that their logarithms are equal.
            return Err(CoreError::new(
                format!("depth knot {row}"),
                "as good as its neighbour",
                "distinct knots",
            ));
        }
        let span = d[d.len() - 1] - d[0];
        let bucket = if span > 0.0 { BUCKETS as f64 / span } else { 0.0 };
        let hint = (0..=BUCKETS)
            .map(|b| {
                let low = d[0] + b as f64 / bucket.max(f64::MIN_POSITIVE);
                // One bucket early: the bucket of a value is rounded, the segment is then found by stepping forward.
                d.partition_point(|v| *v <= low - 1.0 / bucket.max(f64::MIN_POSITIVE)) as u32
            })
            .collect();
        let mut curve = Self { x, d, slope, hint, bucket, reach, capacity: 0.0 };
        curve.capacity = curve.notional(reach);
        Ok(curve)
    }

    /// The displacement beyond which no number is given.
    #[must_use]
    pub const fn reach(&self) -> f64 {
        self.reach
    }

    /// Notional within the reach.
    #[must_use]
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }

    /// `D(x)`: notional within displacement `x`; nothing is added beyond the reach.
    #[must_use]
    pub fn notional(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let v = x.min(self.reach).ln();
        let j = self.x.partition_point(|k| *k <= v);
        let (at, low, high) = self.segment(j);
        (self.d[at] + (v - self.x[at]) * self.slope[j]).clamp(low.1, high.1).exp()
    }

    /// `D'(x)`: notional per unit of displacement at `x`; 0 beyond the reach.
    #[must_use]
    pub fn density(&self, x: f64) -> f64 {
        if x <= 0.0 || x > self.reach {
            return 0.0;
        }
        let v = x.ln();
        self.slope[self.x.partition_point(|k| *k <= v)] * self.notional(x) / x
    }

    /// `I(Q)`: how far a flow of `exp(log_flow)` pushes, at most the reach.
    ///
    /// Takes the logarithm so that a book `m` times as deep costs a subtraction: `I_m(Q) = I(Q / m)`.
    #[must_use]
    pub fn displacement(&self, log_flow: f64) -> f64 {
        let j = self.find(log_flow);
        let (at, low, high) = self.segment(j);
        (self.x[at] + (log_flow - self.d[at]) / self.slope[j]).clamp(low.0, high.0).exp().min(self.reach)
    }

    /// The segment of a value of `ln D`.
    fn find(&self, v: f64) -> usize {
        let bucket = ((v - self.d[0]) * self.bucket).clamp(0.0, BUCKETS as f64) as usize;
        let mut j = self.hint[bucket] as usize;
        while j < self.d.len() && self.d[j] <= v {
            j += 1;
        }
        j
    }

    /// A segment's anchor knot and its two ends as `(ln x, ln D)`: rounding may not carry a value past a knot.
    fn segment(&self, j: usize) -> (usize, (f64, f64), (f64, f64)) {
        let low =
            if j == 0 { (f64::NEG_INFINITY, f64::NEG_INFINITY) } else { (self.x[j - 1], self.d[j - 1]) };
        let high = if j == self.x.len() { (f64::INFINITY, f64::INFINITY) } else { (self.x[j], self.d[j]) };
        (j.saturating_sub(1), low, high)
    }
}
