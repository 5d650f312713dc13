//! One batch of positions: labels into plans, numbers where they lie.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::DataType;
use liqmap_core::margin::{Columns, Mode, Plans, Reason, Side};
use liqmap_core::{CoreError, Result};

use super::tables::{Catalog, column, instants, numbers};
use crate::labels::{Labels, NULL};

const TABLE: &str = "positions";

/// A batch ready for the core.
pub struct Positions {
    plan: Vec<u32>,
    numbers: [Option<Numbers>; 10],
}

/// A column of numbers: Arrow's own buffer, or a copy in which nulls are NaN.
enum Numbers {
    Shared(ArrayRef),
    Own(Vec<f64>),
}

impl Numbers {
    fn as_slice(&self) -> &[f64] {
        match self {
            Self::Shared(column) => column.as_primitive::<Float64Type>().values(),
            Self::Own(values) => values,
        }
    }
}

impl Positions {
    pub fn read(batch: &RecordBatch, catalog: &mut Catalog) -> Result<Self> {
        column(TABLE, batch, "size_base")?;
        column(TABLE, batch, "entry_price")?;
        let names = [
            "size_base",
            "entry_price",
            "mark_price",
            "leverage",
            "margin",
            "maintenance",
            "fee_rate",
            "borrow_rate",
            "hedge_size_base",
            "hedge_entry_price",
        ];
        let mut found = [const { None }; 10];
        for (slot, name) in found.iter_mut().zip(names) {
            *slot = batch.column_by_name(name).map(|column| given(name, column)).transpose()?;
        }
        Ok(Self { plan: plan_codes(batch, catalog)?, numbers: found })
    }

    pub fn columns(&self) -> Columns<'_> {
        let [size, entry, mark, leverage, margin, maintenance, fee, borrow, other_size, other_entry] =
            self.numbers.each_ref().map(|slot| slot.as_ref().map(Numbers::as_slice));
        Columns {
            plan: &self.plan,
            size: size.unwrap_or_default(),
            entry: entry.unwrap_or_default(),
            mark,
            leverage,
            margin,
            maintenance,
            fee,
            borrow,
            other_size,
            other_entry,
        }
    }
}

fn given(name: &str, column: &ArrayRef) -> Result<Numbers> {
    let column = numbers(TABLE, name, column)?;
    if column.null_count() == 0 {
        return Ok(Numbers::Shared(column));
    }
    let values = column.as_primitive::<Float64Type>();
    Ok(Numbers::Own(values.iter().map(|v| v.unwrap_or(f64::NAN)).collect()))
}

/// Per row the code of its plan.
fn plan_codes(batch: &RecordBatch, catalog: &mut Catalog) -> Result<Vec<u32>> {
    let names = Labels::read("positions, instrument", column(TABLE, batch, "instrument")?)?;
    let sides = Side3::read(column(TABLE, batch, "side")?)?;
    let modes = batch.column_by_name("margin_mode");
    let modes = modes.map(|c| Labels::read("positions, margin_mode", c)).transpose()?;
    let at = batch.column_by_name("ts").map(|c| instants(TABLE, "ts", c)).transpose()?;

    let contracts: Vec<usize> = names.words.iter().map(|name| catalog.contract(name)).collect();
    let mode_of = modes.as_ref().map_or_else(Vec::new, |modes| modes.words.iter().map(|w| mode(w)).collect());
    let mode_codes = modes.as_ref().map(|modes| modes.codes.as_slice());
    let plans = &catalog.plans;
    let kind = |row: usize| -> (u32, Option<Side>, Option<Mode>) {
        let mode = mode_codes
            .map_or(Some(Mode::Isolated), |codes| mode_of.get(codes[row] as usize).copied().flatten());
        (names.codes.as_slice()[row], sides.at(row), mode)
    };
    if let Some(at) = at {
        let at: &Int64Array = at.as_primitive::<Int64Type>();
        return Ok((0..batch.num_rows())
            .map(|row| {
                let (name, side, mode) = kind(row);
                code(plans, &contracts, name, side, mode, at.is_valid(row).then(|| at.value(row)))
            })
            .collect());
    }
    // Without instants there are few kinds of row: each is looked up once.
    let side_index = |side: Option<Side>| side.map_or(2, |side| usize::from(side == Side::Short));
    let mode_index = |mode: Option<Mode>| mode.map_or(2, |mode| usize::from(mode == Mode::Cross));
    let mut table = Vec::with_capacity(9 * contracts.len());
    for name in 0..contracts.len() as u32 {
        for side in [Some(Side::Long), Some(Side::Short), None] {
            for mode in [Some(Mode::Isolated), Some(Mode::Cross), None] {
                table.push(code(plans, &contracts, name, side, mode, None));
            }
        }
    }
    Ok((0..batch.num_rows())
        .map(|row| {
            let (name, side, mode) = kind(row);
            if name == NULL {
                return Reason::Venue as u32;
            }
            table[9 * name as usize + 3 * side_index(side) + mode_index(mode)]
        })
        .collect())
}

fn code(
    plans: &Plans,
    contracts: &[usize],
    name: u32,
    side: Option<Side>,
    mode: Option<Mode>,
    at: Option<i64>,
) -> u32 {
    match (contracts.get(name as usize), side, mode) {
        (None, ..) => Reason::Venue as u32,
        (_, None, _) => Reason::Side as u32,
        (_, _, None) => Reason::Mode as u32,
        (Some(&contract), Some(side), Some(mode)) => plans.code(contract, side, mode, at),
    }
}

fn mode(word: &str) -> Option<Mode> {
    match word {
        "isolated" => Some(Mode::Isolated),
        "cross" => Some(Mode::Cross),
        _ => None,
    }
}

/// A side column: the words `long` and `short`, or the signs 1 and −1.
enum Side3 {
    Words(Vec<Option<Side>>, Labels),
    Signs(Int64Array),
}

impl Side3 {
    fn read(column: &ArrayRef) -> Result<Self> {
        if column.data_type().is_integer() {
            let wide = arrow_cast::cast(column, &DataType::Int64)
                .map_err(|e| CoreError::new("positions, side", e.to_string(), "1 / -1 or long / short"))?;
            return Ok(Self::Signs(wide.as_primitive::<Int64Type>().clone()));
        }
        let labels = Labels::read("positions, side", column)?;
        let side = |word: &String| match word.as_str() {
            "long" => Some(Side::Long),
            "short" => Some(Side::Short),
            _ => None,
        };
        Ok(Self::Words(labels.words.iter().map(side).collect(), labels))
    }

    #[inline]
    fn at(&self, row: usize) -> Option<Side> {
        match self {
            Self::Words(sides, labels) => sides.get(labels.codes.as_slice()[row] as usize).copied().flatten(),
            Self::Signs(signs) => match signs.is_valid(row).then(|| signs.value(row)) {
                Some(1) => Some(Side::Long),
                Some(-1) => Some(Side::Short),
                _ => None,
            },
        }
    }
}
