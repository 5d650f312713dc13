//! A batch of positions gives the results of single positions, for every split and number of threads.

use liqmap_core::margin::{
    Columns, CompiledRules, Contract, Mode, Payoff, Position, Reason, Side, SolvedColumns, Tier, Tiers,
    liquidation_prices, venue,
};

const ROWS: usize = 200_003;

fn table(scale: f64) -> Tiers {
    let row = |number, floor: f64, cap: f64, max_leverage, mmr| Tier {
        number,
        floor: floor * scale,
        cap: cap * scale,
        max_leverage,
        mmr,
        deduction: f64::NAN,
    };
    Tiers::new(
        "tiers",
        vec![row(1, 0.0, 1.0, 100.0, 0.004), row(2, 1.0, 4.0, 50.0, 0.01), row(3, 4.0, 20.0, 20.0, 0.025)],
    )
    .unwrap()
}

fn rules() -> CompiledRules {
    let mut rules = CompiledRules::default();
    for (name, payoff, scale) in [
        ("binance", Payoff::Linear, 3e5),
        ("binance", Payoff::Inverse, 5.0),
        ("okx", Payoff::Linear, 10.0),
        ("bybit", Payoff::Linear, 2e6),
        ("hyperliquid", Payoff::Linear, 1e8),
        ("nowhere", Payoff::Linear, 1.0),
    ] {
        let tables = vec![(1_000, table(scale)), (2_000, table(2.0 * scale))];
        rules.add(&Contract { venue: venue(name), payoff, tick: 0.1, tables });
    }
    rules
}

/// Reproducible numbers in [0, 1).
fn noise(i: usize, salt: u64) -> f64 {
    let mut x = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 11) as f64 / (1u64 << 53) as f64
}

struct Portfolio {
    rule_codes: Vec<u32>,
    columns: [Vec<f64>; 6],
}

impl Portfolio {
    fn new(rules: &CompiledRules) -> Self {
        let column = |salt, f: fn(f64) -> f64| (0..ROWS).map(|i| f(noise(i, salt))).collect::<Vec<_>>();
        let code = |i: usize| {
            let side = if noise(i, 1) < 0.5 { Side::Long } else { Side::Short };
            let mode = if noise(i, 2) < 0.5 { Mode::Isolated } else { Mode::Cross };
            rules.code(i % 6, side, mode, Some(500 + (noise(i, 9) * 2_000.0) as i64))
        };
        Self {
            rule_codes: (0..ROWS).map(code).collect(),
            columns: [
                column(3, |u| 1e-3 * 1e6_f64.powf(u) - 0.01),
                column(4, |u| 60_000.0 + 10_000.0 * u),
                column(5, |u| 65_000.0 + 1_000.0 * u),
                column(6, |u| 0.5 + 120.0 * u),
                column(7, |u| if u < 0.5 { f64::NAN } else { 10_000.0 * u }),
                column(8, |u| if u < 0.2 { f64::NAN } else { 100.0 * u }),
            ],
        }
    }

    fn codes(&self, from: usize, to: usize) -> &[u32] {
        &self.rule_codes[from..to]
    }

    fn slice(&self, from: usize, to: usize) -> Columns<'_> {
        let [size, entry, mark, leverage, margin, maintenance] =
            self.columns.each_ref().map(|c| &c[from..to]);
        Columns {
            size,
            entry,
            mark: Some(mark),
            leverage: Some(leverage),
            margin: Some(margin),
            maintenance: Some(maintenance),
            ..Columns::default()
        }
    }
}

fn bits(words: &[u64], i: usize) -> bool {
    words[i / 64] >> (i % 64) & 1 == 1
}

fn check(rules: &CompiledRules, codes: &[u32], columns: &Columns<'_>, out: &SolvedColumns) {
    for (i, &code) in codes.iter().enumerate() {
        let p: Position = columns.position(i);
        match rules.get(code) {
            Ok(compiled) => {
                let alone = compiled.solve(&p);
                assert_eq!(alone.price.to_bits(), out.price[i].to_bits());
                assert_eq!(alone.bankruptcy.to_bits(), out.bankruptcy[i].to_bits());
                assert_eq!((alone.reason as i8, alone.tier), (out.reason[i], out.tier[i]));
            }
            Err(reason) => assert_eq!((reason as i8, out.price[i].is_nan()), (out.reason[i], true)),
        }
        assert_eq!(bits(&out.has_price, i), out.reason[i] == Reason::None as i8);
        assert_eq!(bits(&out.has_price, i), !out.price[i].is_nan());
        assert_eq!(bits(&out.has_bankruptcy, i), !out.bankruptcy[i].is_nan());
    }
}

#[test]
fn rows_equal_single_positions_and_every_reason_occurs() {
    let rules = rules();
    let portfolio = Portfolio::new(&rules);
    let out = liquidation_prices(&rules, &portfolio.codes(0, ROWS), &portfolio.slice(0, ROWS)).unwrap();
    check(&rules, portfolio.codes(0, ROWS), &portfolio.slice(0, ROWS), &out);
    for reason in [
        Reason::None,
        Reason::Venue,
        Reason::Tiers,
        Reason::Size,
        Reason::Leverage,
        Reason::MaxLeverage,
        Reason::LastTier,
        Reason::Account,
        Reason::Covered,
    ] {
        assert!(out.reason.contains(&(reason as i8)), "{}", reason.text());
    }
}

#[test]
fn results_do_not_depend_on_splits_or_threads() {
    let rules = rules();
    let portfolio = Portfolio::new(&rules);
    let whole = liquidation_prices(&rules, &portfolio.codes(0, ROWS), &portfolio.slice(0, ROWS)).unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = one.install(|| {
        liquidation_prices(&rules, &portfolio.codes(0, ROWS), &portfolio.slice(0, ROWS)).unwrap()
    });
    assert_eq!(whole.reason, alone.reason);
    assert!(whole.price.iter().zip(&alone.price).all(|(a, b)| a.to_bits() == b.to_bits()));
    for (from, to) in [(0, 0), (0, 1), (5, 68), (63, 65), (1_000, 131_072 + 77)] {
        let part =
            liquidation_prices(&rules, &portfolio.codes(from, to), &portfolio.slice(from, to)).unwrap();
        check(&rules, portfolio.codes(from, to), &portfolio.slice(from, to), &part);
        assert!(whole.price[from..to].iter().zip(&part.price).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

#[test]
fn columns_of_different_lengths_are_rejected() {
    let rules = rules();
    let portfolio = Portfolio::new(&rules);
    let mut columns = portfolio.slice(0, 10);
    columns.margin = Some(&[1.0]);
    let fault = liquidation_prices(&rules, &portfolio.codes(0, 10), &columns).unwrap_err();
    assert_eq!(fault.to_string(), "margin: 1 rows (expected 10 rows, as in every column)");
}
