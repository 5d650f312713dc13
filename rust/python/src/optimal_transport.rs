//! Optimal transport and monotone alignment of two lists on a line.

use liqmap_core::{monotone_alignment as pairs, optimal_transport as core};
use pyo3::prelude::*;

use crate::arrays::{Array, matrix};
use crate::error::OrInputError;

/// `(from, to, share)` of each flow, and the mean distance moved.
type Coupling = (Vec<(usize, usize, f64)>, f64);

/// `(from, to, share)` of the monotone coupling of two lists of `(position, mass)`, and the mean distance moved.
#[pyfunction]
pub fn couple(py: Python<'_>, before: Vec<(f64, f64)>, after: Vec<(f64, f64)>) -> PyResult<Coupling> {
    let both = py.detach(|| Ok((core::couple(&before, &after)?, core::distance(&before, &after)?)));
    let (flows, distance) = both.or_input_error("transport")?;
    Ok((flows.into_iter().map(|f| (f.from, f.to, f.share)).collect(), distance))
}

/// `(row, column)` of the cheapest pairs without crossings; a row or column without a partner costs `alone`.
#[pyfunction]
pub fn align_monotone(py: Python<'_>, cost: Array<'_, f64>, alone: f64) -> PyResult<Vec<(usize, usize)>> {
    let (cost, [_, columns]) = matrix("cost", &cost).or_input_error("align_monotone")?;
    py.detach(|| pairs::align_monotone(&cost, columns, alone)).or_input_error("align_monotone")
}
