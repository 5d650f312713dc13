//! Insurance fund and auto-deleveraging: the fund pays losses beyond bankruptcy until it is empty; positions that would
//! lose more are transferred to profitable positions of the other side, without an order.

use crate::cascade::Levels;
use crate::response::Response;
use crate::{CoreError, Result};

/// A cascade with an insurance fund.
#[derive(Debug, Clone, PartialEq)]
pub struct Deleveraged {
    /// Displacement at the end, in ticks.
    pub stop: i64,
    /// Notional sold into the order book, per triggered level.
    pub sold: Vec<f64>,
    /// Notional auto-deleveraged, per triggered level.
    pub deleveraged: Vec<f64>,
    /// Amount paid by the fund, in quote currency.
    pub fund_paid: f64,
    /// Whether the flow exceeds the known book; `stop` is then a lower bound.
    pub exhausted: bool,
}

/// Liquidate levels in order. A level is filled at the mean displacement of its flow; beyond its `bankruptcy`
/// displacement (in the curve's unit) the fund pays the difference. Once the fund is spent, a level sells only the part
/// that causes no further loss.
///
/// # Errors
/// Bankruptcies that are not finite or not one per level, a fund that is negative or NaN.
pub fn deleverage(
    levels: &Levels<'_>,
    bankruptcy: &[f64],
    response: &Response<'_>,
    shock: i64,
    fund: f64,
) -> Result<Deleveraged> {
    if bankruptcy.len() != levels.len() {
        let found = format!("{} for {} levels", bankruptcy.len(), levels.len());
        return Err(CoreError::shape("bankruptcy", found, "one per level"));
    }
    if let Some(row) = bankruptcy.iter().position(|b| !b.is_finite()) {
        let found = format!("{}", bankruptcy[row]);
        return Err(CoreError::value(format!("bankruptcy[{row}]"), found, "a finite displacement"));
    }
    if !(fund >= 0.0) {
        return Err(CoreError::value("fund", format!("{fund}"), "an amount of 0 or more"));
    }
    let market = response.after_shock(shock);
    let mut stop = market.phi(0.0);
    let (mut flow, mut left) = (0.0, fund);
    let (mut sold, mut deleveraged) = (Vec::new(), Vec::new());
    for ((&d, &q), &b) in levels.distance().iter().zip(levels.notional()).zip(bankruptcy) {
        if d > stop {
            break;
        }
        let loss = |z: f64| market.cost(flow, z) - b * z;
        let z = largest_sale(q, |z| loss(z) <= left);
        left = (left - loss(z).max(0.0)).max(0.0);
        flow += z;
        sold.push(z);
        deleveraged.push(q - z);
        stop = market.phi(flow);
    }
    Ok(Deleveraged {
        stop,
        sold,
        deleveraged,
        fund_paid: fund - left,
        exhausted: market.exhausted(flow, stop),
    })
}

/// The largest part of `q` that passes, by bisection. The loss is convex in the amount sold and 0 for no sale, so every
/// smaller amount passes too.
fn largest_sale(q: f64, passes: impl Fn(f64) -> bool) -> f64 {
    if passes(q) {
        return q;
    }
    let (mut low, mut high) = (0.0, q);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return low;
        }
        if passes(middle) { low = middle } else { high = middle }
    }
}
