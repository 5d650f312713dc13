//! Depth curves and cascades: numpy in, numpy out.

use liqmap_core::cascade::{Levels, rounds, sweep, thresholds as all_shocks};
use liqmap_core::depth;
use liqmap_core::impact::{Response, Shock};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::input_error;

/// Cumulative depth and, by its inverse, impact.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Curve(depth::Curve);

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

/// How the market answers: a curve, the kind of shock, the unit of a tick, the furthest displacement.
#[pyclass(frozen, module = "liqmap._core")]
pub struct Market {
    curve: Py<Curve>,
    shock: Shock,
    multiplier: f64,
    quantum: f64,
    limit: i64,
}

impl Market {
    fn response(&self) -> Response<'_> {
        // The numbers were proved good when the object was made.
        Response::new(&self.curve.get().0, self.shock, self.multiplier, self.quantum, self.limit)
            .expect("checked in Market::new")
    }
}

#[pymethods]
impl Market {
    #[new]
    #[pyo3(signature = (curve, *, quantum, limit, multiplier=1.0, flow=false))]
    fn new(curve: Py<Curve>, quantum: f64, limit: i64, multiplier: f64, flow: bool) -> PyResult<Self> {
        let shock = if flow { Shock::Flow } else { Shock::News };
        Response::new(&curve.get().0, shock, multiplier, quantum, limit)
            .map_err(|fault| input_error("cascade", &fault))?;
        Ok(Self { curve, shock, multiplier, quantum, limit })
    }
}

/// `(stop, liquidated, exhausted, marginal, path, round of each level)`, displacements in ticks.
type Told<'py> = (i64, f64, bool, Option<f64>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

#[pyfunction]
pub fn cascade<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray1<'py, i64>,
    notional: PyReadonlyArray1<'py, f64>,
    market: &Market,
    shock: i64,
) -> PyResult<Told<'py>> {
    let (distance, notional) = (distance.as_array().to_vec(), notional.as_array().to_vec());
    let (told, marginal, round) = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            let response = market.response();
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
pub fn thresholds<'py>(
    py: Python<'py>,
    distance: PyReadonlyArray1<'py, i64>,
    notional: PyReadonlyArray1<'py, f64>,
    market: &Market,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (distance, notional) = (distance.as_array().to_vec(), notional.as_array().to_vec());
    let sigma = py
        .detach(|| Levels::new(&distance, &notional).map(|levels| all_shocks(&levels, &market.response())))
        .map_err(|fault| input_error("cascade", &fault))?;
    Ok(sigma.into_pyarray(py))
}
