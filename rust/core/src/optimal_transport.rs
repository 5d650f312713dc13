//! Optimal transport in one dimension: the monotone (quantile) coupling of two sets of masses on a line.
//!
//! ```
//! use liqmap_core::optimal_transport::{couple, distance};
//!
//! let before = [(100.0, 1.0), (110.0, 1.0)];
//! let after = [(100.0, 1.0), (120.0, 1.0)];
//! assert_eq!(couple(&before, &after)?.len(), 2);
//! assert_eq!(distance(&before, &after)?, 5.0);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

use crate::error::{CoreError, Result};

/// Mass that moves from source `from` to target `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Index of the source.
    pub from: usize,
    /// Index of the target.
    pub to: usize,
    /// Share of the total mass, 0 to 1.
    pub share: f64,
}

/// The monotone coupling of two lists of `(position, mass)`, each normalised to a total of 1. It is optimal for every
/// convex cost (Villani, *Topics in Optimal Transportation*, 2003, chapter 2).
///
/// Positions need not be sorted. Shares sum to 1 up to rounding.
///
/// # Errors
/// A position or mass that is not finite, a negative mass, or a list without mass.
pub fn couple(before: &[(f64, f64)], after: &[(f64, f64)]) -> Result<Vec<Flow>> {
    let (sources, targets) = (ordered("before", before)?, ordered("after", after)?);
    let mut flows = Vec::with_capacity(sources.len() + targets.len());
    let (mut i, mut j) = (0, 0);
    let (mut supply, mut demand) = (sources[0].1, targets[0].1);
    while i < sources.len() && j < targets.len() {
        let share = supply.min(demand);
        if share > 0.0 {
            flows.push(Flow { from: sources[i].0, to: targets[j].0, share });
        }
        supply -= share;
        demand -= share;
        // One of the two is exhausted exactly; at the end, rounding may leave a remainder of the other.
        if supply <= 0.0 {
            i += 1;
            supply = sources.get(i).map_or(0.0, |s| s.1);
        }
        if demand <= 0.0 {
            j += 1;
            demand = targets.get(j).map_or(0.0, |t| t.1);
        }
    }
    Ok(flows)
}

/// The Wasserstein-1 distance: the mean distance that mass moves, in the unit of the positions.
///
/// # Errors
/// As for [`couple`].
pub fn distance(before: &[(f64, f64)], after: &[(f64, f64)]) -> Result<f64> {
    let flows = couple(before, after)?;
    Ok(flows.iter().map(|f| f.share * (before[f.from].0 - after[f.to].0).abs()).sum())
}

/// Indices in order of position, with normalised masses; points without mass are left out.
fn ordered(name: &str, points: &[(f64, f64)]) -> Result<Vec<(usize, f64)>> {
    if let Some(bad) = points.iter().find(|(x, m)| !(x.is_finite() && m.is_finite() && *m >= 0.0)) {
        return Err(CoreError::value(
            name,
            format!("{bad:?}"),
            "finite positions and finite masses of 0 or more",
        ));
    }
    let total: f64 = points.iter().map(|p| p.1).sum();
    if !(total > 0.0 && total.is_finite()) {
        return Err(CoreError::value(name, format!("a total mass of {total}"), "a finite total above 0"));
    }
    let mut order: Vec<usize> = (0..points.len()).filter(|&i| points[i].1 > 0.0).collect();
    order.sort_by(|&a, &b| points[a].0.total_cmp(&points[b].0));
    Ok(order.into_iter().map(|i| (i, points[i].1 / total)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_clusters_that_move_up() {
        // t0 {21 500: 20, 22 000: 100, 24 000: 60} → t1 {21 500: 15, 23 000: 90, 24 000: 75}
        let before = [(21_500.0, 20.0), (22_000.0, 100.0), (24_000.0, 60.0)];
        let after = [(21_500.0, 15.0), (23_000.0, 90.0), (24_000.0, 75.0)];
        let want = [(0, 0, 0.0833), (0, 1, 0.0278), (1, 1, 0.4722), (1, 2, 0.0833), (2, 2, 0.3333)];
        let flows = couple(&before, &after).unwrap();
        assert_eq!(flows.len(), want.len());
        for (flow, (from, to, share)) in flows.iter().zip(want) {
            assert_eq!((flow.from, flow.to), (from, to));
            assert!((flow.share - share).abs() < 5e-5, "{flow:?}");
        }
        assert!((distance(&before, &after).unwrap() - 680.56).abs() < 5e-3);
        // 85 % of the middle cluster went to 23 000.
        assert!((flows[2].share / (100.0 / 180.0) - 0.85).abs() < 1e-9);
    }

    #[test]
    fn lists_without_valid_mass_are_rejected() {
        assert!(couple(&[], &[(1.0, 1.0)]).is_err());
        assert!(couple(&[(1.0, 0.0)], &[(1.0, 1.0)]).is_err());
        assert!(couple(&[(f64::NAN, 1.0)], &[(1.0, 1.0)]).is_err());
        assert!(couple(&[(1.0, -1.0), (2.0, 3.0)], &[(1.0, 1.0)]).is_err());
    }

    fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec(((0_i32..1_000).prop_map(f64::from), (0_u8..50).prop_map(f64::from)), 1..12)
            .prop_filter("some mass", |p| p.iter().any(|p| p.1 > 0.0))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn the_distance_is_the_area_between_the_distributions(from in points(), to in points()) {
            let cdf = |points: &[(f64, f64)], x: f64| {
                let total: f64 = points.iter().map(|p| p.1).sum();
                points.iter().filter(|p| p.0 <= x).map(|p| p.1).sum::<f64>() / total
            };
            let area: f64 = (0..1_000).map(|x| (cdf(&from, f64::from(x)) - cdf(&to, f64::from(x))).abs()).sum();
            let moved = distance(&from, &to).unwrap();
            prop_assert!((area - moved).abs() < 1e-6, "{area} {moved}");
            let flows = couple(&from, &to).unwrap();
            prop_assert!((flows.iter().map(|f| f.share).sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
