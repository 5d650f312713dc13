//! `liqmap._core`: each function reads Arrow or numpy arguments, releases the interpreter, calls the core and wraps the
//! result.

#![allow(clippy::needless_pass_by_value, reason = "pyo3 hands arrays and streams over by value")]

mod arrays;
mod arrow_streams;
mod cascade;
mod clusters;
mod cohorts;
mod dictionary_codes;
mod dynamics;
mod error;
mod ewma;
mod histogram;
mod margin;
mod optimal_transport;

use pyo3::prelude::*;

/// The compiled core of liqmap.
#[pymodule(gil_used = false)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    m.add_function(wrap_pyfunction!(histogram::histogram, m)?)?;
    m.add_function(wrap_pyfunction!(clusters::smooth, m)?)?;
    m.add_function(wrap_pyfunction!(clusters::peaks, m)?)?;
    m.add_function(wrap_pyfunction!(ewma::lagged_ewma, m)?)?;
    m.add_function(wrap_pyfunction!(optimal_transport::align_monotone, m)?)?;
    m.add_function(wrap_pyfunction!(optimal_transport::couple, m)?)?;
    m.add_class::<cohorts::Cohorts>()?;
    m.add_class::<cascade::Curve>()?;
    m.add_class::<cascade::Market>()?;
    m.add_function(wrap_pyfunction!(cascade::cascade, m)?)?;
    m.add_function(wrap_pyfunction!(cascade::thresholds, m)?)?;
    m.add_function(wrap_pyfunction!(margin::liquidation_prices, m)?)?;
    m.add_function(wrap_pyfunction!(margin::liquidation_tranches, m)?)?;
    m.add_function(wrap_pyfunction!(cascade::scenarios, m)?)?;
    m.add_function(wrap_pyfunction!(dynamics::deleverage, m)?)?;
    m.add_function(wrap_pyfunction!(dynamics::replay, m)?)?;
    m.add_function(wrap_pyfunction!(dynamics::whipsaw, m)?)?;
    m.add_function(wrap_pyfunction!(dynamics::coupled, m)?)?;
    Ok(())
}
