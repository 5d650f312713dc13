//! One side's mapped positions, by bracket and log-price bin.
//!
//! Both sides use one code: the axis runs *away from danger to danger*, `y = ±ln(price) / step`, positive for longs and
//! negative for shorts, so that levels always lie below the price and a sweep always eats from the top.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Bins of room beyond what is asked for, so that a state that is advanced bar by bar seldom has to grow.
const SLACK: i64 = 256;
/// Most bins of one side, over all brackets (512 MiB). At 2.5 bp per bin and ten brackets this covers 728 decades of price.
const BINS_LIMIT: f64 = 67_108_864.0;
/// Where half of the accuracy of a lazily scaled bin would be lost.
const SMALLEST_SCALE: f64 = 1e-100;

/// A liquidation price and the coin that is closed there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Price at the middle of its bin.
    pub price: f64,
    /// Coin.
    pub coin: f64,
    /// Index of the leverage bracket.
    pub bracket: usize,
}

/// One bracket: coin per bin divided by `scale`, which makes closing by age one multiplication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    bins: Vec<f64>,
    scale: f64,
    total: f64,
    /// No filled bin lies at or above this one.
    top: usize,
    /// No filled bin lies below this one.
    bottom: usize,
}

/// The mapped positions of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SidePositions {
    axis_sign: f64,
    step: f64,
    /// Axis bin of `bins[0]`.
    first: i64,
    rows: Vec<Row>,
    /// Price at the middle of each bin.
    prices: Vec<f64>,
}

/// What a sweep or an opening took out at once.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// Coin.
    pub coin: f64,
    /// Quote currency at the levels' prices.
    pub usd: f64,
}

impl Row {
    /// The bins that may be filled.
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

    /// Whether the columns fit together: a state read from bytes must not be able to make an index go astray.
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

    /// The axis coordinate of a price, in bins.
    pub fn coordinate(&self, price: f64) -> f64 {
        self.axis_sign * price.ln() / self.step
    }

    /// The interval of the axis between two prices, the far one first.
    pub fn interval(&self, low: f64, high: f64) -> Range<f64> {
        let (a, b) = (self.coordinate(low), self.coordinate(high));
        a.min(b)..a.max(b)
    }

    /// Whether the axis, grown to hold the interval, stays below the limit on bins.
    pub fn can_reserve(&self, wanted: &Range<f64>) -> bool {
        let (mut low, mut high) = (wanted.start, wanted.end);
        if !self.prices.is_empty() {
            low = low.min(self.first as f64);
            high = high.max((self.first + self.prices.len() as i64) as f64);
        }
        let bins = high - low + 2.0 * SLACK as f64;
        bins * self.rows.len() as f64 <= BINS_LIMIT
    }

    /// Make room for the axis interval, keeping what is there.
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

    /// Take out every level in the bin of `coordinate` and in the bins beyond it.
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
        // Rounding must not leave a debt behind.
        row.total = (row.total - consumed.coin).max(0.0);
        consumed
    }

    /// Keep this share of a bracket; returns the coin that was closed.
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

    /// Open `coin` evenly over an axis interval; what falls in the bin of `limit` or beyond is consumed at once.
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
            // The last bin takes what rounding left over, so that no coin is lost.
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

    /// Coin open in all brackets.
    pub fn total(&self) -> f64 {
        self.rows.iter().map(|row| row.total).sum()
    }

    /// Add the quote currency per price bin: `out[(price bin − first) / merge]`, price bins being those of `ln(price) / step`
    /// whichever the side. Returns what lies outside `out`.
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

    /// Every filled level, by bracket, then by nearness to the price.
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
