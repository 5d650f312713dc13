//! From a displacement to the levels within it, in a few steps.

use crate::cascade::Levels;

/// A bucket with more levels than this is searched by halves.
const FEW: usize = 8;

/// Levels laid out for lookups.
pub struct Index<'a> {
    distance: &'a [i64],
    /// What the first `k` levels are, and what comes after them.
    after: Vec<After>,
    /// `start[b]`: the first level at or beyond `b << shift` ticks.
    start: Vec<u32>,
    shift: u32,
    /// Most levels in one bucket.
    most: usize,
}

/// The first so many levels.
#[derive(Clone, Copy)]
pub struct After {
    /// Their notional, and its logarithm.
    pub notional: f64,
    pub log: f64,
    /// Distance of the next level.
    pub next: i64,
}

impl<'a> Index<'a> {
    pub fn new(levels: &Levels<'a>) -> Self {
        let distance = levels.distance();
        let after = |k: usize| {
            let (notional, next) = (levels.sum(k), distance.get(k).copied());
            After { notional, log: notional.ln(), next: next.unwrap_or(i64::MAX) }
        };
        let furthest = distance.last().copied().unwrap_or(0) as u64;
        let buckets = (2 * distance.len() as u64).next_power_of_two();
        let shift = (64 - furthest.leading_zeros()).saturating_sub(buckets.trailing_zeros());
        let start: Vec<u32> = (0..=(furthest >> shift) + 1)
            .map(|b| distance.partition_point(|d| *d < (b << shift) as i64) as u32)
            .collect();
        let most = start.windows(2).map(|ends| (ends[1] - ends[0]) as usize).max().unwrap_or(0);
        Self { distance, after: (0..=levels.len()).map(after).collect(), start, shift, most }
    }

    /// What the first `k` levels are.
    #[inline(always)]
    pub fn after(&self, k: usize) -> After {
        self.after[k]
    }

    /// How many levels lie within `x` ticks.
    #[inline(always)]
    pub fn within(&self, x: i64) -> usize {
        let bucket = (x >> self.shift) as usize;
        if bucket + 1 >= self.start.len() {
            return self.distance.len();
        }
        let first = self.start[bucket] as usize;
        if self.most > FEW {
            let end = self.start[bucket + 1] as usize;
            return first + self.distance[first..end].partition_point(|d| *d <= x);
        }
        // A fixed number of steps: nothing for the processor to guess wrong.
        first + self.distance[first..].iter().take(self.most).map(|d| usize::from(*d <= x)).sum::<usize>()
    }
}
