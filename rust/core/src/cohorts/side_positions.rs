//! Mapped positions of one side, by leverage bracket and log-price bin.
//!
//! Both sides share one implementation on the axis `y = ±ln(price) / step`, with plus for longs and minus for shorts:
//! on this axis levels always lie below the price, and liquidation always removes the highest bins.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bins added beyond the requested range, so that advancing bar by bar rarely reallocates.
const SLACK: i64 = 256;
/// Largest number of bins of one side over all brackets (512 MiB). At 2.5 bp per bin and ten brackets this covers 728
/// decades of price.
const BINS_LIMIT: f64 = 67_108_864.0;
/// Below this scale factor the bins are rescaled, before their quotient loses accuracy.
const SMALLEST_SCALE: f64 = 1e-100;

/// A liquidation level: a price and the amount closed there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Price at the middle of the bin, quote currency.
    pub price: f64,
    /// Amount, in coin.
    pub coin: f64,
    /// Index of the leverage bracket.
    pub bracket: usize,
}

/// One bracket: coin per bin divided by `scale`, so that closing by age is a single multiplication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    bins: Vec<f64>,
    scale: f64,
    total: f64,
    /// All bins from this one upwards are empty.
    top: usize,
    /// All bins below this one are empty.
    bottom: usize,
}

/// The mapped positions of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SidePositions {
    axis_sign: f64,
    step: f64,
    /// Axis index of `bins[0]`.
    first: i64,
    rows: Vec<Row>,
    /// Price at the middle of each bin, quote currency.
    prices: Vec<f64>,
}

/// Amounts removed by a price move or at opening.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// Coin.
    pub coin: f64,
    /// Quote currency at the prices of the levels.
    pub usd: f64,
}

impl Row {
    /// The range that contains all non-empty bins.
    const fn filled(&self) -> Range<usize> {
        self.bottom..self.top
    }
}

impl SidePositions {
    pub fn new(long: bool, step: f64, brackets: usize) -> Self {
        let row = Row { bins: Vec::new(), scale: 1.0, total: 0.0, top: 0, bottom: 0 };
        Self {
            axis_sign: if long { 1.0 } else { -1.0 },
            step,
            first: 0,
            rows: vec![row; brackets],
            prices: Vec::new(),
        }
    }

    /// Whether a deserialised state is consistent: dimensions agree and values are in range, so that no index can be
    /// out of range.
    pub fn is_valid(&self, brackets: usize) -> bool {
        let bins = self.prices.len();
        let axis = self.axis_sign.abs() == 1.0
            && (1e-6..=0.1).contains(&self.step)
            && self.first.unsigned_abs() < 1 << 40;
        let amounts = |values: &[f64]| values.iter().all(|v| v.is_finite() && *v >= 0.0);
        let row = |row: &Row| {
            row.bins.len() == bins
                && row.top <= bins
                && row.bottom <= bins
                && row.scale > 0.0
                && amounts(&row.bins)
                && amounts(&[row.scale, row.total])
        };
        axis && amounts(&self.prices) && self.rows.len() == brackets && self.rows.iter().all(row)
    }

    /// The coordinate of a price on the axis, in bins.
    pub fn coordinate(&self, price: f64) -> f64 {
        self.axis_sign * price.ln() / self.step
    }

    /// The axis interval between two prices.
    pub fn interval(&self, low: f64, high: f64) -> Range<f64> {
        let (a, b) = (self.coordinate(low), self.coordinate(high));
        a.min(b)..a.max(b)
    }

    /// Whether the axis, extended to hold the interval, stays within the limit on bins.
    pub fn can_reserve(&self, wanted: &Range<f64>) -> bool {
        let (mut low, mut high) = (wanted.start, wanted.end);
        if !self.prices.is_empty() {
            low = low.min(self.first as f64);
            high = high.max((self.first + self.prices.len() as i64) as f64);
        }
        let bins = high - low + 2.0 * SLACK as f64;
        bins * self.rows.len() as f64 <= BINS_LIMIT
    }

    /// Extend the axis to hold the interval; existing amounts keep their prices.
    pub fn reserve(&mut self, wanted: Range<f64>) {
        let (low, high) = (wanted.start.floor() as i64 - 1, wanted.end.floor() as i64 + 2);
        let (old_low, old_high) = (self.first, self.first + self.prices.len() as i64);
        let empty = self.prices.is_empty();
        if !empty && old_low <= low && high <= old_high {
            return;
        }
        let (low, high) = (low - SLACK, high + SLACK);
        let (low, high) = if empty { (low, high) } else { (low.min(old_low), high.max(old_high)) };
        let before = if empty { 0 } else { (old_low - low) as usize };
        let len = (high - low) as usize;
        for row in &mut self.rows {
            let mut bins = vec![0.0; len];
            bins[before..before + row.bins.len()].copy_from_slice(&row.bins);
            row.bins = bins;
            row.top += before;
            row.bottom += before;
        }
        self.first = low;
        self.prices = (low..high).map(|i| (self.axis_sign * (i as f64 + 0.5) * self.step).exp()).collect();
    }

    /// Remove all levels in the bin of `coordinate` and in the bins above it.
    pub fn consume(&mut self, bracket: usize, coordinate: f64) -> Consumed {
        let from = (coordinate.floor() as i64 - self.first).max(0) as usize;
        let row = &mut self.rows[bracket];
        let mut consumed = Consumed::default();
        while row.top > from {
            row.top -= 1;
            let coin = row.bins[row.top] * row.scale;
            row.bins[row.top] = 0.0;
            consumed.coin += coin;
            consumed.usd += coin * self.prices[row.top];
        }
        // Rounding must not leave a negative total.
        row.total = (row.total - consumed.coin).max(0.0);
        consumed
    }

    /// Scale a bracket by a share, 0 to 1; returns the coin closed.
    pub fn retain(&mut self, bracket: usize, share: f64) -> f64 {
        let row = &mut self.rows[bracket];
        let before = row.total;
        row.total *= share;
        row.scale *= share;
        if row.scale < SMALLEST_SCALE {
            let scale = row.scale;
            row.bins.iter_mut().for_each(|b| *b *= scale);
            row.scale = 1.0;
        }
        before - row.total
    }

    /// Open `coin`, spread evenly over an axis interval; amounts in the bin of `limit` or above it are liquidated at
    /// once.
    pub fn open(&mut self, bracket: usize, coin: f64, over: &Range<f64>, limit: f64) -> Consumed {
        let mut consumed = Consumed::default();
        if coin <= 0.0 {
            return consumed;
        }
        let limit = (limit.floor() as i64 - self.first).max(0) as usize;
        let (start, end) = (over.start - self.first as f64, over.end - self.first as f64);
        let (low, high) = (start.floor() as usize, end.floor() as usize);
        let density = coin / (end - start).max(f64::MIN_POSITIVE);
        let row = &mut self.rows[bracket];
        let mut left = coin;
        for bin in low..=high {
            // The last bin takes the remainder, so that rounding loses no coin.
            let part = if bin == high {
                left
            } else {
                (density * ((bin + 1) as f64 - start.max(bin as f64))).min(left)
            };
            left -= part;
            if bin < limit {
                row.bins[bin] += part / row.scale;
                row.total += part;
                row.bottom = if row.top == 0 { bin } else { row.bottom.min(bin) };
                row.top = row.top.max(bin + 1);
            } else {
                consumed.coin += part;
                consumed.usd += part * self.prices[bin];
            }
        }
        consumed
    }

    /// Open coin over all brackets.
    pub fn total(&self) -> f64 {
        self.rows.iter().map(|row| row.total).sum()
    }

    /// Add quote currency per price bin to `out[(price bin − first) / merge]`; price bins are those of `ln(price) /
    /// step` for both sides. Returns the quote currency outside `out`.
    pub fn density(&self, brackets: Range<usize>, first: i64, merge: usize, out: &mut [f64]) -> f64 {
        let merge = u32::try_from(merge).unwrap_or(u32::MAX);
        let mut outside = 0.0;
        for row in &self.rows[brackets] {
            for bin in row.filled() {
                let usd = row.bins[bin] * row.scale * self.prices[bin];
                let axis = self.first + bin as i64;
                let price_bin = if self.axis_sign > 0.0 { axis } else { -axis - 1 };
                let cell = price_bin
                    .checked_sub(first)
                    .and_then(|o| u32::try_from(o).ok())
                    .and_then(|o| out.get_mut((o / merge) as usize));
                match cell {
                    Some(cell) => *cell += usd,
                    None => outside += usd,
                }
            }
        }
        outside
    }

    /// All non-empty levels, by bracket and then by nearness to the price.
    pub fn levels(&self) -> Vec<Level> {
        let rows = self.rows.iter().enumerate();
        rows.flat_map(|(bracket, row)| {
            row.filled().rev().filter(|&bin| row.bins[bin] > 0.0).map(move |bin| Level {
                price: self.prices[bin],
                coin: row.bins[bin] * row.scale,
                bracket,
            })
        })
        .collect()
    }
}
