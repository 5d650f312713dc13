//! Faults of the core as liqmap's own exceptions.

use liqmap_core::CoreError;
use pyo3::prelude::*;

/// Turn a fault of the core into `liqmap._base.errors.InputError`, under the verb that met it.
pub fn input_error(stage: &str, fault: &CoreError) -> PyErr {
    Python::attach(|py| {
        let made = py.import("liqmap._base.errors").and_then(|m| m.getattr("InputError")).and_then(|class| {
            class.call1((stage, &fault.place, &fault.found, &fault.expected, "nothing computed"))
        });
        made.map_or_else(|error| error, PyErr::from_value)
    })
}
