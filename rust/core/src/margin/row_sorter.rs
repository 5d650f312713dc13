//! Sorts blocks of 2,048 rows by rule, so that columns are streamed sequentially and random access stays within the
//! first two cache levels.

use std::ops::Range;

use super::block::{Block, LANES};
use super::columns::{Columns, RuleCodes};
use super::compiled_rules::CompiledRules;

/// Rows per sorted block.
pub const SORTED: usize = 1 << 11;

pub struct RowSorter {
    codes: Vec<u32>,
    /// Position of each row in the sorted block.
    pub slots: Vec<u32>,
    /// End of each rule's rows; rows without a known rule come last, under one more entry.
    ends: Vec<usize>,
    /// The columns that are present, in sorted order.
    inputs: [Vec<f64>; 10],
    of_accounts: bool,
    block: Block,
    pub price: Vec<f64>,
    pub bankruptcy: Vec<f64>,
    pub tier: Vec<i32>,
    pub reason: Vec<i8>,
}

impl RowSorter {
    pub fn new(rules: &CompiledRules, columns: &Columns<'_>) -> Self {
        Self {
            codes: Vec::with_capacity(SORTED),
            slots: Vec::with_capacity(SORTED),
            ends: vec![0; rules.len() + 1],
            inputs: columns.numbers().map(|column| vec![0.0; if column.is_some() { SORTED } else { 0 }]),
            of_accounts: columns.of_accounts(),
            block: Block::new(),
            price: vec![0.0; SORTED],
            bankruptcy: vec![0.0; SORTED],
            tier: vec![0; SORTED],
            reason: vec![0; SORTED],
        }
    }

    /// Compute the sorted position of every row by counting sort.
    #[inline(always)]
    pub fn assign_slots(&mut self, source: &impl RuleCodes, rows: Range<usize>) {
        self.codes.resize(rows.len(), 0);
        self.slots.resize(rows.len(), 0);
        source.fill(rows.start, &mut self.codes);
        let beyond = self.ends.len() - 1;
        self.ends.fill(0);
        for &code in &self.codes {
            self.ends[(code as usize).min(beyond)] += 1;
        }
        let mut before = 0;
        for end in &mut self.ends {
            before += std::mem::replace(end, before);
        }
        for (slot, &code) in self.slots.iter_mut().zip(&self.codes) {
            let at = &mut self.ends[(code as usize).min(beyond)];
            *slot = *at as u32;
            *at += 1;
        }
    }

    /// Copy the columns of these rows into sorted order.
    #[inline(always)]
    pub fn scatter(&mut self, columns: &Columns<'_>, rows: Range<usize>) {
        for (sorted, column) in self.inputs.iter_mut().zip(columns.numbers()) {
            let Some(column) = column else { continue };
            for (value, &slot) in column[rows.clone()].iter().zip(&self.slots) {
                sorted[slot as usize] = *value;
            }
        }
    }

    /// Solve the sorted rows rule by rule, so that everything that depends on the rule is constant within a loop.
    #[inline(always)]
    pub fn solve(&mut self, rules: &CompiledRules) {
        let block = &mut self.block;
        let mut begin = 0;
        for (code, &end) in (0..).zip(&self.ends) {
            while begin < end {
                let rows = begin..end.min(begin + LANES);
                match rules.get(code) {
                    Ok(compiled) => {
                        block.load(&self.inputs, rows.clone());
                        if self.of_accounts {
                            block.solve::<true>(compiled);
                        } else {
                            block.solve::<false>(compiled);
                        }
                    }
                    Err(reason) => block.reject(rows.len(), reason),
                }
                begin = rows.end;
                let n = rows.len();
                self.price[rows.clone()].copy_from_slice(&block.price[..n]);
                self.bankruptcy[rows.clone()].copy_from_slice(&block.bankruptcy[..n]);
                self.tier[rows.clone()].copy_from_slice(&block.tier[..n]);
                self.reason[rows].copy_from_slice(&block.reason[..n]);
            }
        }
    }
}

/// Copy sorted values back into the order of the rows.
#[inline(always)]
pub fn gather<T: Copy>(sorted: &[T], slots: &[u32], values: &mut [T]) {
    for (value, &slot) in values.iter_mut().zip(slots) {
        *value = sorted[slot as usize];
    }
}
