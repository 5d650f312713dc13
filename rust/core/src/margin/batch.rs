//! Many positions at once: columns in, columns out, on as many threads as pay.

use rayon::prelude::*;

use super::compiled_rules::Plans;
use super::reason::Reason;
use super::row_sorter::{Desk, SORTED, gather};
use super::solve::Position;
use crate::error::{CoreError, Result};
use crate::simd::{Work, widest};

/// Rows that one task takes; a multiple of 64, so that no two tasks share a word of validity bits.
const TASK: usize = 1 << 14;

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
    pub(super) fn of_accounts(&self) -> bool {
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
    let shared = Shared { plans, codes, columns };
    if rows < THREADS_FROM {
        let mut desk = Desk::new(plans, columns);
        out.parts().for_each(|part| widest(Task { desk: &mut desk, part, shared }));
    } else {
        let parts: Vec<_> = out.parts().collect();
        parts
            .into_par_iter()
            .for_each_init(|| Desk::new(plans, columns), |desk, part| widest(Task { desk, part, shared }));
    }
    Ok(out)
}

/// The slices of the result that one task fills.
struct Part<'a> {
    first: usize,
    price: &'a mut [f64],
    bankruptcy: &'a mut [f64],
    tier: &'a mut [i32],
    reason: &'a mut [i8],
    has_price: &'a mut [u64],
    has_bankruptcy: &'a mut [u64],
}

impl Solved {
    fn parts(&mut self) -> impl Iterator<Item = Part<'_>> {
        let numbers = self.price.chunks_mut(TASK).zip(self.bankruptcy.chunks_mut(TASK));
        let codes = self.tier.chunks_mut(TASK).zip(self.reason.chunks_mut(TASK));
        let bits = self.has_price.chunks_mut(TASK / 64).zip(self.has_bankruptcy.chunks_mut(TASK / 64));
        (0..).step_by(TASK).zip(numbers.zip(codes).zip(bits)).map(
            |(first, (((price, bankruptcy), (tier, reason)), (has_price, has_bankruptcy)))| Part {
                first,
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

/// What all tasks look at.
struct Shared<'a, C> {
    plans: &'a Plans,
    codes: &'a C,
    columns: &'a Columns<'a>,
}

impl<C> Clone for Shared<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Shared<'_, C> {}

/// One task: its part of the result, and a desk to work at.
struct Task<'a, C> {
    desk: &'a mut Desk,
    part: Part<'a>,
    shared: Shared<'a, C>,
}

impl<C: Codes> Work for Task<'_, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Self { desk, part, shared: Shared { plans, codes, columns } } = self;
        let rows = part.price.len();
        for from in (0..rows).step_by(SORTED) {
            let to = (from + SORTED).min(rows);
            let here = part.first + from..part.first + to;
            desk.sort(codes, here.clone());
            desk.take(columns, here);
            desk.solve(plans);
            gather(&desk.price, &desk.places, &mut part.price[from..to]);
            gather(&desk.bankruptcy, &desk.places, &mut part.bankruptcy[from..to]);
            gather(&desk.tier, &desk.places, &mut part.tier[from..to]);
            gather(&desk.reason, &desk.places, &mut part.reason[from..to]);
        }
        mark(part.has_price, part.reason, |&reason| reason == Reason::None as i8);
        mark(part.has_bankruptcy, part.bankruptcy, |price| !price.is_nan());
    }
}

/// Set bit `i` where value `i` passes.
#[inline(always)]
fn mark<T>(words: &mut [u64], values: &[T], passes: impl Fn(&T) -> bool) {
    for (word, values) in words.iter_mut().zip(values.chunks(64)) {
        let mut flags = [0_u8; 64];
        for (flag, value) in flags.iter_mut().zip(values) {
            *flag = u8::from(passes(value));
        }
        *word = 0;
        for (i, flags) in flags.as_chunks::<8>().0.iter().enumerate() {
            // Eight bytes of 0 or 1 into the eight bits of the highest byte.
            let bits = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *word |= bits << (8 * i);
        }
    }
}
