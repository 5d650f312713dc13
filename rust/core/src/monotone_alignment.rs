//! The cheapest pairing of two ordered lists without crossings, where an element without a partner has a cost of its
//! own.

use crate::{CoreError, Result};

/// Pairs `(row, column)` of least total cost, ascending in both; among equal costs, pairs towards the end of the lists
/// are preferred.
///
/// `cost` holds the cost of each pair, row by row; `alone` is the cost of a row or column without a partner. Dynamic
/// programming as in sequence alignment (Needleman and Wunsch 1970): time and memory are rows × columns.
///
/// # Errors
/// `cost` does not hold whole rows of `columns` values; a cost is NaN; `alone` is not finite.
pub fn align_monotone(cost: &[f64], columns: usize, alone: f64) -> Result<Vec<(usize, usize)>> {
    if !alone.is_finite() {
        return Err(CoreError::value("alone", format!("{alone}"), "a finite cost"));
    }
    if let Some(row) = cost.iter().position(|c| c.is_nan()) {
        return Err(CoreError::value(format!("cost[{row}]"), "NaN", "a number"));
    }
    if cost.is_empty() {
        return Ok(Vec::new());
    }
    if columns == 0 || !cost.len().is_multiple_of(columns) {
        return Err(CoreError::shape(
            "cost",
            format!("{} values", cost.len()),
            format!("whole rows of {columns}"),
        ));
    }
    let (rows, wide) = (cost.len() / columns, columns + 1);
    // `best[i * wide + j]`: least cost of the first `i` rows and the first `j` columns.
    let mut best: Vec<f64> = (0..wide).map(|j| alone * j as f64).collect();
    best.reserve(rows * wide);
    for (i, row) in cost.chunks_exact(columns).enumerate() {
        best.push(alone * (i + 1) as f64);
        for (j, paired) in row.iter().enumerate() {
            let above = i * wide + j;
            best.push((best[above] + paired).min(best[above + 1] + alone).min(best[above + wide] + alone));
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (rows, columns);
    while i > 0 && j > 0 {
        let here = i * wide + j;
        #[allow(clippy::float_cmp)] // one of the three is what was stored
        if best[here] == best[here - wide - 1] + cost[(i - 1) * columns + j - 1] {
            (i, j) = (i - 1, j - 1);
            pairs.push((i, j));
        } else if best[here] == best[here - wide] + alone {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    pairs.reverse();
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::align_monotone;

    /// The least cost over all pairings without crossings, by enumeration.
    fn cheapest(cost: &[Vec<f64>], alone: f64, i: usize, j: usize) -> f64 {
        let rest = cost.len() - i + cost.first().map_or(0, Vec::len) - j;
        if i == cost.len() || j == cost[i].len() {
            return alone * rest as f64;
        }
        let paired = cost[i][j] + cheapest(cost, alone, i + 1, j + 1);
        paired.min(alone + cheapest(cost, alone, i + 1, j)).min(alone + cheapest(cost, alone, i, j + 1))
    }

    proptest! {
        #[test]
        fn the_cost_equals_that_of_enumeration(
            cost in (1..6_usize).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(0.0..6.0, n), 1..6))
        ) {
            let columns = cost[0].len();
            let pairs = align_monotone(&cost.concat(), columns, 2.0).unwrap();
            prop_assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
            let paired: f64 = pairs.iter().map(|&(i, j)| cost[i][j]).sum();
            let total = paired + 2.0 * (cost.len() + columns - 2 * pairs.len()) as f64;
            prop_assert!((total - cheapest(&cost, 2.0, 0, 0)).abs() < 1e-9);
        }
    }

    #[test]
    fn invalid_costs_are_rejected() {
        assert!(align_monotone(&[1.0, 2.0, 3.0], 2, 2.0).is_err());
        assert!(align_monotone(&[1.0], 0, 2.0).is_err());
        assert!(align_monotone(&[f64::NAN], 1, 2.0).is_err());
        assert!(align_monotone(&[1.0], 1, f64::NAN).is_err());
    }

    #[test]
    fn empty_lists_have_no_pairs() {
        assert!(align_monotone(&[], 0, 2.0).unwrap().is_empty());
        assert!(align_monotone(&[], 3, 2.0).unwrap().is_empty());
    }
}
