//! Gaussian smoothing and peaks of a density.

use liqmap_core::clusters as core;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::arrays::{Array, vector};
use crate::error::OrInputError;

/// A copy smoothed with a Gaussian of standard deviation `sigma`, in bins.
#[pyfunction]
pub fn smooth<'py>(
    py: Python<'py>,
    density: Array<'py, f64>,
    sigma: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let density = vector("density", &density).or_input_error("smooth")?;
    let smoothed = py.detach(|| core::smooth(&density, sigma)).or_input_error("smooth")?;
    Ok(smoothed.into_pyarray(py))
}

/// `(bin, prominence, basin start, basin end)` of each peak, in order of price.
#[pyfunction]
pub fn peaks(
    py: Python<'_>,
    density: Array<'_, f64>,
    min_prominence: f64,
    basin_share: f64,
) -> PyResult<Vec<(usize, f64, usize, usize)>> {
    let density = vector("density", &density).or_input_error("peaks")?;
    let found = py.detach(|| core::peaks(&density, min_prominence, basin_share)).or_input_error("peaks")?;
    Ok(found.into_iter().map(|p| (p.bin, p.prominence, p.basin.start, p.basin.end)).collect())
}
