//! Arrow streams from Python, batch by batch, with the checks that the C interface alone does not permit.
//!
//! A C stream has one schema and its arrays carry neither types nor buffer lengths. A Python reader whose batches differ
//! from its schema, or whose offsets point past a buffer, therefore cannot be detected through the stream. Readers with
//! typed batches (pyarrow, arro3) are read batch by batch in Python, and objects of pyarrow are validated by pyarrow,
//! which knows the length of every buffer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::Schema;
use liqmap_core::{CoreError, Result};
use pyo3::exceptions::{PyException, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PyRecordBatchReader, PySchema};

use crate::error::OrInputError;

/// Names the stream in errors: the entry point and the argument.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub stage: &'a str,
    pub table: &'a str,
}

impl Source<'_> {
    fn unreadable(self, found: impl Into<String>) -> CoreError {
        CoreError::column(self.table, found, "a readable Arrow stream")
    }

    /// The exception of a producer as an input error; interrupts stay what they are.
    fn of_python(self, py: Python<'_>, error: PyErr) -> PyErr {
        if !error.is_instance_of::<PyException>(py) {
            return error;
        }
        let found = error.value(py).to_string();
        let line = found.lines().next().unwrap_or("an exception").to_owned();
        let fault: Result<()> = Err(self.unreadable(line));
        fault.or_input_error(self.stage).map_or_else(|fault| fault, |()| error)
    }

    /// Call `each` for every batch of an Arrow stream, with the interpreter released.
    ///
    /// # Errors
    /// The object is no Arrow stream, a batch has another type than the schema of its stream, or `each` fails.
    pub fn read(
        self,
        object: &Bound<'_, PyAny>,
        mut each: impl FnMut(&RecordBatch) -> Result<()> + Send,
    ) -> PyResult<()> {
        let py = object.py();
        self.validate(object)?;
        if object.hasattr(intern!(py, "read_next_batch"))? && object.hasattr(intern!(py, "schema"))? {
            return self.read_typed(object, each);
        }
        let reader = object.extract::<PyRecordBatchReader>()?.into_reader()?;
        py.detach(|| self.read_capsule(reader, &mut each)).or_input_error(self.stage)
    }

    fn read_typed(
        self,
        reader: &Bound<'_, PyAny>,
        mut each: impl FnMut(&RecordBatch) -> Result<()> + Send,
    ) -> PyResult<()> {
        let py = reader.py();
        let schema = reader.getattr(intern!(py, "schema"))?.extract::<PySchema>()?.into_inner();
        loop {
            let batch = match reader.call_method0(intern!(py, "read_next_batch")) {
                Ok(batch) => batch,
                Err(error) if error.is_instance_of::<PyStopIteration>(py) => return Ok(()),
                Err(error) => return Err(self.of_python(py, error)),
            };
            self.validate(&batch)?;
            let batch = batch.extract::<PyRecordBatch>()?.into_inner();
            py.detach(|| {
                self.check_schema(&schema, &batch.schema())?;
                each(&batch)
            })
            .or_input_error(self.stage)?;
        }
    }

    fn read_capsule(
        self,
        mut reader: Box<dyn RecordBatchReader + Send>,
        each: &mut impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        // The import of an array whose layout contradicts the schema panics.
        let mut next = || catch_unwind(AssertUnwindSafe(|| reader.next()));
        loop {
            match next() {
                Ok(Some(Ok(batch))) => each(&batch)?,
                Ok(Some(Err(error))) => return Err(self.unreadable(error.to_string())),
                Ok(None) => return Ok(()),
                Err(_) => return Err(self.unreadable("a batch that contradicts the schema of its stream")),
            }
        }
    }

    fn check_schema(self, schema: &Schema, batch: &Schema) -> Result<()> {
        let same = schema.fields().len() == batch.fields().len()
            && schema
                .fields()
                .iter()
                .zip(batch.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if same {
            return Ok(());
        }
        let types: Vec<String> =
            batch.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
        Err(CoreError::column(
            self.table,
            format!("a batch with the columns {}", types.join(", ")),
            "the schema of its stream in every batch",
        ))
    }

    /// Objects of pyarrow check the lengths of their own buffers; the cost does not depend on the number of rows.
    fn validate(self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = object.py();
        let module = object.get_type().module()?;
        if module.to_string_lossy().starts_with("pyarrow") && object.hasattr(intern!(py, "validate"))? {
            object.call_method0(intern!(py, "validate")).map_err(|error| self.of_python(py, error))?;
        }
        Ok(())
    }
}
