//! From a displacement to the levels within it, in a few steps.

use crate::cascade::Levels;

/// Levels laid out for lookups.
pub struct Index<'a> {
    distance: &'a [i64],
    /// Notional of the first `k` levels, and its logarithm.
    below: Vec<(f64, f64)>,
    /// `start[b]`: the first level at or beyond `b << shift` ticks.
    start: Vec<u32>,
    shift: u32,
}

impl<'a> Index<'a> {
    pub fn new(levels: &Levels<'a>) -> Self {
        let distance = levels.distance();
        let below = (0..=levels.len()).map(|k| (levels.below(k), levels.below(k).ln())).collect();
        let furthest = distance.last().copied().unwrap_or(0) as u64;
        let buckets = (2 * distance.len() as u64).next_power_of_two();
        let shift = (64 - furthest.leading_zeros()).saturating_sub(buckets.trailing_zeros());
        let start = (0..=furthest >> shift)
            .map(|b| distance.partition_point(|d| *d < (b << shift) as i64) as u32)
            .collect();
        Self { distance, below, start, shift }
    }

    /// Notional of the first `k` levels, and its logarithm.
    #[inline]
    pub fn below(&self, k: usize) -> (f64, f64) {
        self.below[k]
    }

    /// Distance of the level after the first `k`.
    #[inline]
    pub fn next(&self, k: usize) -> i64 {
        self.distance.get(k).copied().unwrap_or(i64::MAX)
    }

    /// How many levels lie within `x` ticks.
    #[inline]
    pub fn within(&self, x: i64) -> usize {
        let Some(&start) = self.start.get((x >> self.shift) as usize) else { return self.distance.len() };
        start as usize + self.distance[start as usize..].iter().take_while(|d| **d <= x).count()
    }
}
