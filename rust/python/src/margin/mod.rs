//! `liquidation_prices` and `liquidation_tranches`: positions and tiers as Arrow streams in, an Arrow table out.

mod positions;
mod tables;

use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use liqmap_core::margin::{Reason, RuleCodes, SolvedColumns, liquidation_prices as solve, tranches};
use liqmap_core::{CoreError, Result};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;

use self::positions::Positions;
use self::tables::{Catalog, TierRows, read_tiers};
use crate::arrow_streams::Source;
use crate::error::input_error;

/// Per position: liquidation price, bankruptcy price, tier, reason.
#[pyfunction]
#[pyo3(signature = (positions, tiers, instruments=None))]
pub fn liquidation_prices<'py>(
    positions: Bound<'py, PyAny>,
    tiers: Bound<'py, PyAny>,
    instruments: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    run("liquidation_prices", (positions, tiers, instruments), &prices_schema(), |catalog, batch, _| {
        let positions = Positions::read(batch, catalog)?;
        prices_batch(solve(&catalog.rules, positions.codes(), &positions.columns())?)
    })
}

/// The tranches in which a venue would liquidate each position, in order: row of the position, tranche, price, coin.
#[pyfunction]
#[pyo3(signature = (positions, tiers, instruments=None))]
pub fn liquidation_tranches<'py>(
    positions: Bound<'py, PyAny>,
    tiers: Bound<'py, PyAny>,
    instruments: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    run("liquidation_tranches", (positions, tiers, instruments), &tranches_schema(), tranches_batch)
}

/// Read the tier and instrument tables, then the positions batch by batch, with the interpreter released; returns an
/// arro3 table.
///
/// Each stream is requested only after the one before has been read to its end: two relations of one duckdb connection
/// may be passed, and a connection holds only one open result.
fn run<'py>(
    stage: &str,
    (positions, tiers, instruments): (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>),
    schema: &SchemaRef,
    each: impl Fn(&mut Catalog, &RecordBatch, i64) -> Result<RecordBatch> + Send + Sync,
) -> PyResult<Bound<'py, PyAny>> {
    let py = positions.py();
    let source = |table| Source { stage, table };
    let mut catalog = Catalog::default();
    let mut rows = TierRows::new();
    source("tiers").read(&tiers, |batch| read_tiers(batch, &mut rows))?;
    catalog.add_tiers(rows).map_err(|fault| input_error(stage, &fault))?;
    if let Some(instruments) = instruments {
        source("instruments").read(&instruments, |batch| catalog.read_instruments(batch))?;
    }
    let mut out = Vec::new();
    let mut first: i64 = 0;
    source("positions").read(&positions, |batch| {
        out.push(each(&mut catalog, batch, first)?);
        first += batch.num_rows() as i64;
        Ok(())
    })?;
    PyTable::try_new(out, schema.clone())?.into_arro3(py)
}

fn prices_schema() -> SchemaRef {
    let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("liquidation_price", DataType::Float64, true),
        Field::new("bankruptcy_price", DataType::Float64, true),
        Field::new("tier", DataType::Int32, true),
        Field::new("reason", words, true),
    ]))
}

fn tranches_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("row", DataType::Int64, false),
        Field::new("tranche", DataType::Int32, false),
        Field::new("price", DataType::Float64, true),
        Field::new("size_base", DataType::Float64, false),
    ]))
}

/// The core's columns as Arrow arrays, without a copy.
fn prices_batch(solved: SolvedColumns) -> Result<RecordBatch> {
    let rows = solved.price.len();
    let bits = |words: Vec<u64>| BooleanBuffer::new(Buffer::from_vec(words), 0, rows);
    let priced = bits(solved.has_price);
    let reasons = Int8Array::new(solved.reason.into(), Some(NullBuffer::new(!&priced)));
    let words: ArrayRef = Arc::new(StringArray::from_iter_values(Reason::ALL.map(Reason::text)));
    let priced = NullBuffer::new(priced);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::new(solved.price.into(), Some(priced.clone()))),
        Arc::new(Float64Array::new(
            solved.bankruptcy.into(),
            Some(NullBuffer::new(bits(solved.has_bankruptcy))),
        )),
        Arc::new(Int32Array::new(solved.tier.into(), Some(priced))),
        Arc::new(DictionaryArray::<Int8Type>::new(reasons, words)),
    ];
    record_batch(prices_schema(), columns)
}

fn record_batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns)
        .map_err(|e| CoreError::column("result", e.to_string(), "columns that match the schema"))
}

/// `first` is the index of the batch's first row in the stream.
fn tranches_batch(catalog: &mut Catalog, batch: &RecordBatch, first: i64) -> Result<RecordBatch> {
    let positions = Positions::read(batch, catalog)?;
    let columns = positions.columns();
    let (mut rows, mut tranche_numbers, mut prices, mut sizes) = (vec![], vec![], vec![], vec![]);
    let mut code = [0];
    for (row, index) in (0..columns.len()).zip(first..) {
        positions.codes().fill(row, &mut code);
        let Ok(compiled) = catalog.rules.get(code[0]) else { continue };
        for (tranche, number) in tranches(compiled, &columns.position(row)).into_iter().zip(0..) {
            rows.push(index);
            tranche_numbers.push(number);
            prices.push((!tranche.price.is_nan()).then_some(tranche.price));
            sizes.push(tranche.size);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(rows)),
        Arc::new(Int32Array::from(tranche_numbers)),
        Arc::new(Float64Array::from(prices)),
        Arc::new(Float64Array::from(sizes)),
    ];
    record_batch(tranches_schema(), columns)
}
