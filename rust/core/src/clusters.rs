//! Peaks of a density and their basins, by topographic prominence (0-dimensional persistent homology).
//!
//! ```
//! use liqmap_core::clusters::peaks;
//!
//! // The shoulder in bin 4 stands only 1 above the pass to the summit in bin 2.
//! let found = peaks(&[0.0, 2.0, 9.0, 5.0, 6.0, 1.0, 0.0], 2.0, 0.5)?;
//! assert_eq!(found.len(), 1);
//! assert_eq!((found[0].bin, found[0].prominence, found[0].basin.clone()), (2, 9.0, 2..5));
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

use std::ops::Range;

use crate::grid::BINS_LIMIT;
use crate::{CoreError, Result};

/// A peak of a density.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// Bin of the summit (the middle of a flat one).
    pub bin: usize,
    /// Height of the summit above the higher of the two passes to higher peaks.
    pub prominence: f64,
    /// Bins of the basin: from the summit down to the level set by `basin_share`, never across a pass.
    pub basin: Range<usize>,
}

/// A copy smoothed with a Gaussian of standard deviation `sigma` in bins, cut at four standard deviations. The total is
/// preserved: what would fall beyond an end is added to the last bin.
///
/// # Errors
/// A density that is not finite, a `sigma` below 0 or above [`BINS_LIMIT`].
pub fn smooth(density: &[f64], sigma: f64) -> Result<Vec<f64>> {
    finite(density)?;
    if !(0.0..=BINS_LIMIT as f64).contains(&sigma) {
        return Err(CoreError::value("sigma", format!("{sigma}"), format!("0 to {BINS_LIMIT} bins")));
    }
    let reach = (4.0 * sigma).ceil() as usize;
    if reach == 0 || density.is_empty() {
        return Ok(density.to_vec());
    }
    let kernel: Vec<f64> = (0..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
    let sum = kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>();
    let last = density.len() - 1;
    let mut out = vec![0.0; density.len()];
    for (i, &mass) in density.iter().enumerate().filter(|(_, m)| **m != 0.0) {
        out[i] += mass * kernel[0] / sum;
        for (k, weight) in kernel.iter().enumerate().skip(1) {
            out[i.saturating_sub(k)] += mass * weight / sum;
            out[(i + k).min(last)] += mass * weight / sum;
        }
    }
    Ok(out)
}

fn finite(density: &[f64]) -> Result<()> {
    match density.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(bin) => {
            let found = format!("{}", density[bin]);
            Err(CoreError::value(format!("density[{bin}]"), found, "a finite number"))
        }
    }
}

/// Peaks of at least `min_prominence`, in order of price; a flat summit counts once.
///
/// Prominence is the least descent from the summit on any path to higher ground; beyond the ends the density is 0. A
/// bin belongs to the basin while the density lies less than `basin_share` of the prominence below the summit (0.5:
/// down to half of the prominence).
///
/// # Errors
/// A density that is not finite, a `min_prominence` or a `basin_share` that is NaN.
pub fn peaks(density: &[f64], min_prominence: f64, basin_share: f64) -> Result<Vec<Peak>> {
    finite(density)?;
    for (place, value) in [("min_prominence", min_prominence), ("basin_share", basin_share)] {
        if value.is_nan() {
            return Err(CoreError::value(place, "NaN", "a number"));
        }
    }
    let left = passes(density.iter().copied());
    let mut right = passes(density.iter().rev().copied());
    right.reverse();
    let mut found = Vec::new();
    let mut i = 0;
    while i < density.len() {
        let height = density[i];
        let mut end = i + 1;
        while end < density.len() && density[end] == height {
            end += 1;
        }
        let rises = i == 0 || density[i - 1] < height;
        let falls = end == density.len() || density[end] < height;
        if height > 0.0 && rises && falls {
            let prominence = height - left[i].max(right[end - 1]);
            if prominence >= min_prominence && prominence > 0.0 {
                let basin = basin(density, i..end, height - basin_share * prominence);
                found.push(Peak { bin: usize::midpoint(i, end - 1), prominence, basin });
            }
        }
        i = end;
    }
    Ok(found)
}

/// For each bin, the lowest density between it and the nearest strictly higher bin before it (0 if there is none).
fn passes(density: impl Iterator<Item = f64>) -> Vec<f64> {
    // The stack holds bins of descending height, each with the lowest density since the bin below it on the stack.
    let mut stack: Vec<(f64, f64)> = Vec::new();
    density
        .map(|height| {
            let mut lowest = height;
            while let Some(&(top, pass)) = stack.last() {
                if top > height {
                    break;
                }
                lowest = lowest.min(pass);
                stack.pop();
            }
            if stack.is_empty() {
                lowest = 0.0;
            }
            stack.push((height, lowest));
            lowest
        })
        .collect()
}

fn basin(density: &[f64], summit: Range<usize>, waterline: f64) -> Range<usize> {
    let (mut low, mut high) = (summit.start, summit.end);
    // Extend down both slopes while the density is above the waterline; a pass below the waterline ends the basin.
    while low > 0 && density[low - 1] >= waterline && density[low - 1] > 0.0 {
        low -= 1;
    }
    while high < density.len() && density[high] >= waterline && density[high] > 0.0 {
        high += 1;
    }
    low..high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Prominence by its definition: walk from the summit in both directions.
    fn slow_prominence(density: &[f64], at: usize) -> f64 {
        let walk = |bins: &mut dyn Iterator<Item = usize>| {
            let mut lowest = density[at];
            for i in bins {
                if density[i] > density[at] {
                    return lowest;
                }
                lowest = lowest.min(density[i]);
            }
            0.0
        };
        let left = walk(&mut (0..at).rev());
        let right = walk(&mut (at + 1..density.len()));
        density[at] - left.max(right)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prominence_equals_its_definition(heights in prop::collection::vec(0_u8..12, 0..30)) {
            let density: Vec<f64> = heights.iter().map(|&h| f64::from(h)).collect();
            for peak in peaks(&density, 0.0, 0.5).unwrap() {
                prop_assert_eq!(peak.prominence, slow_prominence(&density, peak.bin));
                prop_assert!(peak.basin.contains(&peak.bin));
            }
            let highest = density.iter().copied().fold(0.0, f64::max);
            if highest > 0.0 {
                prop_assert!(peaks(&density, 0.0, 0.5).unwrap().iter().any(|p| density[p.bin] == highest));
            }
        }

        #[test]
        fn smoothing_preserves_the_total(masses in prop::collection::vec(0.0..1e6_f64, 1..60), sigma in 0.1..5.0_f64) {
            let (before, after): (f64, f64) = (masses.iter().sum(), smooth(&masses, sigma).unwrap().iter().sum());
            prop_assert!((before - after).abs() <= 1e-9 * before.max(1.0));
        }
    }

    #[test]
    fn invalid_numbers_are_rejected() {
        assert!(smooth(&[1.0, f64::NAN], 1.0).is_err());
        for sigma in [f64::NAN, f64::INFINITY, -1.0, 1e18] {
            assert!(smooth(&[1.0], sigma).is_err());
        }
        assert!(peaks(&[f64::INFINITY], 0.0, 0.5).is_err());
        assert!(peaks(&[1.0], f64::NAN, 0.5).is_err());
        assert!(peaks(&[1.0], 0.0, f64::NAN).is_err());
    }

    #[test]
    fn a_shoulder_belongs_to_its_peak() {
        let found = peaks(&[0.0, 2.0, 9.0, 5.0, 6.0, 1.0, 0.0], 2.0, 0.5).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].bin, found[0].prominence, found[0].basin.clone()), (2, 9.0, 2..5));
    }
}
