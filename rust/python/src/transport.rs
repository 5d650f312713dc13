//! Optimal transport in one dimension.

use liqmap_core::transport as core;
use pyo3::prelude::*;

use crate::error::input_error;

/// `(from, to, share)` of each flow, and the mean distance.
type Coupling = (Vec<(usize, usize, f64)>, f64);

/// `(from, to, share)` of the monotone coupling of two lists of `(position, mass)`, and the mean distance moved.
#[pyfunction]
pub fn couple(py: Python<'_>, before: Vec<(f64, f64)>, after: Vec<(f64, f64)>) -> PyResult<Coupling> {
    let both = py.detach(|| Ok((core::couple(&before, &after)?, core::distance(&before, &after)?)));
    let (flows, distance) = both.map_err(|e| input_error("transport", &e))?;
    Ok((flows.into_iter().map(|f| (f.from, f.to, f.share)).collect(), distance))
}
