//! Liquidation levels binned on a grid by side and leverage bracket. Sums are integers, so that partial histograms add
//! up exactly and in any order.
//!
//! ```
//! use liqmap_core::grid::Grid;
//! use liqmap_core::histogram::{Histogram, LevelColumns, UNITS_PER_NOTIONAL};
//!
//! let mut histogram = Histogram::empty(Grid::new(0.1, 980, 10, 4)?, 1);
//! histogram.fill(LevelColumns {
//!     price: &[99.0, 99.4, 101.0],
//!     notional: &[10.0, 5.0, 7.0],
//!     side: &[1, 1, -1],
//!     bracket: None,
//! })?;
//! let usd: Vec<f64> = histogram.cells().iter().map(|&units| units as f64 / UNITS_PER_NOTIONAL).collect();
//! assert_eq!(usd, [0.0, 15.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0]);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

use rayon::prelude::*;

use crate::error::{CoreError, Result};
use crate::grid::Grid;
use crate::simd::{Kernel, run_widest};

/// Units per unit of quote currency: one unit is 1e-4, so that sums are integers and independent of their order.
pub const UNITS_PER_NOTIONAL: f64 = 1e4;
/// Largest notional of a single level, in quote currency; larger values indicate a wrong price or unit.
pub const NOTIONAL_LIMIT: f64 = 1e12;
/// Largest total of a histogram, in units: below it no cell can overflow.
const TOTAL_LIMIT: i128 = 9_000_000_000_000_000_000;
/// Rows per task of a thread: small enough to balance the load.
const ROWS_PER_TASK: usize = 1 << 17;

/// Columns of levels of equal length; without `bracket`, all levels are in bracket 0.
#[derive(Debug, Clone, Copy)]
pub struct LevelColumns<'a> {
    /// Liquidation prices, in quote currency.
    pub price: &'a [f64],
    /// Notional closed at each price, in quote currency.
    pub notional: &'a [f64],
    /// Positive for longs, negative for shorts; 0 is rejected.
    pub side: &'a [i8],
    /// Leverage bracket, `0..brackets`.
    pub bracket: Option<&'a [u8]>,
}

/// Notional by side, bracket and bin, with the notional outside the grid and the number of rejected levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    grid: Grid,
    brackets: usize,
    /// `[side][bracket][bin]`, followed by [`EXTRA_CELLS`] more.
    cells: Vec<i64>,
    rows: u64,
    /// All accepted units, inside and outside the grid.
    total: i128,
}

impl Histogram {
    /// An empty histogram on a price grid: the identity of [`Self::merge`].
    #[must_use]
    pub fn empty(grid: Grid, brackets: usize) -> Self {
        let cells = vec![0; 2 * brackets * grid.bins() + EXTRA_CELLS];
        Self { grid, brackets, cells, rows: 0, total: 0 }
    }

    /// The price grid.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Units per cell, laid out `[side][bracket][bin]` with longs first.
    #[must_use]
    pub fn cells(&self) -> &[i64] {
        &self.cells[..self.cells.len() - EXTRA_CELLS]
    }

    /// The cells as an owned vector, in the layout of [`Self::cells`].
    #[must_use]
    pub fn into_cells(mut self) -> Vec<i64> {
        self.cells.truncate(self.cells.len() - EXTRA_CELLS);
        self.cells
    }

    /// Units outside the grid: `[long below, long above, short below, short above]`.
    #[must_use]
    pub fn outside(&self) -> [i64; 4] {
        std::array::from_fn(|i| self.cells[self.cells.len() - EXTRA_CELLS + i])
    }

    /// Number of rejected levels: price, notional, side or bracket not finite or out of range.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.cells[self.cells.len() - 1] as u64
    }

    /// Number of levels binned or counted as outside the grid.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.rows - self.rejected()
    }

    /// Add another histogram on the same grid; associative and commutative to the bit.
    ///
    /// # Errors
    /// The grids or the numbers of brackets differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.grid != other.grid {
            return Err(CoreError::incompatible("grid", other.grid.to_string(), self.grid.to_string()));
        }
        if self.brackets != other.brackets {
            return Err(CoreError::incompatible(
                "brackets",
                other.brackets.to_string(),
                self.brackets.to_string(),
            ));
        }
        self.cells.iter_mut().zip(&other.cells).for_each(|(a, b)| *a = a.wrapping_add(*b));
        self.rows += other.rows;
        self.total += other.total;
        Ok(())
    }

    /// All accepted units, inside and outside the grid.
    #[must_use]
    pub const fn total(&self) -> i128 {
        self.total
    }

    /// Bin the levels; large inputs are split over the threads of the current rayon pool.
    ///
    /// # Errors
    /// Columns of different lengths, or a total above 9e14 in quote currency; after an error the histogram must be
    /// discarded.
    pub fn fill(&mut self, levels: LevelColumns<'_>) -> Result<()> {
        let n = levels.price.len();
        let lengths = [levels.notional.len(), levels.side.len(), levels.bracket.map_or(n, <[u8]>::len)];
        if lengths.iter().any(|&m| m != n) {
            return Err(CoreError::shape(
                "levels",
                format!("columns of {n} and {lengths:?} rows"),
                "columns of equal length",
            ));
        }
        if n < 2 * ROWS_PER_TASK || rayon::current_num_threads() < 2 {
            self.fill_serial(levels);
            return self.check_total();
        }
        let empty = || Self::empty(self.grid, self.brackets);
        let add = |mut part: Self, piece: usize| {
            part.fill_serial(levels.slice(piece * ROWS_PER_TASK, n.min((piece + 1) * ROWS_PER_TASK)));
            part
        };
        let parts: Vec<Self> = (0..n.div_ceil(ROWS_PER_TASK)).into_par_iter().fold(empty, add).collect();
        parts.iter().try_for_each(|part| {
            part.check_total()?;
            self.merge(part)
        })?;
        self.check_total()
    }

    fn check_total(&self) -> Result<()> {
        if self.total <= TOTAL_LIMIT {
            return Ok(());
        }
        let found = format!("a total of {:e}", self.total as f64 / UNITS_PER_NOTIONAL);
        let expected = format!("at most {:e}", TOTAL_LIMIT as f64 / UNITS_PER_NOTIONAL);
        Err(CoreError::limit("notional", found, expected))
    }

    fn fill_serial(&mut self, levels: LevelColumns<'_>) {
        run_widest(Fill { locator: BinLocator::new(&self.grid, self.brackets), levels, into: self });
    }
}

/// Rows located at a time: their cells and units stay in the first-level cache, and their sum cannot overflow an `i64`.
const CHUNK: usize = 256;
/// Cells after those of the map: notional outside (long below, long above, short below, short above), then the number
/// of rejected levels.
const EXTRA_CELLS: usize = 5;

struct Fill<'a> {
    locator: BinLocator,
    levels: LevelColumns<'a>,
    into: &'a mut Histogram,
}

impl Kernel for Fill<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Self { locator, levels, into } = self;
        let mut targets = RowTargets { cell: [0; CHUNK], units: [0; CHUNK] };
        let n = levels.price.len();
        for from in (0..n).step_by(CHUNK) {
            let part = levels.slice(from, (from + CHUNK).min(n));
            let rows = part.price.len();
            // Two loops: the first has no branch or store that depends on data, so that it vectorises; the second only
            // adds.
            match part.bracket {
                None => locator.locate_rows(part, &[0; CHUNK][..rows], &mut targets),
                Some(brackets) => locator.locate_rows(part, brackets, &mut targets),
            }
            let rejected_before = into.rejected();
            let mut sum = 0;
            for (&cell, &units) in targets.cell.iter().zip(&targets.units).take(rows) {
                let cell = &mut into.cells[cell as usize];
                // A sum that wraps is detected by the total, which is checked before any cell is returned.
                *cell = cell.wrapping_add(units);
                sum += units;
            }
            into.total += i128::from(sum) - i128::from(into.rejected() - rejected_before);
            into.rows += rows as u64;
        }
    }
}

/// The cell and the units of each row.
struct RowTargets {
    cell: [u64; CHUNK],
    units: [i64; CHUNK],
}

/// The grid as the floating-point numbers that the loop needs; all are whole numbers, so that the arithmetic of a row
/// stays in lanes of one width.
struct BinLocator {
    ticks_per_unit: f64,
    low: f64,
    span: f64,
    bins_per_tick: f64,
    bins: f64,
    brackets: f64,
}

impl BinLocator {
    fn new(grid: &Grid, brackets: usize) -> Self {
        let (ticks_per_unit, low, span, bins_per_tick) = grid.scale();
        Self { ticks_per_unit, low, span, bins_per_tick, bins: grid.bins() as f64, brackets: brackets as f64 }
    }

    #[inline(always)]
    #[expect(
        clippy::needless_bitwise_bool,
        clippy::manual_range_contains,
        reason = "the loop must not branch on data"
    )]
    fn locate_rows(&self, levels: LevelColumns<'_>, brackets: &[u8], targets: &mut RowTargets) {
        let first_extra = 2.0 * self.brackets * self.bins;
        let rows = levels.price.iter().zip(levels.notional).zip(levels.side).zip(brackets);
        let targets = targets.cell.iter_mut().zip(&mut targets.units);
        for ((((&price, &notional), &side), &bracket), (cell, units)) in rows.zip(targets) {
            let (side, bracket) = (f64::from(side), f64::from(bracket));
            // NaN fails every comparison, so that it is rejected here and never reaches an index.
            let is_valid = (price > 0.0)
                & (price < f64::INFINITY)
                & (notional >= 0.0)
                & (notional <= NOTIONAL_LIMIT)
                & (side != 0.0)
                & (bracket < self.brackets);
            let offset = price * self.ticks_per_unit + 0.5 - self.low;
            let inside = (offset >= 0.0) & (offset < self.span);
            // Half a tick inside the bin: the product is never close enough to an edge to be rounded across it.
            let bin = ((offset.floor() + 0.5) * self.bins_per_tick).floor();
            let short = if side < 0.0 { 1.0 } else { 0.0 };
            let within = (short * self.brackets + bracket) * self.bins + bin;
            let outside = first_extra + 2.0 * short + if offset >= 0.0 { 1.0 } else { 0.0 };
            let target = if inside { within } else { outside };
            let whole = (notional * UNITS_PER_NOTIONAL + 0.5).floor();
            *cell = to_u52(if is_valid { target } else { first_extra + 4.0 });
            *units = to_i63(if is_valid { whole } else { 1.0 });
        }
    }
}

/// 2⁵²: added to a smaller whole number, the sum holds that number in the low bits of its mantissa.
const INTEGER_BIAS: f64 = 4_503_599_627_370_496.0;

/// A whole number from 0 to 2⁵² as an integer, in operations that every vector instruction set has.
#[inline(always)]
fn to_u52(whole: f64) -> u64 {
    (whole + INTEGER_BIAS).to_bits() ^ INTEGER_BIAS.to_bits()
}

/// A whole number from 0 to 2⁶³ as an integer, converted in two halves of 32 bits.
#[inline(always)]
fn to_i63(whole: f64) -> i64 {
    const HALF: f64 = 4_294_967_296.0;
    let high = (whole * (1.0 / HALF)).floor();
    ((to_u52(high) << 32) + to_u52(whole - high * HALF)) as i64
}

impl<'a> LevelColumns<'a> {
    fn slice(self, from: usize, to: usize) -> Self {
        Self {
            price: &self.price[from..to],
            notional: &self.notional[from..to],
            side: &self.side[from..to],
            bracket: self.bracket.map(|b: &'a [u8]| &b[from..to]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::BinLocation;
    use proptest::prelude::*;

    type Row = (f64, f64, i8, u8);

    /// Reference implementation: one level at a time, in integers.
    fn reference(grid: &Grid, brackets: usize, rows: &[Row]) -> Histogram {
        let mut out = Histogram::empty(*grid, brackets);
        let first_extra = out.cells.len() - EXTRA_CELLS;
        for &(price, notional, side, bracket) in rows {
            out.rows += 1;
            let rejected = !price.is_finite() || price <= 0.0 || !notional.is_finite();
            if rejected
                || !(0.0..=NOTIONAL_LIMIT).contains(&notional)
                || side == 0
                || bracket as usize >= brackets
            {
                out.cells[first_extra + 4] += 1;
                continue;
            }
            let units = (notional * UNITS_PER_NOTIONAL + 0.5).floor() as i64;
            out.total += i128::from(units);
            let s = usize::from(side < 0);
            let cell = match grid.locate(price) {
                BinLocation::Bin(bin) => (s * brackets + bracket as usize) * grid.bins() + bin,
                BinLocation::Below => first_extra + 2 * s,
                BinLocation::Above => first_extra + 2 * s + 1,
            };
            out.cells[cell] += units;
        }
        out
    }

    fn filled(grid: &Grid, brackets: usize, rows: &[Row]) -> Histogram {
        let price: Vec<f64> = rows.iter().map(|r| r.0).collect();
        let notional: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let side: Vec<i8> = rows.iter().map(|r| r.2).collect();
        let bracket: Vec<u8> = rows.iter().map(|r| r.3).collect();
        let mut out = Histogram::empty(*grid, brackets);
        let levels =
            LevelColumns { price: &price, notional: &notional, side: &side, bracket: Some(&bracket) };
        out.fill(levels).unwrap();
        out
    }

    fn price() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => (0_i64..4_000).prop_map(|t| t as f64 / 10.0),
            4 => 0.0..500.0_f64,
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(0.0), Just(1e300), Just(100.0)],
        ]
    }

    fn row() -> impl Strategy<Value = Row> {
        let notional = prop_oneof![8 => 0.0..1e6_f64, 2 => 0.0..NOTIONAL_LIMIT, 1 => Just(NOTIONAL_LIMIT), 1 => Just(f64::NAN), 1 => Just(-1.0), 1 => Just(2e12)];
        (price(), notional, -1_i8..=1, 0_u8..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn equals_the_reference_to_the_unit(
            rows in prop::collection::vec(row(), 0..40), low in 0_i64..2_000, width in 1_i64..50, bins in 1_usize..60,
        ) {
            let grid = Grid::new(0.1, low, width, bins).unwrap();
            prop_assert_eq!(filled(&grid, 4, &rows), reference(&grid, 4, &rows));
        }

        #[test]
        fn parts_sum_to_the_whole(rows in prop::collection::vec(row(), 0..40), cut in 0_usize..40) {
            let grid = Grid::new(0.1, 100, 7, 500).unwrap();
            let cut = cut.min(rows.len());
            let (mut a, b) = (filled(&grid, 4, &rows[..cut]), filled(&grid, 4, &rows[cut..]));
            let mut c = b.clone();
            c.merge(&a).unwrap();
            a.merge(&b).unwrap();
            prop_assert_eq!(&a, &c);
            prop_assert_eq!(a, filled(&grid, 4, &rows));
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_the_result() {
        let grid = Grid::new(0.1, 500_000, 100, 4_000).unwrap();
        let rows: Vec<Row> = (0..600_000_u32)
            .map(|i| {
                let u = f64::from(i.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
                (45_000.0 + 50_000.0 * u, 1e5 * u * u, if i % 3 == 0 { 1 } else { -1 }, (i % 4) as u8)
            })
            .collect();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let (a, b) = (one.install(|| filled(&grid, 4, &rows)), four.install(|| filled(&grid, 4, &rows)));
        assert_eq!(a, b);
        assert_eq!(a, reference(&grid, 4, &rows));
    }

    #[test]
    fn merging_histograms_of_different_grids_is_an_error() {
        let near = Grid::new(1.0, 0, 1, 10).unwrap();
        for (tick, low, width, bins) in [(1.0, 100, 1, 10), (0.5, 0, 1, 10), (1.0, 0, 2, 10), (1.0, 0, 1, 11)]
        {
            let other = Histogram::empty(Grid::new(tick, low, width, bins).unwrap(), 1);
            let mut histogram = Histogram::empty(near, 1);
            assert!(histogram.merge(&other).is_err(), "{}", other.grid());
        }
        assert!(Histogram::empty(near, 1).merge(&Histogram::empty(near, 2)).is_err());
    }

    #[test]
    fn levels_are_binned_on_the_grid_of_the_histogram() {
        let mut histogram = Histogram::empty(Grid::new(1.0, 0, 1, 10).unwrap(), 1);
        let levels = LevelColumns { price: &[12.0], notional: &[1.0], side: &[1], bracket: None };
        histogram.fill(levels).unwrap();
        assert_eq!(histogram.outside(), [0, 10_000, 0, 0], "12 lies above an axis from 0 to 10");
        assert!(histogram.cells().iter().all(|&units| units == 0));
    }

    #[test]
    fn a_total_beyond_the_limit_is_an_error() {
        let grid = Grid::new(1.0, 0, 1, 10).unwrap();
        let mut h = Histogram::empty(grid, 1);
        let (price, notional, side) = (vec![5.0; 1_000], vec![1e12; 1_000], vec![1; 1_000]);
        let levels = LevelColumns { price: &price, notional: &notional, side: &side, bracket: None };
        assert!(h.fill(levels).is_err());
    }
}
