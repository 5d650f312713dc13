//! The cohort engine: advances both sides bar by bar and keeps the ledger.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bars::{BRACKETS_LIMIT, Bars, Bracket};
use super::side_positions::{Consumed, Level, SidePositions};
use crate::error::{CoreError, Result};
use crate::grid::BINS_LIMIT;

/// Header of a serialised state: format name and version.
const STATE_HEADER: &[u8] = b"liqmap-cohorts-1\n";

/// Ledger of one side in coin: `opened − closed − liquidated = mapped + unmapped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Opened since the start, including the open interest of the first bar.
    pub opened: f64,
    /// Closed by choice.
    pub closed: f64,
    /// Liquidated because the price reached the level.
    pub liquidated: f64,
    /// Open with a liquidation price.
    pub mapped: f64,
    /// Open without a liquidation price.
    pub unmapped: f64,
}

/// Predicted liquidations in quote currency at the prices of the levels, laid out `[bar][side][bracket]` with longs
/// first.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Quote currency per bar, side and bracket.
    pub usd: Vec<f64>,
    /// Number of bars in which mapped positions exceeded open interest and were scaled down to it.
    pub rescaled: usize,
}

/// State of one side: mapped positions, ledger and bracket parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Side {
    positions: SidePositions,
    account: Account,
    shares: Vec<f64>,
    /// Shift on the log-price axis from entry to liquidation price, in bins, per bracket; negative.
    shifts: Vec<f64>,
}

/// The cohort engine; its state covers all bars advanced so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cohorts {
    sides: [Side; 2],
    half_lives: Vec<f64>,
    bars: u64,
}

impl Cohorts {
    /// An engine without open positions; `step` is the width of a bin in log price (2.5e-4 is 2.5 bp).
    ///
    /// # Errors
    /// A bracket out of range, or a step outside 1e-6 to 0.1.
    pub fn new(brackets: &[Bracket], step: f64) -> Result<Self> {
        Bracket::check(brackets)?;
        if !(1e-6..=0.1).contains(&step) {
            return Err(CoreError::value("step", format!("{step}"), "a log-price step between 1e-6 and 0.1"));
        }
        let side = |long: bool| Side {
            positions: SidePositions::new(long, step, brackets.len()),
            account: Account::default(),
            shares: brackets.iter().map(|b| if long { b.long_share } else { b.short_share }).collect(),
            shifts: brackets
                .iter()
                .map(|b| if long { (-b.long_distance).ln_1p() } else { -b.short_distance.ln_1p() } / step)
                .collect(),
        };
        let half_lives = brackets.iter().map(|b| b.half_life_hours).collect();
        Ok(Self { sides: [side(true), side(false)], half_lives, bars: 0 })
    }

    /// Advance over bars. Advancing in several calls gives the same result, to the bit, as advancing in one.
    ///
    /// # Errors
    /// A value that is not finite or out of range, columns of different lengths, or prices so far apart that their axis
    /// exceeds the limit on bins; the state is then unchanged.
    pub fn advance(&mut self, bars: &Bars<'_>) -> Result<Predicted> {
        bars.check()?;
        self.reserve(bars)?;
        let brackets = self.half_lives.len();
        let mut predicted = Predicted { usd: vec![0.0; bars.len() * 2 * brackets], rescaled: 0 };
        let mut retention = vec![1.0; brackets];
        for (i, out) in predicted.usd.chunks_exact_mut(2 * brackets).enumerate() {
            for (share_kept, half_life) in retention.iter_mut().zip(&self.half_lives) {
                *share_kept = (-bars.hours[i] / half_life).exp2();
            }
            let mut rescaled = false;
            for (s, side) in self.sides.iter_mut().enumerate() {
                if self.bars == 0 {
                    side.account.opened = bars.open_interest[i];
                    side.account.unmapped = bars.open_interest[i];
                }
                let flow = if s == 0 { bars.long_flow[i] } else { bars.short_flow[i] };
                let usd = &mut out[s * brackets..(s + 1) * brackets];
                rescaled |= side.step(
                    &retention,
                    (bars.low[i], bars.high[i], bars.close[i]),
                    flow,
                    bars.open_interest[i],
                    usd,
                );
            }
            predicted.rescaled += usize::from(rescaled);
            self.bars += 1;
        }
        Ok(predicted)
    }

    fn reserve(&mut self, bars: &Bars<'_>) -> Result<()> {
        if bars.is_empty() {
            return Ok(());
        }
        let low = bars.low.iter().copied().fold(f64::INFINITY, f64::min);
        let high = bars.high.iter().copied().fold(0.0, f64::max);
        let intervals = self.sides.each_ref().map(|side| {
            let range = side.positions.interval(low, high);
            let farthest = side.shifts.iter().copied().fold(0.0, f64::min);
            range.start + farthest..range.end
        });
        if !self.sides.iter().zip(&intervals).all(|(side, interval)| side.positions.can_reserve(interval)) {
            let found = format!("prices from {low:e} to {high:e}");
            return Err(CoreError::limit("low, high", found, "prices that fit an axis of 67,108,864 bins"));
        }
        for (side, interval) in self.sides.iter_mut().zip(intervals) {
            side.positions.reserve(interval);
        }
        Ok(())
    }

    /// The ledgers of longs and shorts.
    #[must_use]
    pub fn accounts(&self) -> [Account; 2] {
        [self.sides[0].account, self.sides[1].account]
    }

    /// The levels of longs and shorts.
    #[must_use]
    pub fn levels(&self) -> [Vec<Level>; 2] {
        [self.sides[0].positions.levels(), self.sides[1].positions.levels()]
    }

    /// Quote currency by side, group of brackets and price bin, laid out `[side][group][bin]`, and per side the quote
    /// currency outside these bins.
    ///
    /// Output bin `i` covers `merge` engine bins from `first + i · merge` on, counted in bins of `ln(price) / step`;
    /// `groups` are ranges of brackets.
    ///
    /// # Errors
    /// No bins or more than [`BINS_LIMIT`], a `merge` of 0, no groups, or a group beyond the brackets.
    pub fn density(
        &self,
        groups: &[Range<usize>],
        first: i64,
        merge: usize,
        bins: usize,
    ) -> Result<(Vec<f64>, [f64; 2])> {
        if !(1..=BINS_LIMIT).contains(&bins) {
            return Err(CoreError::limit("bins", bins.to_string(), format!("1 to {BINS_LIMIT}")));
        }
        if merge == 0 {
            return Err(CoreError::value("merge", "0", "at least one engine bin per output bin"));
        }
        if !(1..=BRACKETS_LIMIT).contains(&groups.len()) {
            let found = format!("{} groups", groups.len());
            return Err(CoreError::value("groups", found, format!("1 to {BRACKETS_LIMIT}")));
        }
        if let Some(group) = groups.iter().find(|g| g.start > g.end || g.end > self.half_lives.len()) {
            let expected = format!("ranges within 0..{}", self.half_lives.len());
            return Err(CoreError::value("groups", format!("{group:?}"), expected));
        }
        let mut out = vec![0.0; 2 * groups.len() * bins];
        let mut outside = [0.0; 2];
        let cells = out.chunks_exact_mut(bins);
        for (i, part) in cells.enumerate() {
            let (side, group) = (i / groups.len(), &groups[i % groups.len()]);
            outside[side] += self.sides[side].positions.density(group.clone(), first, merge, part);
        }
        Ok((out, outside))
    }

    /// The complete state, serialised. An engine restored with [`Self::from_bytes`] continues with identical bits.
    ///
    /// # Errors
    /// The state cannot be serialised; no cause is known.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = STATE_HEADER.to_vec();
        let body = postcard::to_stdvec(self)
            .map_err(|e| CoreError::state("state", e.to_string(), "a serialisable state"))?;
        bytes.extend(body);
        Ok(bytes)
    }

    /// The engine whose state [`Self::to_bytes`] serialised.
    ///
    /// # Errors
    /// The bytes are truncated, damaged, or of another version of the format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let fault =
            |found: String| CoreError::state("state", found, "the bytes of a saved engine state, version 1");
        let body = bytes
            .strip_prefix(STATE_HEADER)
            .ok_or_else(|| fault(format!("{} bytes without its header", bytes.len())))?;
        let state: Self = postcard::from_bytes(body).map_err(|e| fault(e.to_string()))?;
        if state.is_valid() { Ok(state) } else { Err(fault("inconsistent values".to_owned())) }
    }

    /// Whether a deserialised state can be advanced without an index out of range.
    fn is_valid(&self) -> bool {
        let brackets = self.half_lives.len();
        let side = |side: &Side| {
            side.shares.len() == brackets
                && side.shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share))
                && side.shifts.len() == brackets
                && side.shifts.iter().all(|shift| shift.is_finite() && *shift <= 0.0)
                && side.positions.is_valid(brackets)
        };
        brackets > 0 && self.half_lives.iter().all(|hours| *hours > 0.0) && self.sides.iter().all(side)
    }

    /// Number of bars advanced so far.
    #[must_use]
    pub const fn bars(&self) -> u64 {
        self.bars
    }
}

impl Side {
    /// Advance one side by one bar: liquidate, close, open, balance. Returns whether mapped positions were scaled down
    /// to open interest.
    fn step(
        &mut self,
        retention: &[f64],
        price: (f64, f64, f64),
        flow: f64,
        oi: f64,
        usd: &mut [f64],
    ) -> bool {
        let (low, high, close) = price;
        let touched = self.positions.interval(low, high);
        let limit = self.positions.coordinate(close);
        let account = &mut self.account;
        for (bracket, share_kept) in retention.iter().enumerate() {
            let mut consumed = self.positions.consume(bracket, touched.start);
            account.closed += self.positions.retain(bracket, *share_kept);
            let coin = flow * self.shares[bracket];
            let shift = self.shifts[bracket];
            let consumed_at_open =
                self.positions.open(bracket, coin, &(touched.start + shift..touched.end + shift), limit);
            account.opened += coin;
            consumed = Consumed {
                coin: consumed.coin + consumed_at_open.coin,
                usd: consumed.usd + consumed_at_open.usd,
            };
            account.liquidated += consumed.coin;
            usd[bracket] = consumed.usd;
        }
        let mut mapped = self.positions.total();
        let exceeds = mapped > oi;
        if exceeds {
            let share = oi / mapped;
            for bracket in 0..retention.len() {
                account.closed += self.positions.retain(bracket, share);
            }
            mapped = self.positions.total().min(oi);
        }
        account.mapped = mapped;
        account.unmapped = oi - mapped;
        // The total of a side equals open interest, whatever the mapped positions did: unmapped positions open or
        // close.
        let difference = oi - (account.opened - account.closed - account.liquidated);
        if difference > 0.0 {
            account.opened += difference;
        } else {
            account.closed -= difference;
        }
        exceeds
    }
}

#[cfg(test)]
mod tests;
