//! Many cascades at once: each scenario has its own shock and its own depth multiplier.
//!
//! ```
//! use liqmap_core::cascade::Levels;
//! use liqmap_core::depth::Curve;
//! use liqmap_core::response::{Market, ShockKind};
//! use liqmap_core::scenarios::scenarios;
//!
//! // The mark is 100,000 USD in ticks of 0.01 USD; displacement is a fraction of the mark.
//! let book = Curve::new(&[1.0], &[1e11], 1.0, 1.0, Some(1.0))?;
//! let market = Market::new(&book, ShockKind::News, 1e7, 9_999_999)?;
//! let levels = Levels::new(&[50_000, 80_000], &[300e6, 200e6])?;
//! let results = scenarios(&levels, market, &[-0.004, -0.005], &[1.0], None)?;
//! assert_eq!(results.liquidated, [0.0, 500e6]);
//! assert_eq!(results.displacement, [0.004, 0.01]);
//! # Ok::<(), liqmap_core::CoreError>(())
//! ```

mod batch;
mod level_index;
mod warm_start;

use rayon::prelude::*;

use crate::cascade::Levels;
use crate::response::Market;
use crate::{CoreError, Result};

use batch::{OutputSlices, Tables};
use level_index::LevelIndex;
use warm_start::WarmStart;

/// Scenarios per task; fewer scenarios are processed on one thread.
const ROWS_PER_TASK: usize = 16_384;

/// The end of every scenario, in the order of the input.
#[derive(Debug, Default, PartialEq)]
pub struct ScenarioResults {
    /// Displacement, in the unit of the curve (a fraction of the mark).
    pub displacement: Vec<f64>,
    /// Notional liquidated, in quote currency.
    pub liquidated: Vec<f64>,
    /// Whether the flow exceeds the known book.
    pub exhausted: Vec<bool>,
}

/// Run one cascade per shock and depth multiplier; a single multiplier applies to all shocks. Shocks are in the curve's
/// unit and all have the same sign.
///
/// `threads` is the number of threads; `None` uses the current rayon pool (`RAYON_NUM_THREADS`, or all processors).
/// Every scenario ends at the tick at which [`crate::cascade::sweep`] ends, whatever the number of threads.
///
/// # Errors
/// Lengths that do not match; shocks of different signs, or not between 0 and 1 in size; a multiplier that is not
/// finite and positive; threads that cannot be started.
pub fn scenarios(
    levels: &Levels<'_>,
    market: Market<'_>,
    shocks: &[f64],
    multipliers: &[f64],
    threads: Option<usize>,
) -> Result<ScenarioResults> {
    if let Some(n) = threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
        let pool = pool.map_err(|e| {
            CoreError::threads("threads", e.to_string(), "a number of threads that can be started")
        })?;
        return pool.install(|| scenarios(levels, market, shocks, multipliers, None));
    }
    if multipliers.len() != 1 && multipliers.len() != shocks.len() {
        let found = format!("{} for {} shocks", multipliers.len(), shocks.len());
        return Err(CoreError::shape("depth multipliers", found, "one, or one per shock"));
    }
    let sign = shocks.first().map_or(1.0, |first| first.signum());
    let most =
        span("shocks", shocks, sign, 1.0, "fractions of one sign, between 0 and 1 in absolute value")?.1;
    let (low, high) = span("depth multipliers", multipliers, 1.0, f64::INFINITY, "finite numbers above 0")?;
    let index = LevelIndex::new(levels);
    let warm_start = if WarmStart::is_worthwhile(levels.len(), shocks.len()) {
        Some(WarmStart::new(levels, market, (low, high), market.ticks(most))?)
    } else {
        None
    };
    let n = shocks.len();
    let mut results =
        ScenarioResults { displacement: vec![0.0; n], liquidated: vec![0.0; n], exhausted: vec![false; n] };
    let pieces = results
        .displacement
        .par_chunks_mut(ROWS_PER_TASK)
        .zip(results.liquidated.par_chunks_mut(ROWS_PER_TASK))
        .zip(results.exhausted.par_chunks_mut(ROWS_PER_TASK))
        .zip(shocks.par_chunks(ROWS_PER_TASK))
        .enumerate();
    let shared = Tables { market, index: &index, warm_start: warm_start.as_ref() };
    pieces.for_each(|(piece, (((displacement, liquidated), exhausted), shocks))| {
        let from = piece * ROWS_PER_TASK;
        let multipliers =
            if multipliers.len() == 1 { multipliers } else { &multipliers[from..from + shocks.len()] };
        shared.run(shocks, multipliers, OutputSlices { displacement, liquidated, exhausted });
    });
    Ok(results)
}

/// The least and the greatest absolute value; all values must have the given sign and lie between 0 and `below` in
/// size.
fn span(place: &str, values: &[f64], sign: f64, below: f64, expected: &str) -> Result<(f64, f64)> {
    let is_valid = |v: f64| v * sign > 0.0 && v * sign < below;
    // The loop does not branch on values; the invalid row is searched only if there is one.
    let of_piece = |piece: &[f64]| {
        let (low, high, all) =
            piece.iter().fold((f64::MAX, f64::MIN_POSITIVE, true), |(low, high, all), &v| {
                (
                    if v * sign < low { v * sign } else { low },
                    if v * sign > high { v * sign } else { high },
                    all & is_valid(v),
                )
            });
        all.then_some((low, high))
    };
    let widest = |a: (f64, f64), b: (f64, f64)| Some((a.0.min(b.0), a.1.max(b.1)));
    let spans = values.par_chunks(ROWS_PER_TASK).map(of_piece);
    spans.try_reduce(|| (f64::MAX, f64::MIN_POSITIVE), widest).ok_or_else(|| {
        let row = values.iter().position(|v| !is_valid(*v)).unwrap_or(0);
        CoreError::value(format!("{place}[{row}]"), format!("{}", values[row]), expected)
    })
}
