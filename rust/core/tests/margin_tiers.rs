//! Tier tables are validated before use.

use liqmap_core::margin::{Tier, Tiers};

fn row(number: i32, floor: f64, cap: f64, mmr: f64) -> Tier {
    Tier { number, floor, cap, max_leverage: 10.0, mmr, deduction: f64::NAN }
}

#[test]
fn missing_deductions_follow_from_the_tiers_below() {
    // Binance BTCUSDT perpetual, 2026-09-29: the deductions published by the exchange are 0, 300, 1500 and 12000.
    let rows = vec![
        row(3, 800_000.0, 3e6, 0.0065),
        row(1, 0.0, 300_000.0, 0.004),
        row(2, 300_000.0, 800_000.0, 0.005),
        row(4, 3e6, 12e6, 0.01),
    ];
    let tiers = Tiers::new("binance:BTCUSDT", rows).unwrap();
    let deductions: Vec<f64> = tiers.rows().iter().map(|t| t.deduction.round()).collect();
    assert_eq!(deductions, [0.0, 300.0, 1_500.0, 12_000.0]);
}

#[test]
fn gaps_overlaps_and_invalid_rates_are_rejected() {
    let rejected = |rows: Vec<Tier>| Tiers::new("x", rows).unwrap_err().to_string();
    assert_eq!(rejected(vec![]), "x: no tier (expected one tier or more)");
    assert_eq!(
        rejected(vec![row(1, 5.0, 9.0, 0.01)]),
        "x, tier 1: floor 5 (expected the cap of the tier below, 0)"
    );
    let overlap = vec![row(1, 0.0, 9.0, 0.01), row(2, 8.0, 20.0, 0.02)];
    assert_eq!(rejected(overlap), "x, tier 2: floor 8 (expected the cap of the tier below, 9)");
    assert_eq!(rejected(vec![row(1, 0.0, 0.0, 0.01)]), "x, tier 1: cap 0 (expected a cap above the floor 0)");
    for mmr in [0.0, -0.1, 1.5, f64::NAN] {
        assert!(rejected(vec![row(1, 0.0, 9.0, mmr)]).contains("a fraction above 0, at most 1"));
    }
    let idle = Tier { max_leverage: 0.0, ..row(1, 0.0, 9.0, 0.01) };
    assert_eq!(rejected(vec![idle]), "x, tier 1: max leverage 0 (expected 1 or more)");
}
