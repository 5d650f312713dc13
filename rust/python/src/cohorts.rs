//! The cohort engine.

use liqmap_core::cohorts as core;
use numpy::{IntoPyArray, PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Mutex;

use crate::error::input_error;

/// Levels of both sides as columns: price, coin, side (1 long, -1 short), bracket.
type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i8>>,
    Bound<'py, PyArray1<u8>>,
);

/// The population of modelled positions, advanced bar by bar.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Cohorts(Mutex<core::Cohorts>);

#[pymethods]
impl Cohorts {
    #[new]
    #[pyo3(signature = (brackets, step = 2.5e-4))]
    fn new(brackets: PyReadonlyArray2<'_, f64>, step: f64) -> PyResult<Self> {
        let rows: Vec<core::Bracket> = brackets
            .as_array()
            .rows()
            .into_iter()
            .map(|r| core::Bracket {
                long_distance: r[0],
                short_distance: r[1],
                long_share: r[2],
                short_share: r[3],
                half_life_hours: r[4],
            })
            .collect();
        let cohorts = core::Cohorts::new(&rows, step).map_err(|e| input_error("cohorts", &e))?;
        Ok(Self(Mutex::new(cohorts)))
    }

    /// Advance over bars; returns predicted liquidations `(bars, 2, brackets)` in USD and the number of rescaled bars.
    #[expect(clippy::too_many_arguments, reason = "one column each")]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        hours: PyReadonlyArray1<'py, f64>,
        low: PyReadonlyArray1<'py, f64>,
        high: PyReadonlyArray1<'py, f64>,
        close: PyReadonlyArray1<'py, f64>,
        open_interest: PyReadonlyArray1<'py, f64>,
        long_flow: PyReadonlyArray1<'py, f64>,
        short_flow: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<(Bound<'py, PyArray3<f64>>, usize)> {
        let bars = core::Bars {
            hours: hours.as_slice()?,
            low: low.as_slice()?,
            high: high.as_slice()?,
            close: close.as_slice()?,
            open_interest: open_interest.as_slice()?,
            long_flow: long_flow.as_slice()?,
            short_flow: short_flow.as_slice()?,
        };
        let predicted = py.detach(|| self.lock().advance(&bars)).map_err(|e| input_error("cohorts", &e))?;
        let brackets = predicted.usd.len() / (2 * bars.len()).max(1);
        let usd = predicted.usd.into_pyarray(py).reshape([bars.len(), 2, brackets])?;
        Ok((usd, predicted.rescaled))
    }

    /// Every level: price, coin, side (1 long, -1 short), bracket.
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

    /// USD `(2, groups, bins)` on a log-price axis, and what lies outside it by side; groups are `(start, end)` brackets.
    fn density<'py>(
        &self,
        py: Python<'py>,
        groups: Vec<(usize, usize)>,
        first: i64,
        merge: usize,
        bins: usize,
    ) -> PyResult<(Bound<'py, PyArray3<f64>>, [f64; 2])> {
        let groups: Vec<_> = groups.into_iter().map(|(a, b)| a..b).collect();
        let (cells, outside) = py
            .detach(|| self.lock().density(&groups, first, merge, bins))
            .map_err(|e| input_error("cohorts", &e))?;
        Ok((cells.into_pyarray(py).reshape([2, groups.len(), bins])?, outside))
    }

    /// The whole state as bytes; `from_bytes` goes on from it to the bit.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.lock().to_bytes()).map_err(|e| input_error("cohorts", &e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The state that `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, state: &[u8]) -> PyResult<Self> {
        let cohorts =
            py.detach(|| core::Cohorts::from_bytes(state)).map_err(|e| input_error("cohorts", &e))?;
        Ok(Self(Mutex::new(cohorts)))
    }

    /// `(opened, closed, liquidated, mapped, unmapped)` of the longs and of the shorts, coin.
    fn accounts(&self) -> [(f64, f64, f64, f64, f64); 2] {
        self.lock().accounts().map(|a| (a.opened, a.closed, a.liquidated, a.mapped, a.unmapped))
    }
}

impl Cohorts {
    fn lock(&self) -> std::sync::MutexGuard<'_, core::Cohorts> {
        // A panic while advancing would leave the state half made; it has none to give, so the lock is never poisoned.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
