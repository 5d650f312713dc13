//! Cumulative depth of an order book, and its inverse, the price impact of a flow.
//!
//! Order book and impact law are one object: `D(x)` is the notional that moves the price by `x`, and its inverse is the
//! impact `I(Q)`. Between knots `D` is a power law (a straight line in log-log coordinates); below the first and above
//! the last knot it is a power law of given exponent. The linear and square-root laws are therefore curves with one
//! knot and exponents 1 and 2.

use crate::{CoreError, Result};

/// Buckets of the lookup table from `ln D` to a segment.
const BUCKETS: usize = 256;

/// A cumulative depth curve: displacement in any unit, notional in quote currency.
#[derive(Debug, Clone)]
pub struct Curve {
    /// `ln x` and `ln D` at the knots, both strictly ascending.
    x: Vec<f64>,
    d: Vec<f64>,
    /// One below the first knot, one between each pair, one above the last.
    segments: Vec<Segment>,
    /// For each bucket of `ln D`, a segment at or before that of any value in the bucket.
    hint: Vec<u32>,
    buckets_per_log: f64,
    /// Largest number of segments between a bucket's hint and the segment of a value in it.
    steps: usize,
    max_displacement: f64,
    capacity: f64,
    /// `∫ I` from 0 to each knot.
    cost_integral: Vec<f64>,
}

/// A straight line in log-log coordinates through `(x, d)`; results are clamped to its ends.
#[derive(Debug, Clone, Copy)]
struct Segment {
    x: f64,
    d: f64,
    slope: f64,
    /// `1 / slope`, so that an impact costs a multiplication instead of a division.
    inverse: f64,
    low: (f64, f64),
    high: (f64, f64),
}

impl Segment {
    /// `∫ I` from the low end of the segment to the point `(x, d)` on it; for a power law `∫ x du = x·u / (1 + 1/β)`.
    fn cost_integral(&self, x: f64, d: f64) -> f64 {
        (x * d - (self.low.0 + self.low.1).exp()) / (1.0 + self.inverse)
    }
}

impl Curve {
    /// A curve through `(displacement, notional)` knots, both strictly ascending and positive.
    ///
    /// `head` and `tail` are the exponents below the first and above the last knot. `max_displacement` is the largest
    /// displacement for which the curve is defined; `None` means that of the last knot, the end of the visible book.
    ///
    /// # Errors
    /// No knots, knots that do not ascend, or numbers that are not finite and positive.
    pub fn new(
        displacement: &[f64],
        notional: &[f64],
        head: f64,
        tail: f64,
        max_displacement: Option<f64>,
    ) -> Result<Self> {
        if displacement.is_empty() || displacement.len() != notional.len() {
            let found = format!("{} values for {} of notional", displacement.len(), notional.len());
            return Err(CoreError::shape("depth displacement", found, "one per notional, at least one"));
        }
        for (place, values) in [("displacement", displacement), ("notional", notional)] {
            let bad = |i: usize| !positive(values[i]) || (i > 0 && values[i] <= values[i - 1]);
            if let Some(row) = (0..values.len()).find(|i| bad(*i)) {
                let found = format!("{}", values[row]);
                return Err(CoreError::value(
                    format!("depth {place}[{row}]"),
                    found,
                    "finite, positive, ascending numbers",
                ));
            }
        }
        let max_displacement = max_displacement.unwrap_or(displacement[displacement.len() - 1]);
        for (place, value) in [("head", head), ("tail", tail), ("reach", max_displacement)] {
            if !positive(value) {
                let found = format!("{value}");
                return Err(CoreError::value(format!("depth {place}"), found, "a finite number above 0"));
            }
        }
        let x: Vec<f64> = displacement.iter().map(|v| v.ln()).collect();
        let d: Vec<f64> = notional.iter().map(|v| v.ln()).collect();
        let segments = segments(&x, &d, head, tail);
        if let Some(row) = segments.iter().position(|s| !(positive(s.slope) && positive(s.inverse))) {
            return Err(CoreError::value(
                format!("depth knot {row}"),
                "equal to its neighbour to 16 digits",
                "distinct knots",
            ));
        }
        let (hint, buckets_per_log, steps) = hints(&d);
        let cost_integral = cost_integral(&segments);
        let mut curve = Self {
            x,
            d,
            segments,
            hint,
            buckets_per_log,
            steps,
            max_displacement,
            capacity: 0.0,
            cost_integral,
        };
        curve.capacity = curve.notional(max_displacement);
        Ok(curve)
    }

    /// The largest displacement for which the curve is defined.
    #[must_use]
    pub const fn max_displacement(&self) -> f64 {
        self.max_displacement
    }

    /// Notional within [`Self::max_displacement`], in quote currency.
    #[must_use]
    pub const fn capacity(&self) -> f64 {
        self.capacity
    }

    /// `D(x)`: notional within displacement `x`; constant beyond [`Self::max_displacement`].
    #[must_use]
    pub fn notional(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let v = x.min(self.max_displacement).ln();
        let s = &self.segments[self.x.partition_point(|k| *k <= v)];
        (s.d + (v - s.x) * s.slope).clamp(s.low.1, s.high.1).exp()
    }

    /// `D'(x)`: notional per unit of displacement at `x`; 0 beyond [`Self::max_displacement`].
    #[must_use]
    pub fn density(&self, x: f64) -> f64 {
        if x <= 0.0 || x > self.max_displacement {
            return 0.0;
        }
        let v = x.ln();
        self.segments[self.x.partition_point(|k| *k <= v)].slope * self.notional(x) / x
    }

    /// `I(Q)`: the displacement caused by a flow of `exp(log_flow)`, at most [`Self::max_displacement`].
    ///
    /// The argument is a logarithm, so that a book `m` times as deep costs a subtraction: `I_m(Q) = I(Q / m)`.
    #[inline]
    #[must_use]
    pub fn displacement(&self, log_flow: f64) -> f64 {
        self.log_displacement(log_flow).exp().min(self.max_displacement)
    }

    /// `∫₀^Q I(u) du`: impact cost of a flow of `q`, displacement × notional; divided by `q` it is the mean
    /// displacement of the fill.
    #[must_use]
    pub fn cost_integral(&self, q: f64) -> f64 {
        if q <= 0.0 {
            return 0.0;
        }
        let inside = q.min(self.capacity);
        let v = inside.ln();
        let j = self.d.partition_point(|d| *d <= v);
        let before = if j == 0 { 0.0 } else { self.cost_integral[j - 1] };
        before
            + self.segments[j].cost_integral(self.displacement(v), inside)
            + (q - inside) * self.max_displacement
    }

    /// `ln I(Q)`, not limited to [`Self::max_displacement`]: the part of [`Self::displacement`] that looks up the
    /// segment.
    #[inline]
    #[must_use]
    pub fn log_displacement(&self, log_flow: f64) -> f64 {
        let bucket = ((log_flow - self.d[0]) * self.buckets_per_log).clamp(0.0, BUCKETS as f64) as usize;
        let first = self.hint[bucket] as usize;
        // A fixed number of steps, so that no branch depends on data.
        let ahead: usize = self.d[first..].iter().take(self.steps).map(|d| usize::from(*d <= log_flow)).sum();
        let s = &self.segments[first + ahead];
        (s.x + (log_flow - s.d) * s.inverse).clamp(s.low.0, s.high.0)
    }
}

/// `∫ I(u) du` from 0 to each knot.
fn cost_integral(segments: &[Segment]) -> Vec<f64> {
    let mut sum = 0.0;
    let ends = segments.iter().take(segments.len() - 1);
    ends.map(|s| {
        sum += s.cost_integral(s.high.0.exp(), s.high.1.exp());
        sum
    })
    .collect()
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn segments(x: &[f64], d: &[f64], head: f64, tail: f64) -> Vec<Segment> {
    let n = x.len();
    let ends = (f64::NEG_INFINITY, f64::INFINITY);
    (0..=n)
        .map(|j| {
            let low = if j == 0 { (ends.0, ends.0) } else { (x[j - 1], d[j - 1]) };
            let high = if j == n { (ends.1, ends.1) } else { (x[j], d[j]) };
            let (anchor, slope) = match j {
                0 => (high, head),
                j if j == n => (low, tail),
                _ => (low, (high.1 - low.1) / (high.0 - low.0)),
            };
            Segment { x: anchor.0, d: anchor.1, slope, inverse: 1.0 / slope, low, high }
        })
        .collect()
}

/// Lookup table over the knots' `ln D`: hints, buckets per unit of `ln D`, and the largest number of steps from a hint.
fn hints(d: &[f64]) -> (Vec<u32>, f64, usize) {
    let span = d[d.len() - 1] - d[0];
    if span <= 0.0 {
        return (vec![0; BUCKETS + 1], 0.0, d.len());
    }
    let per_log = BUCKETS as f64 / span;
    // The bucket of a value is rounded, so the hint starts one bucket earlier and the steps extend one bucket further.
    let edge = |b: usize| d.partition_point(|v| *v <= d[0] + (b as f64 - 1.0) / per_log);
    let steps = (0..=BUCKETS).map(|b| if b + 3 > BUCKETS { d.len() } else { edge(b + 3) } - edge(b)).max();
    ((0..=BUCKETS).map(|b| edge(b) as u32).collect(), per_log, steps.unwrap_or(d.len()))
}
