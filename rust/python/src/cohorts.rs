//! The cohort engine.

use liqmap_core::CoreError;
use liqmap_core::cohorts as core;
use liqmap_core::grid::BINS_LIMIT;
use numpy::{IntoPyArray, PyArray1, PyArray3, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Mutex;

use crate::arrays::{Array, count, matrix, vector};
use crate::error::OrInputError;

/// The stage named in the errors of this module.
const STAGE: &str = "cohorts";

/// Levels of both sides as columns: price, coin, side (1 long, −1 short), bracket.
type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i8>>,
    Bound<'py, PyArray1<u8>>,
);

/// A population of modelled positions, advanced bar by bar.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Cohorts(Mutex<core::Cohorts>);

#[pymethods]
impl Cohorts {
    #[new]
    #[pyo3(signature = (brackets, step = 2.5e-4))]
    fn new(brackets: Array<'_, f64>, step: f64) -> PyResult<Self> {
        let (values, shape) = matrix("brackets", &brackets).or_input_error(STAGE)?;
        if shape[1] != 5 {
            let found = format!("an array of shape {shape:?}");
            return Err(CoreError::shape("brackets", found, "5 columns")).or_input_error(STAGE);
        }
        let (rows, _) = values.as_chunks::<5>();
        let bracket = |row: &[f64; 5]| {
            let [long_distance, short_distance, long_share, short_share, half_life_hours] = *row;
            core::Bracket { long_distance, short_distance, long_share, short_share, half_life_hours }
        };
        let rows: Vec<core::Bracket> = rows.iter().map(bracket).collect();
        let cohorts = core::Cohorts::new(&rows, step).or_input_error(STAGE)?;
        Ok(Self(Mutex::new(cohorts)))
    }

    /// Advance over bars; returns predicted liquidations in USD, shape `(bars, 2, brackets)`, and the number of
    /// rescaled bars.
    #[expect(clippy::too_many_arguments, reason = "one column each")]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        hours: Array<'py, f64>,
        low: Array<'py, f64>,
        high: Array<'py, f64>,
        close: Array<'py, f64>,
        open_interest: Array<'py, f64>,
        long_flow: Array<'py, f64>,
        short_flow: Array<'py, f64>,
    ) -> PyResult<(Bound<'py, PyArray3<f64>>, usize)> {
        let hours = vector("hours", &hours).or_input_error(STAGE)?;
        let low = vector("low", &low).or_input_error(STAGE)?;
        let high = vector("high", &high).or_input_error(STAGE)?;
        let close = vector("close", &close).or_input_error(STAGE)?;
        let open_interest = vector("open_interest", &open_interest).or_input_error(STAGE)?;
        let long_flow = vector("long_flow", &long_flow).or_input_error(STAGE)?;
        let short_flow = vector("short_flow", &short_flow).or_input_error(STAGE)?;
        let bars = core::Bars {
            hours: &hours,
            low: &low,
            high: &high,
            close: &close,
            open_interest: &open_interest,
            long_flow: &long_flow,
            short_flow: &short_flow,
        };
        let predicted = py.detach(|| self.lock().advance(&bars)).or_input_error(STAGE)?;
        let brackets = predicted.usd.len() / (2 * bars.len()).max(1);
        let usd = predicted.usd.into_pyarray(py).reshape([bars.len(), 2, brackets])?;
        Ok((usd, predicted.rescaled))
    }

    /// All levels as columns: price, coin, side (1 long, −1 short), bracket.
    fn levels<'py>(&self, py: Python<'py>) -> Columns<'py> {
        let [long, short] = py.detach(|| self.lock().levels());
        let side: Vec<i8> =
            std::iter::repeat_n(1, long.len()).chain(std::iter::repeat_n(-1, short.len())).collect();
        let all: Vec<core::Level> = long.into_iter().chain(short).collect();
        let price: Vec<f64> = all.iter().map(|l| l.price).collect();
        let coin: Vec<f64> = all.iter().map(|l| l.coin).collect();
        let bracket: Vec<u8> = all.iter().map(|l| l.bracket as u8).collect();
        (price.into_pyarray(py), coin.into_pyarray(py), side.into_pyarray(py), bracket.into_pyarray(py))
    }

    /// USD per side, group and bin of a log-price axis, shape `(2, groups, bins)`, and per side the USD outside the
    /// axis; groups are `(start, end)` ranges of brackets.
    fn density<'py>(
        &self,
        py: Python<'py>,
        groups: Vec<(i64, i64)>,
        first: i64,
        merge: i64,
        bins: i64,
    ) -> PyResult<(Bound<'py, PyArray3<f64>>, [f64; 2])> {
        let edge = |bracket: i64| count("groups", bracket, 0..=256);
        let groups = groups.into_iter().map(|(start, end)| Ok(edge(start)?..edge(end)?));
        let groups = groups.collect::<Result<Vec<_>, CoreError>>().or_input_error(STAGE)?;
        let merge = count("merge", merge, 1..=i64::MAX).or_input_error(STAGE)?;
        let bins = count("bins", bins, 1..=BINS_LIMIT as i64).or_input_error(STAGE)?;
        let (cells, outside) =
            py.detach(|| self.lock().density(&groups, first, merge, bins)).or_input_error(STAGE)?;
        Ok((cells.into_pyarray(py).reshape([2, groups.len(), bins])?, outside))
    }

    /// The complete state, serialised; an engine restored by `from_bytes` continues with identical bits.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.lock().to_bytes()).or_input_error(STAGE)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The engine whose state `to_bytes` serialised.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, state: &[u8]) -> PyResult<Self> {
        let cohorts = py.detach(|| core::Cohorts::from_bytes(state)).or_input_error(STAGE)?;
        Ok(Self(Mutex::new(cohorts)))
    }

    /// `(opened, closed, liquidated, mapped, unmapped)` of longs and of shorts, in coin.
    fn accounts(&self) -> [(f64, f64, f64, f64, f64); 2] {
        self.lock().accounts().map(|a| (a.opened, a.closed, a.liquidated, a.mapped, a.unmapped))
    }
}

impl Cohorts {
    fn lock(&self) -> std::sync::MutexGuard<'_, core::Cohorts> {
        // No step of `advance` panics after validation, so the state behind a poisoned lock would still be consistent.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
