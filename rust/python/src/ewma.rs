//! Exponentially weighted moving average.

use liqmap_core::ewma as core;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::arrays::{Array, vector};
use crate::error::OrInputError;

/// The average before each observation, which then moves it by its weight; NaN is a missing observation.
#[pyfunction]
pub fn lagged_ewma<'py>(
    py: Python<'py>,
    values: Array<'py, f64>,
    weights: Array<'py, f64>,
    start: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = vector("values", &values).or_input_error("lagged_ewma")?;
    let weights = vector("weights", &weights).or_input_error("lagged_ewma")?;
    let means = py.detach(|| core::lagged_ewma(&values, &weights, start)).or_input_error("lagged_ewma")?;
    Ok(means.into_pyarray(py))
}
