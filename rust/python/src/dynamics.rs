//! Cascade dynamics: numpy arrays in, numpy arrays out.

use liqmap_core::cascade::Levels;
use liqmap_core::cascade::dynamics::{self, CoupledVenue, Rebound, ReplayParams};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::arrays::{Array, count, shock as ticks, vector};
use crate::cascade::{Curve, Market, columns};
use crate::error::OrInputError;

type Ticks<'py> = Array<'py, i64>;
type Floats<'py> = Array<'py, f64>;
type Column<'py> = Bound<'py, PyArray1<f64>>;

/// `(stop, sold per triggered level, auto-deleveraged per triggered level, paid by the fund, exhausted)`; stop in
/// ticks, amounts in USD.
#[pyfunction]
#[pyo3(signature = (distance, notional, bankruptcy, market, shock, fund))]
pub fn deleverage<'py>(
    py: Python<'py>,
    distance: Ticks<'py>,
    notional: Floats<'py>,
    bankruptcy: Floats<'py>,
    market: &Market,
    shock: i64,
    fund: f64,
) -> PyResult<(i64, Column<'py>, Column<'py>, f64, bool)> {
    let (distance, notional) = columns(&distance, &notional).or_input_error("cascade")?;
    let bankruptcy = vector("bankruptcy", &bankruptcy).or_input_error("cascade")?;
    let shock = ticks(shock).or_input_error("cascade")?;
    let result = py
        .detach(|| {
            let levels = Levels::new(&distance, &notional)?;
            dynamics::deleverage(&levels, &bankruptcy, &market.core()?.response(1.0)?, shock, fund)
        })
        .or_input_error("cascade")?;
    Ok((
        result.stop,
        result.sold.into_pyarray(py),
        result.deleveraged.into_pyarray(py),
        result.fund_paid,
        result.exhausted,
    ))
}

/// `(displacement after each step, notional sent in each step, triggered levels, exhausted)`.
#[pyfunction]
#[pyo3(signature = (distance, notional, market, shock, *, keep, permanent, rate, latency))]
#[allow(clippy::too_many_arguments)]
pub fn replay<'py>(
    py: Python<'py>,
    distance: Ticks<'py>,
    notional: Floats<'py>,
    market: &Market,
    shock: i64,
    keep: f64,
    permanent: f64,
    rate: f64,
    latency: i64,
) -> PyResult<(Column<'py>, Column<'py>, usize, bool)> {
    let (distance, notional) = columns(&distance, &notional).or_input_error("replay")?;
    let shock = ticks(shock).or_input_error("replay")?;
    let latency = count("latency", latency, 0..=i64::from(u32::MAX)).or_input_error("replay")?;
    let params = ReplayParams { keep, permanent, rate, latency };
    let result = py
        .detach(|| dynamics::replay(&Levels::new(&distance, &notional)?, market.core()?, 1.0, shock, params))
        .or_input_error("replay")?;
    Ok((result.path.into_pyarray(py), result.sent.into_pyarray(py), result.fired, result.exhausted))
}

/// `(away, start, shock, stop, liquidated, exhausted)` per leg; displacements in ticks from the mark, notional in USD.
type Leg = (bool, i64, i64, i64, f64, bool);

#[pyfunction]
#[pyo3(signature = (away, back, markets, shock, *, permanent, reversion, multiplier=1.0))]
#[allow(clippy::too_many_arguments)]
pub fn whipsaw<'py>(
    py: Python<'py>,
    away: (Ticks<'py>, Floats<'py>),
    back: (Ticks<'py>, Floats<'py>),
    markets: (Py<Market>, Py<Market>),
    shock: i64,
    permanent: f64,
    reversion: f64,
    multiplier: f64,
) -> PyResult<Vec<Leg>> {
    let away = columns(&away.0, &away.1).or_input_error("whipsaw")?;
    let back = columns(&back.0, &back.1).or_input_error("whipsaw")?;
    let rebound = Rebound { permanent, reversion };
    let legs = py
        .detach(|| {
            let (away, back) = (Levels::new(&away.0, &away.1)?, Levels::new(&back.0, &back.1)?);
            let sides = ((&away, markets.0.get().core()?), (&back, markets.1.get().core()?));
            dynamics::whipsaw(sides.0, sides.1, multiplier, shock, rebound)
        })
        .or_input_error("whipsaw")?;
    Ok(legs.iter().map(|l| (l.away, l.start, l.shock, l.stop, l.liquidated, l.exhausted)).collect())
}

/// One venue: distances, notional, curve, ticks per unit of displacement, shock, weight in the index, weight of its own
/// price.
type VenueRow<'py> = (Ticks<'py>, Floats<'py>, Py<Curve>, f64, f64, f64, f64);

/// `(price, mark, triggered levels)` per venue, then `rounds` and `exhausted`; displacements as fractions of the mark.
#[pyfunction]
#[pyo3(signature = (venues, consolidated, together))]
pub fn coupled<'py>(
    py: Python<'py>,
    venues: Vec<VenueRow<'py>>,
    consolidated: &Curve,
    together: f64,
) -> PyResult<(Column<'py>, Column<'py>, Vec<usize>, usize, bool)> {
    let rows = venues.iter().map(|v| columns(&v.0, &v.1)).collect::<Result<Vec<_>, _>>();
    let rows = rows.or_input_error("cascade")?;
    let plain: Vec<_> = venues.iter().map(|v| (v.2.get(), v.3, v.4, v.5, v.6)).collect();
    let result = py
        .detach(|| {
            let levels: Vec<_> = rows.iter().map(|r| Levels::new(&r.0, &r.1)).collect::<Result<_, _>>()?;
            let venues: Vec<_> = levels
                .iter()
                .zip(&plain)
                .map(|(levels, &(curve, scale, shock, in_index, own))| CoupledVenue {
                    levels,
                    curve: curve.core(),
                    scale,
                    shock,
                    in_index,
                    own,
                })
                .collect();
            dynamics::coupled(&venues, consolidated.core(), together)
        })
        .or_input_error("cascade")?;
    Ok((
        result.price.into_pyarray(py),
        result.mark.into_pyarray(py),
        result.fired,
        result.rounds,
        result.exhausted,
    ))
}
