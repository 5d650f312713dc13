//! Liquidation prices of many positions: columns in, columns out, on several threads if there are enough rows.

use rayon::prelude::*;

use super::columns::{Columns, RuleCodes};
use super::compiled_rules::CompiledRules;
use super::reason::Reason;
use super::row_sorter::{RowSorter, SORTED, gather};
use crate::error::Result;
use crate::simd::{Kernel, run_widest};

/// Rows per task; a multiple of 64, so that no two tasks share a word of validity bits.
const TASK: usize = 1 << 14;

/// With fewer rows the calling thread does all the work.
const THREADS_FROM: usize = 4 * TASK;

/// Results as columns; row `i` belongs to position `i`.
#[derive(Debug, Clone, PartialEq)]
pub struct SolvedColumns {
    /// Liquidation price in quote currency; NaN if there is none.
    pub price: Vec<f64>,
    /// Bankruptcy price in quote currency; NaN if there is none.
    pub bankruptcy: Vec<f64>,
    /// The venue's number of the tier at the liquidation price; 0 if there is none.
    pub tier: Vec<i32>,
    /// Codes of [`Reason`].
    pub reason: Vec<i8>,
    /// Validity bits, lowest first: whether row `i` has a liquidation price.
    pub has_price: Vec<u64>,
    /// Validity bits, lowest first: whether row `i` has a bankruptcy price.
    pub has_bankruptcy: Vec<u64>,
}

/// Liquidation and bankruptcy prices of all positions, independent of the number of threads.
///
/// # Errors
/// Columns of different lengths.
pub fn liquidation_prices(
    rules: &CompiledRules,
    codes: &impl RuleCodes,
    columns: &Columns<'_>,
) -> Result<SolvedColumns> {
    columns.check()?;
    let rows = columns.len();
    let words = rows.div_ceil(64);
    let mut out = SolvedColumns {
        price: vec![0.0; rows],
        bankruptcy: vec![0.0; rows],
        tier: vec![0; rows],
        reason: vec![0; rows],
        has_price: vec![0; words],
        has_bankruptcy: vec![0; words],
    };
    let shared = Inputs { rules, codes, columns };
    if rows < THREADS_FROM {
        let mut sorter = RowSorter::new(rules, columns);
        out.slices().for_each(|out| run_widest(Task { sorter: &mut sorter, out, shared }));
    } else {
        let slices: Vec<_> = out.slices().collect();
        slices.into_par_iter().for_each_init(
            || RowSorter::new(rules, columns),
            |sorter, out| run_widest(Task { sorter, out, shared }),
        );
    }
    Ok(out)
}

/// The part of the result that one task writes.
struct OutputSlices<'a> {
    first: usize,
    price: &'a mut [f64],
    bankruptcy: &'a mut [f64],
    tier: &'a mut [i32],
    reason: &'a mut [i8],
    has_price: &'a mut [u64],
    has_bankruptcy: &'a mut [u64],
}

impl SolvedColumns {
    fn slices(&mut self) -> impl Iterator<Item = OutputSlices<'_>> {
        let numbers = self.price.chunks_mut(TASK).zip(self.bankruptcy.chunks_mut(TASK));
        let codes = self.tier.chunks_mut(TASK).zip(self.reason.chunks_mut(TASK));
        let bits = self.has_price.chunks_mut(TASK / 64).zip(self.has_bankruptcy.chunks_mut(TASK / 64));
        (0..).step_by(TASK).zip(numbers.zip(codes).zip(bits)).map(
            |(first, (((price, bankruptcy), (tier, reason)), (has_price, has_bankruptcy)))| OutputSlices {
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

/// Inputs shared by all tasks.
struct Inputs<'a, C> {
    rules: &'a CompiledRules,
    codes: &'a C,
    columns: &'a Columns<'a>,
}

impl<C> Clone for Inputs<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Inputs<'_, C> {}

/// One task: its part of the result, and a row sorter to work with.
struct Task<'a, C> {
    sorter: &'a mut RowSorter,
    out: OutputSlices<'a>,
    shared: Inputs<'a, C>,
}

impl<C: RuleCodes> Kernel for Task<'_, C> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Self { sorter, out, shared: Inputs { rules, codes, columns } } = self;
        let rows = out.price.len();
        for from in (0..rows).step_by(SORTED) {
            let to = (from + SORTED).min(rows);
            let here = out.first + from..out.first + to;
            sorter.assign_slots(codes, here.clone());
            sorter.scatter(columns, here);
            sorter.solve(rules);
            gather(&sorter.price, &sorter.slots, &mut out.price[from..to]);
            gather(&sorter.bankruptcy, &sorter.slots, &mut out.bankruptcy[from..to]);
            gather(&sorter.tier, &sorter.slots, &mut out.tier[from..to]);
            gather(&sorter.reason, &sorter.slots, &mut out.reason[from..to]);
        }
        set_bits(out.has_price, out.reason, |&reason| reason == Reason::None as i8);
        set_bits(out.has_bankruptcy, out.bankruptcy, |price| !price.is_nan());
    }
}

/// Set bit `i` if value `i` passes the test.
#[inline(always)]
fn set_bits<T>(words: &mut [u64], values: &[T], passes: impl Fn(&T) -> bool) {
    for (word, values) in words.iter_mut().zip(values.chunks(64)) {
        let mut flags = [0_u8; 64];
        for (flag, value) in flags.iter_mut().zip(values) {
            *flag = u8::from(passes(value));
        }
        *word = 0;
        for (i, flags) in flags.as_chunks::<8>().0.iter().enumerate() {
            // The product gathers eight bytes of 0 or 1 into the bits of the highest byte.
            let bits = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *word |= bits << (8 * i);
        }
    }
}
