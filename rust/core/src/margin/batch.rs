//! Many positions at once: columns in, columns out, on as many threads as pay.

use rayon::prelude::*;

use super::plans::Plans;
use super::reason::Reason;
use super::solve::Position;
use crate::error::{CoreError, Result};

/// Rows that one task takes; a multiple of 64, so that no two tasks share a word of validity bits.
const TASK: usize = 1 << 14;

/// Fewer rows than this are done on the calling thread.
const THREADS_FROM: usize = 4 * TASK;

/// Positions as columns of one length; a column left out, like NaN in a row, stands for "not given". The fields are
/// those of [`Position`].
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Columns<'a> {
    /// Code of the plan, from [`Plans::code`].
    pub plan: &'a [u32],
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

impl Columns<'_> {
    fn optional(&self) -> [(&'static str, Option<&[f64]>); 8] {
        [
            ("mark_price", self.mark),
            ("leverage", self.leverage),
            ("margin", self.margin),
            ("maintenance", self.maintenance),
            ("fee_rate", self.fee),
            ("borrow_rate", self.borrow),
            ("hedge_size_base", self.other_size),
            ("hedge_entry_price", self.other_entry),
        ]
    }

    fn check(&self) -> Result<()> {
        let rows = self.plan.len();
        let given = self.optional().into_iter().filter_map(|(name, column)| Some((name, column?.len())));
        for (name, len) in
            [("size_base", self.size.len()), ("entry_price", self.entry.len())].into_iter().chain(given)
        {
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
    #[inline]
    #[must_use]
    pub fn position(&self, i: usize) -> Position {
        let of = |column: Option<&[f64]>| column.map_or(f64::NAN, |values| values[i]);
        Position {
            size: self.size[i],
            entry: self.entry[i],
            mark: of(self.mark),
            leverage: of(self.leverage),
            margin: of(self.margin),
            maintenance: of(self.maintenance),
            fee: of(self.fee),
            borrow: of(self.borrow),
            other_size: of(self.other_size),
            other_entry: of(self.other_entry),
        }
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
pub fn liquidation_prices(plans: &Plans, columns: &Columns<'_>) -> Result<Solved> {
    columns.check()?;
    let rows = columns.plan.len();
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
    let work = |(t, part): (usize, Part<'_>)| part.fill(plans, columns, t * task);
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
    fn fill(self, plans: &Plans, columns: &Columns<'_>, first: usize) {
        for word in 0..self.has_price.len() {
            let (mut priced, mut bankrupt) = (0u64, 0u64);
            for bit in 0..(self.price.len() - 64 * word).min(64) {
                let i = 64 * word + bit;
                match plans.get(columns.plan[first + i]) {
                    Ok(plan) => {
                        let solved = plan.solve(&columns.position(first + i));
                        self.price[i] = solved.price;
                        self.bankruptcy[i] = solved.bankruptcy;
                        self.tier[i] = solved.tier;
                        self.reason[i] = solved.reason as i8;
                    }
                    Err(reason) => {
                        self.price[i] = f64::NAN;
                        self.bankruptcy[i] = f64::NAN;
                        self.reason[i] = reason as i8;
                    }
                }
                priced |= u64::from(self.reason[i] == Reason::None as i8) << bit;
                bankrupt |= u64::from(!self.bankruptcy[i].is_nan()) << bit;
            }
            self.has_price[word] = priced;
            self.has_bankruptcy[word] = bankrupt;
        }
    }
}
