//! Tier tables and instruments, read from small Arrow streams into compiled rules.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use liqmap_core::margin::{CompiledRules, Contract, Payoff, Tier, Tiers, venue};
use liqmap_core::{CoreError, Result};

use crate::dictionary_codes::DictionaryColumn;

/// The tiers of each instrument, by the time from which they are valid.
pub type TierRows = HashMap<(String, i64), Vec<Tier>>;

/// The compiled rules of all instruments used so far, by instrument name.
#[derive(Default)]
pub struct Catalog {
    pub rules: CompiledRules,
    known: HashMap<String, usize>,
    tables: HashMap<String, Vec<(i64, Tiers)>>,
    facts: HashMap<String, (Payoff, f64)>,
}

impl Catalog {
    /// Add the tiers of all instruments.
    pub fn add_tiers(&mut self, rows: TierRows) -> Result<()> {
        for ((name, from), rows) in rows {
            let checked = Tiers::new(&format!("tiers, {name}"), rows)?;
            self.tables.entry(name).or_default().push((from, checked));
        }
        Ok(())
    }

    /// Read a batch with the columns of `instruments`.
    pub fn read_instruments(&mut self, batch: &RecordBatch) -> Result<()> {
        read_instruments(batch, &mut self.facts)
    }

    /// The contract of an instrument name; an unknown one gets codes that state why there is no price.
    pub fn contract(&mut self, name: &str) -> usize {
        if let Some(&index) = self.known.get(name) {
            return index;
        }
        let (before, symbol) = name.split_once(':').unwrap_or(("", name));
        let venue = venue(before);
        let spelled = venue.map_or(Payoff::Linear, |venue| (venue.payoff_of)(symbol));
        let (payoff, tick) = self.facts.get(name).copied().unwrap_or((spelled, 0.0));
        let tables = self.tables.remove(name).unwrap_or_default();
        let index = self.rules.add(&Contract { venue, payoff, tick, tables });
        self.known.insert(name.to_owned(), index);
        index
    }
}

/// A column, or an error that names it and the columns present.
pub fn column<'a>(table: &str, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| {
        let schema = batch.schema();
        let found: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        CoreError::column(
            format!("{table}, {name}"),
            format!("columns {}", found.join(", ")),
            "a column of this name",
        )
    })
}

/// A numeric column as float64, with the same buffer if it has that type.
pub fn numbers(table: &str, name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    let kind = column.data_type();
    if *kind == DataType::Float64 {
        return Ok(column.clone());
    }
    if !kind.is_numeric() && *kind != DataType::Null {
        return Err(CoreError::column(
            format!("{table}, {name}"),
            format!("type {kind}"),
            "a numeric column",
        ));
    }
    cast(column, &DataType::Float64)
        .map_err(|e| CoreError::column(format!("{table}, {name}"), e.to_string(), "a numeric column"))
}

/// A time column as UTC microseconds; integers are taken as microseconds.
pub fn instants(table: &str, name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    let wrong = |found: String| {
        CoreError::column(format!("{table}, {name}"), found, "UTC microseconds as integers, or timestamps")
    };
    let wide = match column.data_type() {
        kind if kind.is_integer() || *kind == DataType::Null => column.clone(),
        kind if kind.is_temporal() => cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))
            .map_err(|e| wrong(e.to_string()))?,
        kind => return Err(wrong(format!("type {kind}"))),
    };
    cast(&wide, &DataType::Int64).map_err(|e| wrong(e.to_string()))
}

/// One number per row; NaN for nulls or if the column is missing.
fn optional(table: &str, batch: &RecordBatch, name: &str) -> Result<Vec<f64>> {
    batch.column_by_name(name).map_or_else(
        || Ok(vec![f64::NAN; batch.num_rows()]),
        |column| {
            let column = numbers(table, name, column)?;
            Ok(column.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
        },
    )
}

/// Read a batch with the columns of `margin_tiers`.
pub fn read_tiers(batch: &RecordBatch, rows: &mut TierRows) -> Result<()> {
    let table = "tiers";
    let names = DictionaryColumn::read("tiers, instrument", column(table, batch, "instrument")?)?;
    let required = |name| column(table, batch, name).and_then(|_| optional(table, batch, name));
    let (floors, rates) = (required("notional_floor")?, required("mmr")?);
    let [number, cap, leverage, deduction] =
        ["tier", "notional_cap", "max_leverage", "deduction"].map(|name| optional(table, batch, name));
    let (number, cap, leverage, deduction) = (number?, cap?, leverage?, deduction?);
    let since = batch.column_by_name("valid_from").map(|c| instants(table, "valid_from", c)).transpose()?;
    for (row, code) in names.codes.iter().enumerate() {
        let Some(name) = names.words.get(code as usize) else {
            return Err(CoreError::column("tiers, instrument", "null", "venue:SYMBOL"));
        };
        let from = since.as_ref().map(AsArray::as_primitive::<Int64Type>);
        let from = from.filter(|c| c.is_valid(row)).map_or(i64::MIN, |c| c.value(row));
        let or = |value: f64, otherwise: f64| if value.is_nan() { otherwise } else { value };
        let table = rows.entry((name.clone(), from)).or_default();
        table.push(Tier {
            number: or(number[row], table.len() as f64 + 1.0) as i32,
            floor: floors[row],
            cap: or(cap[row], f64::INFINITY),
            max_leverage: or(leverage[row], f64::INFINITY),
            mmr: rates[row],
            deduction: deduction[row],
        });
    }
    Ok(())
}

fn read_instruments(batch: &RecordBatch, facts: &mut HashMap<String, (Payoff, f64)>) -> Result<()> {
    let table = "instruments";
    let names = DictionaryColumn::read("instruments, instrument", column(table, batch, "instrument")?)?;
    let payoffs = DictionaryColumn::read("instruments, payoff", column(table, batch, "payoff")?)?;
    let ticks = optional(table, batch, "tick_size")?;
    for (row, (name, payoff)) in names.codes.iter().zip(payoffs.codes.iter()).enumerate() {
        let word = |dictionary: &DictionaryColumn, code: u32| {
            dictionary.words.get(code as usize).cloned().unwrap_or_default()
        };
        let payoff = match word(&payoffs, payoff).as_str() {
            "linear" => Payoff::Linear,
            "inverse" => Payoff::Inverse,
            other => {
                return Err(CoreError::column(
                    "instruments, payoff",
                    format!("{other:?}"),
                    "linear or inverse",
                ));
            }
        };
        facts.insert(word(&names, name), (payoff, if ticks[row] > 0.0 { ticks[row] } else { 0.0 }));
    }
    Ok(())
}
