//! A venue's margin tiers for one instrument, as of one date.

use super::rule::Rule;
use crate::error::{CoreError, Result};

/// Relative tolerance at tier edges, so that for example `1000 · 0.01` contracts count as exactly on the edge.
const EDGE: f64 = 1e-12;

/// One row of a tier table. Amounts are in the unit by which the venue counts tiers: notional in settlement currency,
/// or size (coin; USD face value of an inverse contract) if the rule says `by_size`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// The venue's number of the tier.
    pub number: i32,
    /// Lower end of the tier.
    pub floor: f64,
    /// Upper end of the tier, or infinite.
    pub cap: f64,
    /// Maximum leverage; infinite if the venue states none.
    pub max_leverage: f64,
    /// Maintenance margin rate, a fraction.
    pub mmr: f64,
    /// Maintenance deduction, in settlement currency; NaN if it is to be derived from the tiers below.
    pub deduction: f64,
}

/// A validated tier table in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiers {
    rows: Vec<Tier>,
}

impl Tiers {
    /// Sort and validate the rows, and derive missing deductions: `c_n = c_{n−1} + floor_n · (m_n − m_{n−1})`. `place`
    /// names the table in errors.
    ///
    /// # Errors
    /// No rows, a rate outside (0, 1], a gap or overlap between tiers, a first tier that does not start at 0.
    pub fn new(place: &str, mut rows: Vec<Tier>) -> Result<Self> {
        rows.sort_by(|a, b| a.floor.total_cmp(&b.floor));
        let bad = |tier: &Tier, found: String, expected: &str| {
            Err(CoreError::tiers(format!("{place}, tier {}", tier.number), found, expected))
        };
        let mut edge = 0.0;
        let mut below: Option<Tier> = None;
        for row in &mut rows {
            if (row.floor - edge).abs() > EDGE * edge || !row.floor.is_finite() {
                return bad(
                    row,
                    format!("floor {}", row.floor),
                    &format!("the cap of the tier below, {edge}"),
                );
            }
            if row.cap.is_nan() || row.cap <= row.floor {
                return bad(row, format!("cap {}", row.cap), &format!("a cap above the floor {}", row.floor));
            }
            if !(row.mmr > 0.0 && row.mmr <= 1.0) {
                return bad(row, format!("mmr {}", row.mmr), "a fraction above 0, at most 1");
            }
            if row.max_leverage.is_nan() || row.max_leverage < 1.0 {
                return bad(row, format!("max leverage {}", row.max_leverage), "1 or more");
            }
            if row.deduction.is_nan() {
                row.deduction = below.map_or(0.0, |b| b.deduction + row.floor * (row.mmr - b.mmr));
            }
            edge = row.cap;
            below = Some(*row);
        }
        if rows.is_empty() {
            return Err(CoreError::tiers(place, "no tier", "one tier or more"));
        }
        Ok(Self { rows })
    }

    /// The rows, lowest first.
    #[must_use]
    pub fn rows(&self) -> &[Tier] {
        &self.rows
    }

    /// The table as the solver reads it under a rule.
    pub(super) fn lookup(&self, rule: &Rule) -> TierLookup {
        let edge_factor = if rule.cap_inclusive { 1.0 + EDGE } else { 1.0 - EDGE };
        let edges: Vec<f64> = self.rows[1..].iter().map(|t| t.floor * edge_factor).collect();
        let tiers = self.rows.iter().enumerate().map(|(i, t)| TierParams {
            mmr: t.mmr,
            deduction: if rule.deducts { t.deduction } else { 0.0 },
            // Infinite leverage exceeds any maximum.
            max_leverage: (t.max_leverage * (1.0 + EDGE)).min(f64::MAX),
            cap: t.cap,
            from: if i == 0 { f64::NEG_INFINITY } else { edges[i - 1] },
            to: edges.get(i).copied().unwrap_or(f64::INFINITY),
            number: t.number,
        });
        let tiers = tiers.collect();
        TierLookup { edges, last: self.rows.last().map_or(f64::INFINITY, |t| t.cap * (1.0 + EDGE)), tiers }
    }
}

/// Parameters of one tier for the solver.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct TierParams {
    pub mmr: f64,
    pub deduction: f64,
    pub max_leverage: f64,
    pub cap: f64,
    /// Lower end of the tier, the upper end being `to`.
    pub from: f64,
    pub to: f64,
    pub number: i32,
}

/// A tier table for lookups, with the edges in contiguous memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TierLookup {
    pub edges: Vec<f64>,
    pub last: f64,
    pub tiers: Vec<TierParams>,
}

impl TierLookup {
    /// The tier of an amount; beyond the last cap, the last tier.
    #[inline]
    pub fn tier_at(&self, notional: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= notional)
    }

    /// The tiers of many amounts: edges are few, so counting those below needs no branch.
    #[inline]
    pub fn tiers_at(&self, notionals: &[f64], tiers: &mut [u64]) {
        for (notionals, tiers) in notionals.as_chunks::<8>().0.iter().zip(tiers.as_chunks_mut::<8>().0) {
            *tiers = [0; 8];
            for &edge in &self.edges {
                for (tier, &notional) in tiers.iter_mut().zip(notionals) {
                    *tier += u64::from(edge <= notional);
                }
            }
        }
    }
}
