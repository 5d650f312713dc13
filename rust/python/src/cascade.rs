//! Depth curves and cascades: numpy in, numpy out.

use std::borrow::Cow;

use liqmap_core::cascade::{Levels, rounds, sweep, thresholds as all_shocks};
use liqmap_core::depth;
use liqmap_core::impact::{self, Shock};
use liqmap_core::scenarios::{Ends, scenarios as run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::input_error;

/// Cumulative depth and, by its inverse, impact.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Curve(depth::Curve);

impl Curve {
    pub fn core(&self) -> &depth::Curve {
        &self.0
    }
}

#[pymethods]
impl Curve {
    #[new]
    #[pyo3(signature = (displacement, notional, *, head, tail, reach=None))]
    fn new(
        displacement: PyReadonlyArray1<'_, f64>,
        notional: PyReadonlyArray1<'_, f64>,
        head: f64,
        tail: f64,
        reach: Option<f64>,
    ) -> PyResult<Self> {
        let displacement = displacement.as_array().to_vec();
        let notional = notional.as_array().to_vec();
        depth::Curve::new(&displacement, &notional, head, tail, reach)
            .map(Self)
            .map_err(|fault| input_error("depth", &fault))
    }

    #[getter]
    fn reach(&self) -> f64 {
        self.0.reach()
    }

    #[getter]
    fn capacity(&self) -> f64 {
        self.0.capacity()
    }

    fn notional<'py>(&self, py: Python<'py>, x: PyReadonlyArray1<'py, f64>) -> Bound<'py, PyArray1<f64>> {
        each(py, &x, |v| self.0.notional(v))
    }

    fn density<'py>(&self, py: Python<'py>, x: PyReadonlyArray1<'py, f64>) -> Bound<'py, PyArray1<f64>> {
        each(py, &x, |v| self.0.density(v))
    }

    fn displacement<'py>(
        &self,
        py: Python<'py>,
        flow: PyReadonlyArray1<'py, f64>,
    ) -> Bound<'py, PyArray1<f64>> {
        each(py, &flow, |v| if v > 0.0 { self.0.displacement(v.ln()) } else { v * 0.0 })
    }
}

fn each<'py>(
    py: Python<'py>,
    values: &PyReadonlyArray1<'py, f64>,
    f: impl Fn(f64) -> f64,
) -> Bound<'py, PyArray1<f64>> {
    values.as_array().iter().map(|v| f(*v)).collect::<Vec<_>>().into_pyarray(py)
}

/// A market: a curve, what a shock does to it, ticks per unit of displacement, the furthest displacement.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Market {
    curve: Py<Curve>,
    shock: Shock,
    scale: f64,
    limit: i64,
}

impl Market {
    pub fn core(&self) -> liqmap_core::Result<impact::Market<'_>> {
        impact::Market::new(&self.curve.get().0, self.shock, self.scale, self.limit)
    }
}

#[pymethods]
impl Market {
    #[new]
    #[pyo3(signature = (curve, *, scale, limit, flow=false))]
    fn new(curve: Py<Curve>, scale: f64, limit: i64, flow: bool) -> PyResult<Self> {
        let market = Self { curve, shock: if flow { Shock::Flow } else { Shock::News }, scale, limit };
        market.core().map_err(|fault| input_error("cascade", &fault))?;
        Ok(market)
    }
}

/// `(stop, liquidated, exhausted, marginal, path, round of each level)`, displacements in ticks.
type Told<'py> = (i64, f64, bool, Option<f64>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

#[pyfunction]
#[pyo3(signature = (distance, notional, market, shock, multiplier=1.0))]
pub fn cascade<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray1<'py, i64>,
    notional: PyReadonlyArray1<'py, f64>,
    market: &Market,
    shock: i64,
    multiplier: f64,
) -> PyResult<Told<'py>> {
    let (distance, notional) = (slice(&distance), slice(&notional));
    let (told, marginal, round) = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            let response = market.core()?.response(multiplier)?;
            let told = rounds(&levels, &response, shock);
            let next = sweep(&levels, &response, shock.saturating_add(1));
            // At a threshold one tick more of shock fires another level: the curve jumps there.
            let jumps = next.fired > told.outcome.fired || told.outcome.exhausted;
            let marginal = if jumps { None } else { response.slope(shock, told.outcome.stop) };
            let round = (0..levels.len()).map(|i| told.of_level(i) as u32).collect::<Vec<_>>();
            Ok((told, marginal, round))
        })
        .map_err(|fault| input_error("cascade", &fault))?;
    let outcome = told.outcome;
    let (path, round) = (told.path.into_pyarray(py), round.into_pyarray(py));
    Ok((outcome.stop, outcome.liquidated, outcome.exhausted, marginal, path, round))
}

#[pyfunction]
#[pyo3(signature = (distance, notional, market, multiplier=1.0))]
pub fn thresholds<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray1<'py, i64>,
    notional: PyReadonlyArray1<'py, f64>,
    market: &Market,
    multiplier: f64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (distance, notional) = (slice(&distance), slice(&notional));
    let sigma = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            Ok(all_shocks(&levels, &market.core()?.response(multiplier)?))
        })
        .map_err(|fault| input_error("cascade", &fault))?;
    Ok(sigma.into_pyarray(py))
}

/// `(displacement, liquidated, exhausted)` per scenario.
type Columns<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<bool>>);

#[pyfunction]
#[pyo3(signature = (distance, notional, market, shocks, multipliers, threads=None))]
pub fn scenarios<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray1<'py, i64>,
    notional: PyReadonlyArray1<'py, f64>,
    market: &Market,
    shocks: PyReadonlyArray1<'py, f64>,
    multipliers: PyReadonlyArray1<'py, f64>,
    threads: Option<usize>,
) -> PyResult<Columns<'py>> {
    let (distance, notional) = (slice(&distance), slice(&notional));
    let (shocks, multipliers) = (slice(&shocks), slice(&multipliers));
    let ends = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            run(&levels, market.core()?, &shocks, &multipliers, threads)
        })
        .map_err(|fault| input_error("scenarios", &fault))?;
    let Ends { displacement, liquidated, exhausted } = ends;
    Ok((displacement.into_pyarray(py), liquidated.into_pyarray(py), exhausted.into_pyarray(py)))
}

/// An array as it lies, or a copy where it has gaps.
pub fn slice<'a, T: numpy::Element + Copy>(array: &'a PyReadonlyArray1<'_, T>) -> Cow<'a, [T]> {
    array.as_slice().map_or_else(|_| array.as_array().to_vec().into(), Cow::Borrowed)
}
