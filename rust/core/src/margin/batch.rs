//! Many positions at once: columns in, columns out, on as many threads as pay.

use rayon::prelude::*;

use super::block::{Block, LANES};
use super::plans::Plans;
use super::reason::Reason;
use super::solve::Position;
use crate::error::{CoreError, Result};

/// Rows that one task takes; a multiple of 64, so that no two tasks share a word of validity bits.
const TASK: usize = 1 << 14;

/// Rows that are sorted by plan at a time: few enough that a processor's nearest cache holds them.
const SORTED: usize = 1 << 11;

/// Fewer rows than this are done on the calling thread.
const THREADS_FROM: usize = 4 * TASK;

/// Where the plan of each row comes from: codes of [`Plans::code`], made when they are needed, on the thread that
/// needs them.
pub trait Codes: Sync {
    /// The codes of the rows from `first` on, as many as fit.
    fn fill(&self, first: usize, codes: &mut [u32]);
}

impl Codes for &[u32] {
    fn fill(&self, first: usize, codes: &mut [u32]) {
        codes.copy_from_slice(&self[first..first + codes.len()]);
    }
}

/// Positions as columns of one length; a column left out, like NaN in a row, stands for "not given". The fields are
/// those of [`Position`].
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
    pub other_size: Option<&'a [f64]>,
    pub other_entry: Option<&'a [f64]>,
}

/// The columns' names outside, in the order of the fields of [`Position`].
pub const NAMES: [&str; 10] = [
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

impl Columns<'_> {
    /// The columns in the order of the fields of [`Position`].
    pub(super) fn numbers(&self) -> [Option<&[f64]>; 10] {
        [
            Some(self.size),
            Some(self.entry),
            self.mark,
            self.leverage,
            self.margin,
            self.maintenance,
            self.fee,
            self.borrow,
            self.other_size,
            self.other_entry,
        ]
    }

    /// How many rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.size.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.size.is_empty()
    }

    /// Whether any column is there that only positions of accounts have.
    fn of_accounts(&self) -> bool {
        let [_, _, mark, _, _, rest @ ..] = self.numbers();
        mark.is_some() || rest.iter().any(Option::is_some)
    }

    fn check(&self) -> Result<()> {
        let rows = self.size.len();
        for (name, column) in NAMES.into_iter().zip(self.numbers()) {
            let len = column.map_or(rows, <[f64]>::len);
            if len != rows {
                return Err(CoreError::new(
                    name,
                    format!("{len} rows"),
                    format!("{rows} rows, as in every column"),
                ));
            }
        }
        Ok(())
    }

    /// One row.
    #[must_use]
    pub fn position(&self, row: usize) -> Position {
        let [size, entry, mark, leverage, margin, maintenance, fee, borrow, other_size, other_entry] =
            self.numbers().map(|column| column.map_or(f64::NAN, |values| values[row]));
        Position { size, entry, mark, leverage, margin, maintenance, fee, borrow, other_size, other_entry }
    }
}

/// Results as columns; row `i` is position `i`.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// Liquidation price; NaN where there is none.
    pub price: Vec<f64>,
    /// Bankruptcy price; NaN where there is none.
    pub bankruptcy: Vec<f64>,
    /// The venue's number of the tier that holds at the liquidation price; 0 where there is none.
    pub tier: Vec<i32>,
    /// Codes of [`Reason`].
    pub reason: Vec<i8>,
    /// Bit `i` (lowest first): there is a liquidation price.
    pub has_price: Vec<u64>,
    /// Bit `i`: there is a bankruptcy price.
    pub has_bankruptcy: Vec<u64>,
}

/// Liquidation and bankruptcy prices of all positions. The result does not depend on the number of threads.
///
/// # Errors
/// Columns of different lengths.
pub fn liquidation_prices(plans: &Plans, codes: &impl Codes, columns: &Columns<'_>) -> Result<Solved> {
    columns.check()?;
    let rows = columns.len();
    let words = rows.div_ceil(64);
    let mut out = Solved {
        price: vec![0.0; rows],
        bankruptcy: vec![0.0; rows],
        tier: vec![0; rows],
        reason: vec![0; rows],
        has_price: vec![0; words],
        has_bankruptcy: vec![0; words],
    };
    let task = if rows < THREADS_FROM { rows.next_multiple_of(64).max(64) } else { TASK };
    let work = |(t, part): (usize, Part<'_>)| part.fill(plans, codes, columns, t * task);
    if rows < THREADS_FROM {
        out.parts(task).enumerate().for_each(work);
    } else {
        out.parts(task).enumerate().collect::<Vec<_>>().into_par_iter().for_each(work);
    }
    Ok(out)
}

/// The slices of the result that one task fills.
struct Part<'a> {
    price: &'a mut [f64],
    bankruptcy: &'a mut [f64],
    tier: &'a mut [i32],
    reason: &'a mut [i8],
    has_price: &'a mut [u64],
    has_bankruptcy: &'a mut [u64],
}

impl Solved {
    fn parts(&mut self, task: usize) -> impl Iterator<Item = Part<'_>> {
        let numbers = self.price.chunks_mut(task).zip(self.bankruptcy.chunks_mut(task));
        let codes = self.tier.chunks_mut(task).zip(self.reason.chunks_mut(task));
        let bits = self.has_price.chunks_mut(task / 64).zip(self.has_bankruptcy.chunks_mut(task / 64));
        numbers.zip(codes).zip(bits).map(
            |(((price, bankruptcy), (tier, reason)), (has_price, has_bankruptcy))| Part {
                price,
                bankruptcy,
                tier,
                reason,
                has_price,
                has_bankruptcy,
            },
        )
    }
}

impl Part<'_> {
    /// Rows are taken plan by plan, so that everything that depends on the rule stands still inside the loops.
    fn fill(self, plans: &Plans, codes: &impl Codes, columns: &Columns<'_>, first: usize) {
        let mut sorted = vec![0; SORTED];
        let mut block = Block::new();
        let rows = self.price.len();
        for from in (0..rows).step_by(SORTED) {
            let sorted = &mut sorted[..SORTED.min(rows - from)];
            codes.fill(first + from, sorted);
            let (order, ends) = by_plan(sorted, plans.len());
            let mut begin = 0;
            for (code, &end) in (0..).zip(&ends) {
                for rows in order[begin..end].chunks(LANES) {
                    match plans.get(code) {
                        Ok(plan) => {
                            block.load(columns, first + from, rows);
                            if columns.of_accounts() {
                                block.solve::<true>(plan);
                            } else {
                                block.solve::<false>(plan);
                            }
                        }
                        Err(reason) => block.refuse(rows.len(), reason),
                    }
                    for (i, &row) in rows.iter().enumerate() {
                        let row = from + row as usize;
                        self.price[row] = block.price[i];
                        self.bankruptcy[row] = block.bankruptcy[i];
                        self.tier[row] = block.tier[i];
                        self.reason[row] = block.reason[i];
                    }
                }
                begin = end;
            }
        }
        for (word, rows) in self.has_price.iter_mut().zip(self.reason.chunks(64)) {
            *word = rows
                .iter()
                .rev()
                .fold(0, |bits, &reason| bits << 1 | u64::from(reason == Reason::None as i8));
        }
        for (word, rows) in self.has_bankruptcy.iter_mut().zip(self.bankruptcy.chunks(64)) {
            *word = rows.iter().rev().fold(0, |bits, price| bits << 1 | u64::from(!price.is_nan()));
        }
    }
}

/// The rows in the order of their plans, and where each plan's rows end: a counting sort. Codes that no plan has come
/// last, under one more.
fn by_plan(codes: &[u32], plans: usize) -> (Vec<u32>, Vec<usize>) {
    let slot = |code: u32| (code as usize).min(plans);
    let mut ends = vec![0; plans + 1];
    for &code in codes {
        ends[slot(code)] += 1;
    }
    let mut before = 0;
    for end in &mut ends {
        before += std::mem::replace(end, before);
    }
    let mut order = vec![0; codes.len()];
    for (row, &code) in (0..).zip(codes) {
        let at = &mut ends[slot(code)];
        order[*at] = row;
        *at += 1;
    }
    (order, ends)
}
