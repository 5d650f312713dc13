//! A venue's margin tiers for one instrument, as of one date.

use super::rule::Rule;
use crate::error::{CoreError, Result};

/// Edges are compared with this much slack, relative, so that `1000 · 0.01` contracts sit on the edge they are on.
const EDGE: f64 = 1e-12;

/// One row of a tier table. Notional is in the unit the venue counts its tiers by: settlement currency at the price, or
/// size (coin; USD face of an inverse contract) where the rule says `by_size`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// The venue's number of the tier.
    pub number: i32,
    /// Where it begins.
    pub floor: f64,
    /// Where it ends; infinite: nowhere.
    pub cap: f64,
    /// Highest leverage; infinite where the venue names none.
    pub max_leverage: f64,
    /// Maintenance margin rate, a fraction.
    pub mmr: f64,
    /// Maintenance deduction, settlement currency; NaN: follows from the tiers below.
    pub deduction: f64,
}

/// A checked tier table in the order of its floors.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiers {
    rows: Vec<Tier>,
}

impl Tiers {
    /// Order and check the rows, and chain missing deductions: `c_n = c_{n−1} + floor_n · (m_n − m_{n−1})`.
    ///
    /// # Errors
    /// No row, a rate outside (0, 1], a gap or an overlap between tiers, a first tier that does not begin at 0.
    pub fn new(place: &str, mut rows: Vec<Tier>) -> Result<Self> {
        rows.sort_by(|a, b| a.floor.total_cmp(&b.floor));
        let bad = |tier: &Tier, found: String, expected: &str| {
            Err(CoreError::new(format!("{place}, tier {}", tier.number), found, expected))
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
            return Err(CoreError::new(place, "no tier", "one tier or more"));
        }
        Ok(Self { rows })
    }

    /// The rows, lowest first.
    #[must_use]
    pub fn rows(&self) -> &[Tier] {
        &self.rows
    }

    /// What the solver reads under a rule.
    pub(super) fn lookup(&self, rule: &Rule) -> TierLookup {
        let edge_factor = if rule.cap_inclusive { 1.0 + EDGE } else { 1.0 - EDGE };
        let edges: Vec<f64> = self.rows[1..].iter().map(|t| t.floor * edge_factor).collect();
        let tiers = self.rows.iter().enumerate().map(|(i, t)| TierParams {
            mmr: t.mmr,
            deduction: if rule.deducts { t.deduction } else { 0.0 },
            // An infinite leverage is above any maximum.
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

/// A tier as the solver reads it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct TierParams {
    pub mmr: f64,
    pub deduction: f64,
    pub max_leverage: f64,
    pub cap: f64,
    /// Between these the tier holds.
    pub from: f64,
    pub to: f64,
    pub number: i32,
}

/// A tier table laid out for look-ups: the edges alone in one run of memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TierLookup {
    pub edges: Vec<f64>,
    pub last: f64,
    pub tiers: Vec<TierParams>,
}

impl TierLookup {
    /// The tier of a notional; beyond the last cap, the last.
    #[inline]
    pub fn tier_at(&self, notional: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= notional)
    }

    /// The tiers of many notionals: edges are few, and counting those below takes no branch.
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
