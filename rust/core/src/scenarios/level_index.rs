//! Lookup from a displacement to the number of levels within it, in a bounded number of steps.

use crate::cascade::Levels;

/// Buckets with more levels than this are searched by bisection.
const LINEAR_SEARCH_LIMIT: usize = 8;

/// Levels with a bucket index by distance.
pub struct LevelIndex<'a> {
    distance: &'a [i64],
    /// Sums of the first `k` levels, for each `k`.
    prefixes: Vec<Prefix>,
    /// `start[b]`: the first level at or beyond `b << shift` ticks.
    start: Vec<u32>,
    shift: u32,
    /// Number of levels in the largest bucket.
    largest_bucket: usize,
}

/// Sums of the first `k` levels, and the distance of the next one.
#[derive(Clone, Copy)]
pub struct Prefix {
    /// Notional in quote currency, and its natural logarithm.
    pub notional: f64,
    pub log: f64,
    /// Distance of the next level, in ticks.
    pub next: i64,
}

impl<'a> LevelIndex<'a> {
    pub fn new(levels: &Levels<'a>) -> Self {
        let distance = levels.distance();
        let prefix = |k: usize| {
            let (notional, next) = (levels.cumulative(k), distance.get(k).copied());
            Prefix { notional, log: notional.ln(), next: next.unwrap_or(i64::MAX) }
        };
        let farthest = distance.last().copied().unwrap_or(0) as u64;
        let buckets = (2 * distance.len() as u64).next_power_of_two();
        let shift = (64 - farthest.leading_zeros()).saturating_sub(buckets.trailing_zeros());
        let start: Vec<u32> = (0..=(farthest >> shift) + 1)
            .map(|b| distance.partition_point(|d| *d < (b << shift) as i64) as u32)
            .collect();
        let largest_bucket = start.windows(2).map(|edges| (edges[1] - edges[0]) as usize).max().unwrap_or(0);
        Self { distance, prefixes: (0..=levels.len()).map(prefix).collect(), start, shift, largest_bucket }
    }

    /// Sums of the first `k` levels.
    #[inline(always)]
    pub fn prefix(&self, k: usize) -> Prefix {
        self.prefixes[k]
    }

    /// Number of levels within `x` ticks.
    #[inline(always)]
    pub fn within(&self, x: i64) -> usize {
        let bucket = (x >> self.shift) as usize;
        if bucket + 1 >= self.start.len() {
            return self.distance.len();
        }
        let first = self.start[bucket] as usize;
        if self.largest_bucket > LINEAR_SEARCH_LIMIT {
            let end = self.start[bucket + 1] as usize;
            return first + self.distance[first..end].partition_point(|d| *d <= x);
        }
        // A fixed number of steps, so that no branch depends on data.
        first
            + self.distance[first..]
                .iter()
                .take(self.largest_bucket)
                .map(|d| usize::from(*d <= x))
                .sum::<usize>()
    }
}
