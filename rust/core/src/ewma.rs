//! Exponentially weighted moving average, lagged by one observation.

use crate::{CoreError, Result};

/// The average before each observation; the observation then moves it by its weight, `m ← m + w·(x − m)`. A missing
/// observation (NaN) leaves the average unchanged.
///
/// `start` is the average before the first observation.
///
/// # Errors
/// `values` and `weights` differ in length, or a weight is not between 0 and 1.
pub fn lagged_ewma(values: &[f64], weights: &[f64], start: f64) -> Result<Vec<f64>> {
    if values.len() != weights.len() {
        let expected = format!("{}, one per value", values.len());
        return Err(CoreError::shape("weights", format!("{} weights", weights.len()), expected));
    }
    if let Some(row) = weights.iter().position(|w| !(0.0..=1.0).contains(w)) {
        let found = format!("{}", weights[row]);
        return Err(CoreError::value(format!("weights[{row}]"), found, "a share from 0 to 1"));
    }
    let mut mean = start;
    let before = |(value, weight): (&f64, &f64)| {
        let known = mean;
        if !value.is_nan() {
            mean += weight * (value - mean);
        }
        known
    };
    Ok(values.iter().zip(weights).map(before).collect())
}

#[cfg(test)]
mod tests {
    use super::lagged_ewma;

    #[test]
    fn an_average_excludes_its_own_observation_and_missing_ones() {
        let averages = lagged_ewma(&[4.0, f64::NAN, 8.0, 0.0], &[0.5, 0.5, 0.25, 1.0], 2.0).unwrap();
        assert_eq!(averages, [2.0, 3.0, 3.0, 4.25]);
    }

    #[test]
    fn invalid_weights_are_rejected() {
        assert!(lagged_ewma(&[1.0, 2.0], &[0.5], 0.0).is_err());
        for weight in [f64::NAN, -0.1, 1.1] {
            assert!(lagged_ewma(&[1.0], &[weight], 0.0).is_err());
        }
    }
}
