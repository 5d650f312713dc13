//! `liqmap._core`: each function takes Arrow or numpy in, lets go of the interpreter, calls the core, and wraps.

mod error;

use pyo3::prelude::*;

/// The compiled core of liqmap.
#[pymodule(gil_used = false)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
