//! The usual pace of a series as it is known from each of its values: a mean that forgets.

/// The mean before each value; each value then moves it by its weight. A value that is missing (NaN) leaves it as it is.
///
/// # Panics
/// `values` and `weights` are not of one length.
#[must_use]
pub fn trailing(values: &[f64], weights: &[f64], start: f64) -> Vec<f64> {
    assert_eq!(values.len(), weights.len(), "a weight for each value");
    let mut mean = start;
    let before = |(value, weight): (&f64, &f64)| {
        let known = mean;
        if !value.is_nan() {
            mean += weight * (value - mean);
        }
        known
    };
    values.iter().zip(weights).map(before).collect()
}

#[cfg(test)]
mod tests {
    use super::trailing;

    #[test]
    fn a_value_is_not_in_its_own_mean_and_a_missing_one_in_none() {
        let made = trailing(&[4.0, f64::NAN, 8.0, 0.0], &[0.5, 0.5, 0.25, 1.0], 2.0);
        assert_eq!(made, [2.0, 3.0, 3.0, 4.25]);
    }
}
