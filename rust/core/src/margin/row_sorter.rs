//! Where a few thousand rows lie in the order of their plans: long columns are read and written from end to end, and only
//! this, which a near cache holds, is gone over out of order.

use std::ops::Range;

use super::batch::{Codes, Columns};
use super::block::{Block, LANES};
use super::compiled_rules::Plans;

/// Rows on the desk.
pub const SORTED: usize = 1 << 11;

pub struct Desk {
    codes: Vec<u32>,
    /// The place of each row.
    pub places: Vec<u32>,
    /// Where each plan's rows end; codes that no plan has come last, under one more.
    ends: Vec<usize>,
    /// Columns that are there, in the order of their places.
    inputs: [Vec<f64>; 10],
    of_accounts: bool,
    block: Block,
    pub price: Vec<f64>,
    pub bankruptcy: Vec<f64>,
    pub tier: Vec<i32>,
    pub reason: Vec<i8>,
}

impl Desk {
    pub fn new(plans: &Plans, columns: &Columns<'_>) -> Self {
        Self {
            codes: Vec::with_capacity(SORTED),
            places: Vec::with_capacity(SORTED),
            ends: vec![0; plans.len() + 1],
            inputs: columns.numbers().map(|column| vec![0.0; if column.is_some() { SORTED } else { 0 }]),
            of_accounts: columns.of_accounts(),
            block: Block::new(),
            price: vec![0.0; SORTED],
            bankruptcy: vec![0.0; SORTED],
            tier: vec![0; SORTED],
            reason: vec![0; SORTED],
        }
    }

    /// Give every row its place: a counting sort.
    #[inline(always)]
    pub fn sort(&mut self, source: &impl Codes, rows: Range<usize>) {
        self.codes.resize(rows.len(), 0);
        self.places.resize(rows.len(), 0);
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
        for (place, &code) in self.places.iter_mut().zip(&self.codes) {
            let at = &mut self.ends[(code as usize).min(beyond)];
            *place = *at as u32;
            *at += 1;
        }
    }

    /// Put the numbers of these rows in their places.
    #[inline(always)]
    pub fn take(&mut self, columns: &Columns<'_>, rows: Range<usize>) {
        for (sorted, column) in self.inputs.iter_mut().zip(columns.numbers()) {
            let Some(column) = column else { continue };
            for (value, &place) in column[rows.clone()].iter().zip(&self.places) {
                sorted[place as usize] = *value;
            }
        }
    }

    /// Solve what lies here, plan by plan, so that everything that depends on the rule stands still inside the loops.
    #[inline(always)]
    pub fn solve(&mut self, plans: &Plans) {
        let block = &mut self.block;
        let mut begin = 0;
        for (code, &end) in (0..).zip(&self.ends) {
            while begin < end {
                let rows = begin..end.min(begin + LANES);
                match plans.get(code) {
                    Ok(plan) => {
                        block.load(&self.inputs, rows.clone());
                        if self.of_accounts {
                            block.solve::<true>(plan);
                        } else {
                            block.solve::<false>(plan);
                        }
                    }
                    Err(reason) => block.refuse(rows.len(), reason),
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

/// Take every value from its place.
#[inline(always)]
pub fn gather<T: Copy>(sorted: &[T], places: &[u32], values: &mut [T]) {
    for (value, &place) in values.iter_mut().zip(places) {
        *value = sorted[place as usize];
    }
}
