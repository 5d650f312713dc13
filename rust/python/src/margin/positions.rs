//! One batch of positions: labels as rule codes, numbers in their Arrow buffers.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use liqmap_core::margin::{COLUMN_NAMES, Columns, Mode, Reason, RuleCodes, Side};
use liqmap_core::{CoreError, Result};

use super::tables::{Catalog, column, instants, numbers};
use crate::dictionary_codes::{DictionaryCodes, DictionaryColumn};

const TABLE: &str = "positions";

/// With more combinations of instrument, side and mode than this, codes are looked up row by row.
const KINDS: usize = 1 << 20;

/// A batch as input of the core.
pub struct Positions {
    rules: RowRules,
    numbers: [Option<NumericColumn>; 10],
}

/// A numeric column: the Arrow buffer itself, or a copy with NaN for nulls.
enum NumericColumn {
    Shared(ArrayRef),
    Own(Vec<f64>),
}

impl NumericColumn {
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
        let mut found = [const { None }; 10];
        for (slot, name) in found.iter_mut().zip(COLUMN_NAMES) {
            *slot = batch.column_by_name(name).map(|column| given(name, column)).transpose()?;
        }
        Ok(Self { rules: RowRules::read(batch, catalog)?, numbers: found })
    }

    /// The rule code of each row.
    pub fn codes(&self) -> &impl RuleCodes {
        &self.rules
    }

    /// The numeric columns.
    pub fn columns(&self) -> Columns<'_> {
        let [size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry] =
            self.numbers.each_ref().map(|slot| slot.as_ref().map(NumericColumn::as_slice));
        let (size, entry) = (size.unwrap_or_default(), entry.unwrap_or_default());
        Columns { size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry }
    }
}

fn given(name: &str, column: &ArrayRef) -> Result<NumericColumn> {
    let column = numbers(TABLE, name, column)?;
    if column.null_count() == 0 {
        return Ok(NumericColumn::Shared(column));
    }
    let values = column.as_primitive::<Float64Type>();
    Ok(NumericColumn::Own(values.iter().map(|v| v.unwrap_or(f64::NAN)).collect()))
}

/// The rule code of each row.
enum RowRules {
    /// Instrument, side and mode enumerate the combinations, whose codes are computed beforehand.
    Kinds {
        names: DictionaryColumn,
        sides: DictionaryColumn,
        modes: Option<DictionaryColumn>,
        rules: Vec<u32>,
    },
    /// Codes of all rows, looked up one by one: with a time column, or with very many combinations.
    Rows(Vec<u32>),
}

impl RuleCodes for RowRules {
    fn fill(&self, first: usize, codes: &mut [u32]) {
        match self {
            Self::Rows(rules) => codes.copy_from_slice(&rules[first..first + codes.len()]),
            Self::Kinds { names, sides, modes, rules } => {
                let modes = modes.as_ref();
                let mode_kinds = modes.map_or(1, |modes| modes.words.len() as u32 + 1);
                let side_kinds = sides.words.len() as u32 + 1;
                codes.fill(0);
                names.codes.add_to(first, side_kinds * mode_kinds, codes);
                sides.codes.add_to(first, mode_kinds, codes);
                if let Some(modes) = modes {
                    modes.codes.add_to(first, 1, codes);
                }
                for code in codes {
                    *code = rules[*code as usize];
                }
            }
        }
    }
}

impl RowRules {
    fn read(batch: &RecordBatch, catalog: &mut Catalog) -> Result<Self> {
        let names = DictionaryColumn::read("positions, instrument", column(TABLE, batch, "instrument")?)?;
        let sides = sides(column(TABLE, batch, "side")?)?;
        let modes = batch.column_by_name("margin_mode");
        let modes = modes.map(|c| DictionaryColumn::read("positions, margin_mode", c)).transpose()?;
        let at = batch.column_by_name("ts").map(|c| instants(TABLE, "ts", c)).transpose()?;

        let contracts: Vec<usize> = names.words.iter().map(|name| catalog.contract(name)).collect();
        let rules = &catalog.rules;
        // Nulls have the code after the last word, for which there is no side.
        let side_of: Vec<_> = sides.words.iter().map(|w| side(w)).chain([None]).collect();
        let mode_of: Vec<_> = modes.as_ref().map_or_else(
            || vec![Some(Mode::Isolated)],
            |modes| modes.words.iter().map(|w| mode(w)).chain([None]).collect(),
        );
        let code = |name: usize, side: usize, mode: usize, at: Option<i64>| match (
            contracts.get(name),
            side_of[side],
            mode_of[mode],
        ) {
            (None, ..) => Reason::Venue as u32,
            (_, None, _) => Reason::Side as u32,
            (_, _, None) => Reason::Mode as u32,
            (Some(&contract), Some(side), Some(mode)) => rules.code(contract, side, mode, at),
        };
        let few = names.words.len().saturating_mul(side_of.len()).saturating_mul(mode_of.len()) < KINDS;
        if at.is_some() || !few {
            let at = at.as_ref().map(AsArray::as_primitive::<Int64Type>);
            let kind = |dictionary: &DictionaryColumn, row: usize| dictionary.codes.at(row) as usize;
            let row_code = |row: usize| {
                let mode = modes.as_ref().map_or(0, |modes| kind(modes, row));
                let at = at.filter(|at| at.is_valid(row)).map(|at| at.value(row));
                code(kind(&names, row), kind(&sides, row), mode, at)
            };
            return Ok(Self::Rows((0..batch.num_rows()).map(row_code).collect()));
        }
        let mut kinds = Vec::with_capacity((names.words.len() + 1) * side_of.len() * mode_of.len());
        for name in 0..=names.words.len() {
            for side in 0..side_of.len() {
                kinds.extend((0..mode_of.len()).map(|mode| code(name, side, mode, None)));
            }
        }
        Ok(Self::Kinds { names, sides, modes, rules: kinds })
    }
}

fn mode(word: &str) -> Option<Mode> {
    match word {
        "isolated" => Some(Mode::Isolated),
        "cross" => Some(Mode::Cross),
        _ => None,
    }
}

fn side(word: &str) -> Option<Side> {
    match word {
        "long" => Some(Side::Long),
        "short" => Some(Side::Short),
        _ => None,
    }
}

/// A side column: the words `long` and `short`, or the signs 1 and −1, which are converted to these words.
fn sides(column: &ArrayRef) -> Result<DictionaryColumn> {
    if !column.data_type().is_integer() {
        return DictionaryColumn::read("positions, side", column);
    }
    let signs = cast(column, &DataType::Int64)
        .map_err(|e| CoreError::column("positions, side", e.to_string(), "1 / -1 or long / short"))?;
    let code = |sign: Option<i64>| match sign {
        Some(1) => 0,
        Some(-1) => 1,
        _ => 2,
    };
    let codes: ScalarBuffer<u8> = signs.as_primitive::<Int64Type>().iter().map(code).collect();
    Ok(DictionaryColumn {
        words: vec!["long".to_owned(), "short".to_owned()],
        codes: DictionaryCodes::Narrow(codes),
    })
}
