//! Depth curves, cascades and scenarios: numpy arrays in, numpy arrays out.

use std::borrow::Cow;

use liqmap_core::cascade::{Levels, rounds, sweep, thresholds as all_shocks};
use liqmap_core::depth;
use liqmap_core::response::{self, ShockKind};
use liqmap_core::scenarios::{ScenarioResults, scenarios as run};
use liqmap_core::{CoreError, Result};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::arrays::{Array, count, shock as ticks, vector};
use crate::error::OrInputError;

/// Largest number of threads that may be requested; at most four per processor are started.
const MOST_THREADS: i64 = 1_000_000;

/// Cumulative depth of an order book, and its inverse, the price impact.
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
        displacement: Array<'_, f64>,
        notional: Array<'_, f64>,
        head: f64,
        tail: f64,
        reach: Option<f64>,
    ) -> PyResult<Self> {
        let displacement = vector("displacement", &displacement).or_input_error("depth")?;
        let notional = vector("notional", &notional).or_input_error("depth")?;
        depth::Curve::new(&displacement, &notional, head, tail, reach).map(Self).or_input_error("depth")
    }

    #[getter]
    fn reach(&self) -> f64 {
        self.0.max_displacement()
    }

    #[getter]
    fn capacity(&self) -> f64 {
        self.0.capacity()
    }

    fn notional<'py>(&self, py: Python<'py>, x: Array<'py, f64>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        each(py, ("x", &x), |v| self.0.notional(v))
    }

    fn density<'py>(&self, py: Python<'py>, x: Array<'py, f64>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        each(py, ("x", &x), |v| self.0.density(v))
    }

    fn displacement<'py>(
        &self,
        py: Python<'py>,
        flow: Array<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        each(py, ("flow", &flow), |v| if v > 0.0 { self.0.displacement(v.ln()) } else { v * 0.0 })
    }
}

fn each<'py>(
    py: Python<'py>,
    (name, values): (&str, &Array<'py, f64>),
    f: impl Fn(f64) -> f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = vector(name, values).or_input_error("depth")?;
    if let Some(row) = values.iter().position(|v| v.is_nan()) {
        return Err(CoreError::value(format!("{name}[{row}]"), "NaN", "a number")).or_input_error("depth");
    }
    Ok(values.iter().map(|v| f(*v)).collect::<Vec<_>>().into_pyarray(py))
}

/// An order book with the kind of shock, ticks per unit of displacement, and the largest displacement in ticks.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Market {
    curve: Py<Curve>,
    shock: ShockKind,
    scale: f64,
    limit: i64,
}

impl Market {
    pub fn core(&self) -> liqmap_core::Result<response::Market<'_>> {
        response::Market::new(&self.curve.get().0, self.shock, self.scale, self.limit)
    }
}

#[pymethods]
impl Market {
    #[new]
    #[pyo3(signature = (curve, *, scale, limit, flow=false))]
    fn new(curve: Py<Curve>, scale: f64, limit: i64, flow: bool) -> PyResult<Self> {
        let market =
            Self { curve, shock: if flow { ShockKind::Flow } else { ShockKind::News }, scale, limit };
        market.core().or_input_error("cascade")?;
        Ok(market)
    }
}

/// `(stop, liquidated, exhausted, marginal, path, round of each level)`; displacements in ticks, notional in USD.
type CascadeTuple<'py> = (i64, f64, bool, Option<f64>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

#[pyfunction]
#[pyo3(signature = (distance, notional, market, shock, multiplier=1.0))]
pub fn cascade<'py>(
    py: Python<'py>,
    distance: Array<'py, i64>,
    notional: Array<'py, f64>,
    market: &Market,
    shock: i64,
    multiplier: f64,
) -> PyResult<CascadeTuple<'py>> {
    let (distance, notional) = columns(&distance, &notional).or_input_error("cascade")?;
    let shock = ticks(shock).or_input_error("cascade")?;
    let (result, marginal, round) = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            let response = market.core()?.response(multiplier)?;
            let result = rounds(&levels, &response, shock);
            let next = sweep(&levels, &response, shock.saturating_add(1));
            // At a threshold, one more tick of shock triggers another level: the displacement jumps and has no slope.
            let jumps = next.fired > result.outcome.fired || result.outcome.exhausted;
            let marginal = if jumps { None } else { response.slope(shock, result.outcome.stop) };
            let round = (0..levels.len()).map(|i| result.round_of_level(i) as u32).collect::<Vec<_>>();
            Ok((result, marginal, round))
        })
        .or_input_error("cascade")?;
    let outcome = result.outcome;
    let (path, round) = (result.path.into_pyarray(py), round.into_pyarray(py));
    Ok((outcome.stop, outcome.liquidated, outcome.exhausted, marginal, path, round))
}

#[pyfunction]
#[pyo3(signature = (distance, notional, market, multiplier=1.0))]
pub fn thresholds<'py>(
    py: Python<'py>,
    distance: Array<'py, i64>,
    notional: Array<'py, f64>,
    market: &Market,
    multiplier: f64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (distance, notional) = columns(&distance, &notional).or_input_error("cascade")?;
    let sigma = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            Ok(all_shocks(&levels, &market.core()?.response(multiplier)?))
        })
        .or_input_error("cascade")?;
    Ok(sigma.into_pyarray(py))
}

/// `(displacement, liquidated, exhausted)` per scenario; displacement as a fraction of the mark, notional in USD.
type Columns<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<bool>>);

#[pyfunction]
#[pyo3(signature = (distance, notional, market, shocks, multipliers, threads=None))]
pub fn scenarios<'py>(
    py: Python<'py>,
    distance: Array<'py, i64>,
    notional: Array<'py, f64>,
    market: &Market,
    shocks: Array<'py, f64>,
    multipliers: Array<'py, f64>,
    threads: Option<i64>,
) -> PyResult<Columns<'py>> {
    let (distance, notional) = columns(&distance, &notional).or_input_error("scenarios")?;
    let shocks = vector("shocks", &shocks).or_input_error("scenarios")?;
    let multipliers = vector("multipliers", &multipliers).or_input_error("scenarios")?;
    let threads = threads.map(|n| count("threads", n, 0..=MOST_THREADS)).transpose();
    // More threads than processors only cost memory; the number of threads does not change the result.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.or_input_error("scenarios")?.map(|n| n.min(4 * processors));
    let results = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            run(&levels, market.core()?, &shocks, &multipliers, threads)
        })
        .or_input_error("scenarios")?;
    let ScenarioResults { displacement, liquidated, exhausted } = results;
    Ok((displacement.into_pyarray(py), liquidated.into_pyarray(py), exhausted.into_pyarray(py)))
}

/// Distances in ticks and notional in USD of levels.
pub type LevelSlices<'a> = (Cow<'a, [i64]>, Cow<'a, [f64]>);

/// The two columns of levels, validated as vectors.
pub fn columns<'a>(distance: &'a Array<'_, i64>, notional: &'a Array<'_, f64>) -> Result<LevelSlices<'a>> {
    Ok((vector("distance", distance)?, vector("notional", notional)?))
}
