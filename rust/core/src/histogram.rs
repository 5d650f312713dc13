//! LevelColumns binned on a grid, by side and leverage bracket, in integers: parts sum to the whole exactly, in any order.

use rayon::prelude::*;

use crate::error::{CoreError, Result};
use crate::grid::Grid;
use crate::simd::{Kernel, run_widest};

/// One unit of notional is 1e-4 of the quote currency, so that sums are integers and do not depend on their order.
pub const UNITS_PER_NOTIONAL: f64 = 1e4;
/// No level may be larger: beyond it a price or a unit is wrong.
pub const NOTIONAL_LIMIT: f64 = 1e12;
/// A histogram may hold this much before a cell could overflow.
const TOTAL_LIMIT: i128 = 9_000_000_000_000_000_000;
/// Rows that a thread takes at a time: few, so that none waits long for another.
const ROWS_PER_TASK: usize = 1 << 17;

/// Columns of levels, all of one length; `bracket` may be missing (all in bracket 0).
#[derive(Debug, Clone, Copy)]
pub struct LevelColumns<'a> {
    /// Liquidation prices, in quote currency.
    pub price: &'a [f64],
    /// What is closed there, in quote currency.
    pub notional: &'a [f64],
    /// Positive for longs, negative for shorts; 0 is rejected.
    pub side: &'a [i8],
    /// Leverage bracket, `0..brackets`.
    pub bracket: Option<&'a [u8]>,
}

/// Notional by side, bracket and bin, with what did not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    grid: Grid,
    brackets: usize,
    /// `[side][bracket][bin]`, then [`EXTRA_CELLS`] more.
    cells: Vec<i64>,
    rows: u64,
    /// All units accepted, inside and outside.
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

    /// The cells, owned.
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

    /// LevelColumns rejected: price, notional, side or bracket null, not finite, or out of range.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.cells[self.cells.len() - 1] as u64
    }

    /// LevelColumns binned or counted as outside.
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
            return Err(CoreError::new("grid", other.grid.to_string(), self.grid.to_string()));
        }
        if self.brackets != other.brackets {
            return Err(CoreError::new("brackets", other.brackets.to_string(), self.brackets.to_string()));
        }
        self.cells.iter_mut().zip(&other.cells).for_each(|(a, b)| *a = a.wrapping_add(*b));
        self.rows += other.rows;
        self.total += other.total;
        Ok(())
    }

    /// All units accepted, inside and outside.
    #[must_use]
    pub const fn total(&self) -> i128 {
        self.total
    }

    /// Bin the levels, on as many threads as rayon has where that pays.
    ///
    /// # Errors
    /// Columns of different lengths, or more notional than the integers hold (9e14); the histogram is void then.
    pub fn fill(&mut self, levels: LevelColumns<'_>) -> Result<()> {
        let n = levels.price.len();
        let lengths = [levels.notional.len(), levels.side.len(), levels.bracket.map_or(n, <[u8]>::len)];
        if lengths.iter().any(|&m| m != n) {
            return Err(CoreError::new(
                "levels",
                format!("columns of {n} and {lengths:?} rows"),
                "one length",
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
        let found = format!("{:e} in all", self.total as f64 / UNITS_PER_NOTIONAL);
        let expected = format!("at most {:e}", TOTAL_LIMIT as f64 / UNITS_PER_NOTIONAL);
        Err(CoreError::new("notional", found, expected))
    }

    fn fill_serial(&mut self, levels: LevelColumns<'_>) {
        run_widest(Fill { locator: BinLocator::new(&self.grid, self.brackets), levels, into: self });
    }
}

/// Rows target at a time: their cells and units stay in the nearest cache, and their units cannot overflow an i64.
const CHUNK: usize = 256;
/// Cells first_extra the map's own: notional outside (long below, long above, short below, short above), then the count of
/// rejected levels.
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
            // Two loops: the first has no branch and no store that depends on data, the second is nothing else.
            match part.bracket {
                None => locator.locate_rows(part, &[0; CHUNK][..rows], &mut targets),
                Some(brackets) => locator.locate_rows(part, brackets, &mut targets),
            }
            let rejected_before = into.rejected();
            let mut sum = 0;
            for (&cell, &units) in targets.cell.iter().zip(&targets.units).take(rows) {
                let cell = &mut into.cells[cell as usize];
                // A sum that wraps is caught by the total, which is checked before anything is handed out.
                *cell = cell.wrapping_add(units);
                sum += units;
            }
            into.total += i128::from(sum) - i128::from(into.rejected() - rejected_before);
            into.rows += rows as u64;
        }
    }
}

/// Which cell a row's units go to.
struct RowTargets {
    cell: [u64; CHUNK],
    units: [i64; CHUNK],
}

/// The grid as the numbers that the loop needs; all of them whole numbers in floats, so that a row's arithmetic stays in
/// lanes of one width.
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
        reason = "no branch may depend on data"
    )]
    fn locate_rows(&self, levels: LevelColumns<'_>, brackets: &[u8], targets: &mut RowTargets) {
        let first_extra = 2.0 * self.brackets * self.bins;
        let rows = levels.price.iter().zip(levels.notional).zip(levels.side).zip(brackets);
        let targets = targets.cell.iter_mut().zip(&mut targets.units);
        for ((((&price, &notional), &side), &bracket), (cell, units)) in rows.zip(targets) {
            let (side, bracket) = (f64::from(side), f64::from(bracket));
            // NaN fails every comparison, so it is rejected here and never reaches an index.
            let is_valid = (price > 0.0)
                & (price < f64::INFINITY)
                & (notional >= 0.0)
                & (notional <= NOTIONAL_LIMIT)
                & (side != 0.0)
                & (bracket < self.brackets);
            let offset = price * self.ticks_per_unit + 0.5 - self.low;
            let inside = (offset >= 0.0) & (offset < self.span);
            // Half a tick inside the bin: the product is never close enough to an edge to round across it.
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

/// From here on a float counts in whole numbers: added to one that is smaller, it leaves it in the low bits.
const INTEGER_BIAS: f64 = 4_503_599_627_370_496.0;

/// A whole number from 0 to 2⁵² as an integer, in steps that vectors have everywhere.
#[inline(always)]
fn to_u52(whole: f64) -> u64 {
    (whole + INTEGER_BIAS).to_bits() ^ INTEGER_BIAS.to_bits()
}

/// A whole number from 0 to 2⁶³ as an integer: its halves of 32 bits one by one.
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

    /// The obvious way: one level at a time, in integers.
    fn oracle(grid: &Grid, brackets: usize, rows: &[Row]) -> Histogram {
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
        fn equals_the_oracle_to_the_unit(
            rows in prop::collection::vec(row(), 0..40), low in 0_i64..2_000, width in 1_i64..50, bins in 1_usize..60,
        ) {
            let grid = Grid::new(0.1, low, width, bins).unwrap();
            prop_assert_eq!(filled(&grid, 4, &rows), oracle(&grid, 4, &rows));
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
    fn threads_change_nothing() {
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
        assert_eq!(a, oracle(&grid, 4, &rows));
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
    fn levels_are_binned_on_the_histogram_s_own_grid() {
        let mut histogram = Histogram::empty(Grid::new(1.0, 0, 1, 10).unwrap(), 1);
        let levels = LevelColumns { price: &[12.0], notional: &[1.0], side: &[1], bracket: None };
        histogram.fill(levels).unwrap();
        assert_eq!(histogram.outside(), [0, 10_000, 0, 0], "12 lies above an axis from 0 to 10");
        assert!(histogram.cells().iter().all(|&units| units == 0));
    }

    #[test]
    fn too_much_notional_is_an_error_and_not_a_wrong_number() {
        let grid = Grid::new(1.0, 0, 1, 10).unwrap();
        let mut h = Histogram::empty(grid, 1);
        let (price, notional, side) = (vec![5.0; 1_000], vec![1e12; 1_000], vec![1; 1_000]);
        let levels = LevelColumns { price: &price, notional: &notional, side: &side, bracket: None };
        assert!(h.fill(levels).is_err());
    }
}
