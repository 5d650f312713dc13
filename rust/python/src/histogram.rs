//! `histogram`: bins any Arrow stream of levels batch by batch, without copies if the types permit.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int8Type, UInt8Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Schema};
use liqmap_core::CoreError;
use liqmap_core::grid::{BINS_LIMIT, Grid};
use liqmap_core::histogram::{Histogram, LevelColumns, UNITS_PER_NOTIONAL};
use numpy::{IntoPyArray, PyArray3, PyArrayMethods};
use pyo3::prelude::*;

use crate::arrays::count;
use crate::arrow_streams::Source;
use crate::dictionary_codes::DictionaryColumn;
use crate::error::OrInputError;

/// Cells in integer units, shape `(2, brackets, bins)`; units outside the grid `[long below, long above, short below,
/// short above]`; accepted levels; rejected levels; units per notional.
type Filled<'py> = (Bound<'py, PyArray3<i64>>, [i64; 4], u64, u64, f64);

/// Bin a stream with the columns `price`, `notional`, `side` and optionally `bracket`.
#[pyfunction]
pub fn histogram<'py>(
    py: Python<'py>,
    levels: Bound<'py, PyAny>,
    grid: (f64, i64, i64, i64),
    brackets: i64,
) -> PyResult<Filled<'py>> {
    let stage = "histogram";
    let brackets = count("brackets", brackets, 1..=256).or_input_error(stage)?;
    let bins = count("bins", grid.3, 1..=BINS_LIMIT as i64).or_input_error(stage)?;
    let grid = Grid::new(grid.0, grid.1, grid.2, bins).or_input_error(stage)?;
    let mut out = Histogram::empty(grid, brackets);
    Source { stage, table: "levels" }
        .read(&levels, |batch| Columns::find(&batch.schema())?.fill(batch, &mut out))?;
    let shape = [2, brackets, grid.bins()];
    let (outside, accepted, rejected) = (out.outside(), out.accepted(), out.rejected());
    let cells = out.into_cells().into_pyarray(py).reshape(shape)?;
    Ok((cells, outside, accepted, rejected, UNITS_PER_NOTIONAL))
}

/// Indices of the columns in the stream.
struct Columns {
    price: usize,
    notional: usize,
    side: usize,
    bracket: Option<usize>,
}

impl Columns {
    fn find(schema: &Schema) -> Result<Self, CoreError> {
        let at = |name: &str| {
            schema.index_of(name).map_err(|_| {
                let found: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
                CoreError::column(
                    format!("levels, {name}"),
                    format!("columns {}", found.join(", ")),
                    "a column of this name",
                )
            })
        };
        Ok(Self {
            price: at("price")?,
            notional: at("notional")?,
            side: at("side")?,
            bracket: at("bracket").ok(),
        })
    }

    fn fill(&self, batch: &RecordBatch, out: &mut Histogram) -> Result<(), CoreError> {
        let side_column = batch.column(self.side);
        let sides = sides(side_column)?;
        let price = typed(batch.column(self.price), "price", &DataType::Float64)?;
        let notional = typed(batch.column(self.notional), "notional", &DataType::Float64)?;
        let bracket =
            self.bracket.map(|i| typed(batch.column(i), "bracket", &DataType::UInt8)).transpose()?;
        let columns = [Some(&price), Some(&notional), Some(&sides), bracket.as_ref()];
        // Only a price column is copied, and only if a row is null: such rows get a price that is rejected.
        let masked: Option<Vec<f64>> = columns.iter().flatten().any(|c| c.null_count() > 0).then(|| {
            let values = price.as_primitive::<Float64Type>().values();
            let null = |row: usize| columns.iter().flatten().any(|c| c.is_null(row));
            values.iter().enumerate().map(|(row, v)| if null(row) { f64::NAN } else { *v }).collect()
        });
        out.fill(LevelColumns {
            price: masked.as_deref().unwrap_or_else(|| price.as_primitive::<Float64Type>().values()),
            notional: notional.as_primitive::<Float64Type>().values(),
            side: sides.as_primitive::<Int8Type>().values(),
            bracket: bracket.as_ref().map(|b| &b.as_primitive::<UInt8Type>().values()[..]),
        })
    }
}

/// The column cast to `wanted`, or the same buffers if it has that type. Values that do not fit become null.
fn typed(column: &ArrayRef, name: &str, wanted: &DataType) -> Result<ArrayRef, CoreError> {
    if column.data_type() == wanted {
        return Ok(column.clone());
    }
    if !column.data_type().is_numeric() {
        let found = format!("type {}", column.data_type());
        return Err(CoreError::column(format!("levels, {name}"), found, "a numeric column"));
    }
    cast(column, wanted)
        .map_err(|e| CoreError::column(format!("levels, {name}"), e.to_string(), "a numeric column"))
}

/// Sides as 1 and −1, from signed integers or from the words `long` and `short`; null for every other word.
fn sides(column: &ArrayRef) -> Result<ArrayRef, CoreError> {
    if column.data_type().is_numeric() {
        return typed(column, "side", &DataType::Int8);
    }
    let words = DictionaryColumn::read("levels, side", column)?;
    let signs: Vec<Option<i8>> = words
        .words
        .iter()
        .map(|word| match word.as_str() {
            "long" => Some(1),
            "short" => Some(-1),
            _ => None,
        })
        .collect();
    let sign = |code: u32| signs.get(code as usize).copied().flatten();
    Ok(std::sync::Arc::new(words.codes.iter().map(sign).collect::<arrow_array::Int8Array>()))
}
