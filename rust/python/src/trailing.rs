//! A mean that forgets.

use liqmap_core::trailing as core;
use numpy::{PyArray1, PyReadonlyArray1, ToPyArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The mean before each value, moved by each that is not NaN by its weight.
#[pyfunction]
pub fn trailing<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    weights: PyReadonlyArray1<'py, f64>,
    start: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (values, weights) = (values.as_slice()?, weights.as_slice()?);
    if values.len() != weights.len() {
        return Err(PyValueError::new_err("a weight for each value"));
    }
    Ok(py.detach(|| core::trailing(values, weights, start)).to_pyarray(py))
}
