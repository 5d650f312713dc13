//! Peaks and smoothing.

use liqmap_core::clusters as core;
use numpy::{PyArray1, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;

/// A Gaussian-smoothed copy of a density.
#[pyfunction]
pub fn smooth<'py>(
    py: Python<'py>,
    density: PyReadonlyArray1<'py, f64>,
    sigma: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let density = density.as_slice()?;
    Ok(py.detach(|| core::smooth(density, sigma)).to_pyarray(py))
}

/// `(bin, prominence, basin start, basin end)` of each peak, in order of price.
#[pyfunction]
pub fn peaks(
    py: Python<'_>,
    density: PyReadonlyArray1<'_, f64>,
    floor: f64,
    keep: f64,
) -> PyResult<Vec<(usize, f64, usize, usize)>> {
    let density = density.as_slice()?;
    let found = py.detach(|| core::peaks(density, floor, keep));
    Ok(found.into_iter().map(|p| (p.at, p.prominence, p.basin.start, p.basin.end)).collect())
}
