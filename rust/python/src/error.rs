//! Errors of the core as exceptions of liqmap.

use liqmap_core::{CoreError, Result};
use pyo3::prelude::*;

/// The `liqmap.InputError` for an error of the core; `stage` is the entry point that raises it.
pub fn input_error(stage: &str, fault: &CoreError) -> PyErr {
    let detail = fault.detail();
    Python::attach(|py| {
        let error =
            py.import("liqmap._base.errors").and_then(|m| m.getattr("InputError")).and_then(|class| {
                class.call1((stage, &detail.place, &detail.found, &detail.expected, "nothing computed"))
            });
        error.map_or_else(|error| error, PyErr::from_value)
    })
}

/// A result of the core under the name of the Python entry point.
pub trait OrInputError<T> {
    /// The value, or `liqmap.InputError`.
    fn or_input_error(self, stage: &str) -> PyResult<T>;
}

impl<T> OrInputError<T> for Result<T> {
    fn or_input_error(self, stage: &str) -> PyResult<T> {
        self.map_err(|fault| input_error(stage, &fault))
    }
}
