//! A few hundred scenarios in step: each pass does one thing to all of them, so that the processor always has
//! independent work at hand while a lookup or an exponential is under way.

use super::head_start::HeadStart;
use super::index::Index;
use crate::impact::{Market, Shock};
use crate::wide::{Work, widest};

/// Scenarios in step: their state fits the first-level cache.
const WIDTH: usize = 256;

/// Where the results of a stretch of scenarios go.
pub struct Out<'a> {
    pub displacement: &'a mut [f64],
    pub liquidated: &'a mut [f64],
    pub exhausted: &'a mut [bool],
}

/// The market and the tables that all scenarios share.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    pub market: Market<'a>,
    pub index: &'a Index<'a>,
    pub head_start: Option<&'a HeadStart>,
}

/// A stretch of scenarios: their shocks, and one multiplier for all or one for each.
struct Stretch<'a> {
    shared: Shared<'a>,
    shocks: &'a [f64],
    multipliers: &'a [f64],
    out: Out<'a>,
}

impl Work for Stretch<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Self { shared, shocks, multipliers, out: Out { displacement, liquidated, exhausted } } = self;
        for from in (0..shocks.len()).step_by(WIDTH) {
            let to = (from + WIDTH).min(shocks.len());
            let multipliers = if multipliers.len() == 1 { multipliers } else { &multipliers[from..to] };
            let out = Out {
                displacement: &mut displacement[from..to],
                liquidated: &mut liquidated[from..to],
                exhausted: &mut exhausted[from..to],
            };
            shared.batch(&shocks[from..to], multipliers, out);
        }
    }
}

impl Shared<'_> {
    /// Run scenarios; one multiplier serves all, or there is one for each.
    pub fn run(self, shocks: &[f64], multipliers: &[f64], out: Out<'_>) {
        widest(Stretch { shared: self, shocks, multipliers, out });
    }

    #[inline(always)]
    fn batch(&self, shocks: &[f64], multipliers: &[f64], out: Out<'_>) {
        let n = shocks.len();
        let Out { displacement, liquidated, exhausted } = out;
        let market = self.market;
        let (curve, flow, limit) = (market.curve(), market.shock() == Shock::Flow, market.limit());
        let (mut ticks, mut stop, mut fired) = ([0_i64; WIDTH], [0_i64; WIDTH], [0_usize; WIDTH]);
        let mut next = [0_i64; WIDTH];
        let (mut log_m, mut eaten, mut log_x) = ([0.0; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        let multiplier = |i: usize| if multipliers.len() == 1 { multipliers[0] } else { multipliers[i] };
        for (i, log) in log_m[..n].iter_mut().enumerate() {
            *log = multiplier(i).ln();
        }
        for i in 0..n {
            ticks[i] = market.ticks(shocks[i].abs()).min(limit);
            fired[i] = self.head_start.map_or(0, |table| table.fired(ticks[i], log_m[i]));
        }
        if flow {
            for i in 0..n {
                eaten[i] = multiplier(i) * market.held(ticks[i]);
            }
        }
        let mut active = [0_u16; WIDTH];
        for (i, a) in active.iter_mut().enumerate() {
            *a = i as u16;
        }
        let mut left = n;
        while left > 0 {
            for &i in &active[..left] {
                let i = i as usize;
                let now = self.index.after(fired[i]);
                next[i] = now.next;
                let log_flow =
                    if flow && now.notional > 0.0 { (eaten[i] + now.notional).ln() } else { now.log };
                log_x[i] = curve.log_displacement(log_flow - log_m[i]);
            }
            let mut still = 0;
            for at in 0..left {
                let i = active[at] as usize;
                let push = market.push(log_x[i]);
                let x = if flow { push.max(ticks[i]) } else { ticks[i].saturating_add(push) };
                stop[i] = x.min(limit);
                active[still] = i as u16;
                still += usize::from(next[i] <= stop[i]);
            }
            for &i in &active[..still] {
                fired[i as usize] = self.index.within(stop[i as usize]);
            }
            left = still;
        }
        for i in 0..n {
            let q = self.index.after(fired[i]).notional;
            displacement[i] = market.displacement(stop[i]);
            liquidated[i] = q;
            exhausted[i] = q > 0.0 && (eaten[i] + q > multiplier(i) * curve.capacity() || stop[i] >= limit);
        }
    }
}
