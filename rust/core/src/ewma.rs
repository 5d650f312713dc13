//! The usual pace of a series as it is known from each of its values: a mean that forgets.

use crate::{CoreError, Result};

/// The mean before each value; each value then moves it by its weight. A value that is missing (NaN) leaves it as it is.
///
/// # Errors
/// `values` and `weights` are not of one length, or a weight is not between 0 and 1.
pub fn lagged_ewma(values: &[f64], weights: &[f64], start: f64) -> Result<Vec<f64>> {
    if values.len() != weights.len() {
        let expected = format!("{}, one per value", values.len());
        return Err(CoreError::new("weights", format!("{} weights", weights.len()), expected));
    }
    if let Some(row) = weights.iter().position(|w| !(0.0..=1.0).contains(w)) {
        let found = format!("{}", weights[row]);
        return Err(CoreError::new(format!("weights[{row}]"), found, "a share from 0 to 1"));
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
    fn a_value_is_not_in_its_own_mean_and_a_missing_one_in_none() {
        let made = lagged_ewma(&[4.0, f64::NAN, 8.0, 0.0], &[0.5, 0.5, 0.25, 1.0], 2.0).unwrap();
        assert_eq!(made, [2.0, 3.0, 3.0, 4.25]);
    }

    #[test]
    fn invalid_weights_are_rejected() {
        assert!(lagged_ewma(&[1.0, 2.0], &[0.5], 0.0).is_err());
        for weight in [f64::NAN, -0.1, 1.1] {
            assert!(lagged_ewma(&[1.0], &[weight], 0.0).is_err());
        }
    }
}
