//! Rows of one compiled rule, 64 at a time: each stage is a loop over adjacent numbers, which the compiler vectorises.

use std::ops::Range;

use super::compiled_rule::CompiledRule;
use super::reason::Reason;
use super::solve::{Lines, Position};
use super::tiers::TierParams;

/// Rows per block.
pub const LANES: usize = 64;

type Lane = [f64; LANES];

/// The inputs of up to 64 rows, in the order of the fields of [`Position`], and the intermediate results of the stages.
pub struct Block {
    rows: usize,
    inputs: [Lane; 10],
    x0: Lane,
    q: Lane,
    measured: Lane,
    mmr: Lane,
    deduction: Lane,
    max_leverage: Lane,
    from: Lane,
    to: Lane,
    a: Lane,
    k: Lane,
    f: Lane,
    x: Lane,
    /// 1 if the lines meet outside the tier.
    leaves_tier: Lane,
    at: [u64; LANES],
    /// 1 if the row is solved in this block; a float, so that its loop keeps one width.
    valid: Lane,
    /// The results.
    pub price: Lane,
    pub bankruptcy: Lane,
    pub tier: [i32; LANES],
    pub reason: [i8; LANES],
}

impl Block {
    pub fn new() -> Self {
        let none = [f64::NAN; LANES];
        Self {
            rows: 0,
            inputs: [none; 10],
            x0: none,
            q: none,
            measured: none,
            mmr: none,
            deduction: none,
            max_leverage: none,
            from: none,
            to: none,
            a: none,
            k: none,
            f: none,
            x: none,
            leaves_tier: none,
            price: none,
            bankruptcy: none,
            at: [0; LANES],
            valid: none,
            tier: [0; LANES],
            reason: [0; LANES],
        }
    }

    /// Load rows; missing columns are empty and stay NaN.
    #[inline(always)]
    pub fn load(&mut self, inputs: &[Vec<f64>; 10], rows: Range<usize>) {
        self.rows = rows.len();
        for (lane, column) in self.inputs.iter_mut().zip(inputs).filter(|(_, column)| !column.is_empty()) {
            lane[..rows.len()].copy_from_slice(&column[rows.clone()]);
        }
    }

    /// The position in a row: the fields that all tables have, or all fields.
    #[inline]
    fn position<const ALL: bool>(&self, i: usize) -> Position {
        if !ALL {
            let [size, entry, _, leverage, margin, ..] = self.inputs.each_ref().map(|lane| lane[i]);
            return Position { size, entry, leverage, margin, ..Position::default() };
        }
        let [size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry] =
            self.inputs.each_ref().map(|lane| lane[i]);
        Position { size, entry, mark, leverage, margin, maintenance, fee, borrow, hedge_size, hedge_entry }
    }

    #[inline]
    fn lines(&self, i: usize) -> Lines {
        Lines { a: self.a[i], k: self.k[i], q: self.q[i], f: self.f[i], bankrupt: f64::NAN }
    }

    /// Solve the rows under their rule. Without `ALL`, the fields that only account data have are treated as not given.
    #[inline(always)]
    pub fn solve<const ALL: bool>(&mut self, compiled: &CompiledRule) {
        // Lanes beyond the rows are computed too, from values of the last block, and ignored.
        let lanes = self.rows.next_multiple_of(8).min(LANES);
        for i in 0..lanes {
            [self.x0[i], self.q[i], self.measured[i]] = compiled.reference(&self.position::<ALL>(i));
        }
        compiled.lookup.tiers_at(&self.measured[..lanes], &mut self.at[..lanes]);
        for i in 0..lanes {
            let step = &compiled.lookup.tiers[self.at[i] as usize];
            (self.mmr[i], self.deduction[i], self.max_leverage[i]) =
                (step.mmr, step.deduction, step.max_leverage);
            (self.from[i], self.to[i]) = (step.from, step.to);
        }
        for i in 0..lanes {
            let p = self.position::<ALL>(i);
            let step = TierParams { mmr: self.mmr[i], deduction: self.deduction[i], ..TierParams::default() };
            let lines = compiled.lines(&p, self.x0[i], self.q[i], &step);
            (self.a[i], self.k[i], self.f[i]) = (lines.a, lines.k, lines.f);
            self.x[i] = compiled.intersection(&lines, step.mmr, step.deduction);
            let there = compiled.measure_at_intersection(&lines, self.measured[i], self.x[i]);
            self.leaves_tier[i] = if there >= self.from[i] && there < self.to[i] { 0.0 } else { 1.0 };
            self.bankruptcy[i] = compiled.price(lines.bankrupt);
            let valid = compiled.is_valid(&p, &lines, self.measured[i], self.max_leverage[i]);
            self.valid[i] = if valid { 1.0 } else { 0.0 };
        }
        for i in 0..self.rows {
            if self.leaves_tier[i] > 0.0 {
                let (x, at) = compiled.settle_tier(&self.lines(i), self.measured[i], self.at[i] as usize);
                (self.x[i], self.at[i]) = (x, at as u64);
            }
        }
        for i in 0..lanes {
            self.price[i] = compiled.price(self.x[i]) + compiled.offset;
        }
        for i in 0..self.rows {
            self.tier[i] = compiled.lookup.tiers[self.at[i] as usize].number;
            self.reason[i] = if self.price[i].is_nan() { Reason::Covered } else { Reason::None } as i8;
            if self.valid[i] == 0.0 {
                let alone = compiled.solve_special_case(&self.position::<true>(i));
                (self.price[i], self.bankruptcy[i]) = (alone.price, alone.bankruptcy);
                (self.tier[i], self.reason[i]) = (alone.tier, alone.reason as i8);
            }
        }
    }

    /// Results for rows without a rule: no price, and a reason.
    pub fn reject(&mut self, rows: usize, reason: Reason) {
        self.rows = rows;
        self.price.fill(f64::NAN);
        self.bankruptcy.fill(f64::NAN);
        self.tier.fill(0);
        self.reason.fill(reason as i8);
    }
}
