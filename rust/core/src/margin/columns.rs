//! Positions as columns, and the rule code of each row.

use super::solve::Position;
use crate::error::{CoreError, Result};

/// Source of the rule code of each row, see [`super::CompiledRules::code`]; codes are computed on the thread that needs them.
pub trait RuleCodes: Sync {
    /// Write the codes of the rows from `first` on; `codes` sets their number.
    fn fill(&self, first: usize, codes: &mut [u32]);
}

impl RuleCodes for &[u32] {
    fn fill(&self, first: usize, codes: &mut [u32]) {
        codes.copy_from_slice(&self[first..first + codes.len()]);
    }
}

/// Positions as columns of equal length. A missing column, like NaN in a row, means "not given". The fields are those
/// of [`Position`].
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Columns<'a> {
    pub size: &'a [f64],
    pub entry: &'a [f64],
    pub mark: Option<&'a [f64]>,
    pub leverage: Option<&'a [f64]>,
    pub margin: Option<&'a [f64]>,
    pub maintenance: Option<&'a [f64]>,
    pub fee: Option<&'a [f64]>,
    pub borrow: Option<&'a [f64]>,
    pub hedge_size: Option<&'a [f64]>,
    pub hedge_entry: Option<&'a [f64]>,
}

/// Names of the columns in Arrow tables, in the order of the fields of [`Position`].
pub const COLUMN_NAMES: [&str; 10] = [
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

impl<'a> Columns<'a> {
    /// The columns in the order of the fields of [`Position`].
    pub(super) fn numbers(&self) -> [Option<&'a [f64]>; 10] {
        [
            Some(self.size),
            Some(self.entry),
            self.mark,
            self.leverage,
            self.margin,
            self.maintenance,
            self.fee,
            self.borrow,
            self.hedge_size,
            self.hedge_entry,
        ]
    }

    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.size.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.size.is_empty()
    }

    /// Whether a column is present that only account data have.
    pub(super) fn of_accounts(&self) -> bool {
        let [_, _, mark, _, _, rest @ ..] = self.numbers();
        mark.is_some() || rest.iter().any(Option::is_some)
    }

    pub(super) fn check(&self) -> Result<()> {
        let rows = self.size.len();
        for (name, column) in COLUMN_NAMES.into_iter().zip(self.numbers()) {
            let len = column.map_or(rows, <[f64]>::len);
            if len != rows {
                return Err(CoreError::shape(
                    name,
                    format!("{len} rows"),
                    format!("{rows} rows, as in every column"),
                ));
            }
        }
        Ok(())
    }

    /// The position in one row.
    #[must_use]
    pub fn position(&self, row: usize) -> Position {
        let [size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry] =
            self.numbers().map(|column| column.map_or(f64::NAN, |values| values[row]));
        Position { size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry }
    }
}
