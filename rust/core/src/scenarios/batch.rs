//! Batches of scenarios: each pass applies one operation to all scenarios of a batch, so that the processor has
//! independent work while a lookup or an exponential is in progress.

use super::level_index::LevelIndex;
use super::warm_start::WarmStart;
use crate::response::{Market, ShockKind};
use crate::simd::{Kernel, run_widest};

/// Scenarios per batch: their state fits the first-level cache.
const BATCH_SIZE: usize = 256;

/// Output slices of a range of scenarios.
pub struct OutputSlices<'a> {
    pub displacement: &'a mut [f64],
    pub liquidated: &'a mut [f64],
    pub exhausted: &'a mut [bool],
}

/// The market and the lookup tables shared by all scenarios.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    pub market: Market<'a>,
    pub index: &'a LevelIndex<'a>,
    pub warm_start: Option<&'a WarmStart>,
}

/// A range of scenarios: their shocks, and one depth multiplier for all or one for each.
struct Batch<'a> {
    shared: Tables<'a>,
    shocks: &'a [f64],
    multipliers: &'a [f64],
    out: OutputSlices<'a>,
}

impl Kernel for Batch<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let Self { shared, shocks, multipliers, out: OutputSlices { displacement, liquidated, exhausted } } =
            self;
        for from in (0..shocks.len()).step_by(BATCH_SIZE) {
            let to = (from + BATCH_SIZE).min(shocks.len());
            let multipliers = if multipliers.len() == 1 { multipliers } else { &multipliers[from..to] };
            let out = OutputSlices {
                displacement: &mut displacement[from..to],
                liquidated: &mut liquidated[from..to],
                exhausted: &mut exhausted[from..to],
            };
            shared.batch(&shocks[from..to], multipliers, out);
        }
    }
}

impl Tables<'_> {
    /// Run scenarios; `multipliers` holds one multiplier for all scenarios or one for each.
    pub fn run(self, shocks: &[f64], multipliers: &[f64], out: OutputSlices<'_>) {
        run_widest(Batch { shared: self, shocks, multipliers, out });
    }

    #[inline(always)]
    fn batch(&self, shocks: &[f64], multipliers: &[f64], out: OutputSlices<'_>) {
        let n = shocks.len();
        let OutputSlices { displacement, liquidated, exhausted } = out;
        let market = self.market;
        let (curve, flow, limit) = (market.curve(), market.shock_kind() == ShockKind::Flow, market.limit());
        let (mut ticks, mut stop, mut fired) =
            ([0_i64; BATCH_SIZE], [0_i64; BATCH_SIZE], [0_usize; BATCH_SIZE]);
        let mut next = [0_i64; BATCH_SIZE];
        let (mut log_m, mut consumed, mut log_x) = ([0.0; BATCH_SIZE], [0.0; BATCH_SIZE], [0.0; BATCH_SIZE]);
        let multiplier = |i: usize| if multipliers.len() == 1 { multipliers[0] } else { multipliers[i] };
        for (i, log) in log_m[..n].iter_mut().enumerate() {
            *log = multiplier(i).ln();
        }
        for i in 0..n {
            ticks[i] = market.ticks(shocks[i].abs()).min(limit);
            fired[i] = self.warm_start.map_or(0, |table| table.fired(ticks[i], log_m[i]));
        }
        if flow {
            for i in 0..n {
                consumed[i] = multiplier(i) * market.notional_within(ticks[i]);
            }
        }
        let mut active = [0_u16; BATCH_SIZE];
        for (i, a) in active.iter_mut().enumerate() {
            *a = i as u16;
        }
        let mut left = n;
        while left > 0 {
            for &i in &active[..left] {
                let i = i as usize;
                let now = self.index.prefix(fired[i]);
                next[i] = now.next;
                let log_flow =
                    if flow && now.notional > 0.0 { (consumed[i] + now.notional).ln() } else { now.log };
                log_x[i] = curve.log_displacement(log_flow - log_m[i]);
            }
            let mut still = 0;
            for at in 0..left {
                let i = active[at] as usize;
                let push = market.impact_ticks(log_x[i]);
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
            let q = self.index.prefix(fired[i]).notional;
            displacement[i] = market.displacement(stop[i]);
            liquidated[i] = q;
            exhausted[i] =
                q > 0.0 && (consumed[i] + q > multiplier(i) * curve.capacity() || stop[i] >= limit);
        }
    }
}
