use super::*;
use proptest::prelude::*;

fn brackets() -> Vec<Bracket> {
    [(2.0, 720.0, 0.2), (5.0, 168.0, 0.3), (20.0, 24.0, 0.2), (100.0, f64::INFINITY, 0.1)]
        .map(|(leverage, half_life_hours, share)| Bracket {
            long_distance: (1.0 / leverage - 0.004) / 0.996,
            short_distance: (1.0 / leverage - 0.004) / 1.004,
            long_share: share,
            short_share: share / 2.0,
            half_life_hours,
        })
        .to_vec()
}

/// Bars as rows of seven columns.
#[derive(Debug, Clone)]
struct History(Vec<[f64; 7]>);

impl History {
    fn column(&self, k: usize) -> Vec<f64> {
        self.0.iter().map(|row| row[k]).collect()
    }

    fn run(&self, engine: &mut Cohorts) -> Result<Predicted> {
        let c: Vec<Vec<f64>> = (0..7).map(|k| self.column(k)).collect();
        engine.advance(&Bars {
            hours: &c[0],
            low: &c[1],
            high: &c[2],
            close: &c[3],
            open_interest: &c[4],
            long_flow: &c[5],
            short_flow: &c[6],
        })
    }
}

fn history() -> impl Strategy<Value = History> {
    let bar = (-0.03..0.03_f64, 0.0..0.02_f64, 0.0..1.0_f64, 0.0..2e3_f64, 0.0..300.0_f64, 0.0..300.0_f64);
    prop::collection::vec(bar, 1..24).prop_map(|bars| {
        let mut price = 50_000.0;
        let rows = bars.into_iter().map(|(jump, range, at, oi, long, short)| {
            price *= f64::exp(jump);
            let (low, high) = (price * (1.0 - range), price * (1.0 + range));
            [1.0, low, high, low + (high - low) * at, oi, long, short]
        });
        History(rows.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn each_side_equals_open_interest_after_every_bar(history in history()) {
        let mut engine = Cohorts::new(&brackets(), 2.5e-4).unwrap();
        for row in &history.0 {
            History(vec![*row]).run(&mut engine).unwrap();
            let (oi, close) = (row[4], row[3]);
            for (side, (account, levels)) in engine.accounts().into_iter().zip(engine.levels()).enumerate() {
                let open = account.opened - account.closed - account.liquidated;
                let scale = 1e-9 * oi.max(1.0);
                prop_assert!((open - oi).abs() <= scale, "open {open} of {oi}");
                prop_assert!((account.mapped + account.unmapped - oi).abs() <= scale);
                prop_assert!(account.unmapped >= 0.0 && account.mapped >= 0.0);
                let mapped: f64 = levels.iter().map(|l| l.coin).sum();
                prop_assert!((mapped - account.mapped).abs() <= scale, "levels {mapped}, mapped {}", account.mapped);
                for level in levels {
                    let beyond = if side == 0 { level.price < close } else { level.price > close };
                    prop_assert!(beyond);
                }
            }
        }
    }

    #[test]
    fn advancing_in_parts_equals_advancing_at_once(history in history(), cut in 0_usize..24) {
        let cut = cut.min(history.0.len());
        let mut whole = Cohorts::new(&brackets(), 2.5e-4).unwrap();
        let all = history.run(&mut whole).unwrap();
        let mut pieces = Cohorts::new(&brackets(), 2.5e-4).unwrap();
        let mut usd = History(history.0[..cut].to_vec()).run(&mut pieces).unwrap().usd;
        usd.extend(History(history.0[cut..].to_vec()).run(&mut pieces).unwrap().usd);
        prop_assert_eq!(all.usd, usd);
        prop_assert_eq!(whole.accounts(), pieces.accounts());
        prop_assert_eq!(whole.levels(), pieces.levels());
    }
}

#[test]
fn a_long_opens_at_its_distance_and_is_liquidated_when_the_price_reaches_it() {
    let one = Bracket {
        long_distance: 0.1,
        short_distance: 0.1,
        long_share: 0.5,
        short_share: 0.0,
        half_life_hours: f64::INFINITY,
    };
    let mut engine = Cohorts::new(&[one], 2.5e-4).unwrap();
    let quiet = |price: f64, flow: f64| [1.0, price, price, price, 1_000.0, flow, flow];
    History(vec![quiet(50_000.0, 100.0)]).run(&mut engine).unwrap();
    let [long, short] = engine.levels();
    assert_eq!(long.len(), 1);
    assert!((long[0].price / 45_000.0 - 1.0).abs() < 2.5e-4 && (long[0].coin - 50.0).abs() < 1e-9);
    assert!(short.is_empty());
    let near = History(vec![quiet(45_100.0, 0.0)]).run(&mut engine).unwrap();
    assert_eq!(near.usd, vec![0.0, 0.0]);
    let through = History(vec![quiet(44_900.0, 0.0)]).run(&mut engine).unwrap();
    assert!((through.usd[0] / (50.0 * 45_000.0) - 1.0).abs() < 2.5e-4);
    let [account, _] = engine.accounts();
    assert_eq!((account.mapped, account.unmapped, account.liquidated), (0.0, 1_000.0, 50.0));
    // 1,000 at the start; 50 turned from unmapped to mapped; 50 were taken over by other traders at liquidation.
    assert_eq!((account.opened, account.closed), (1_100.0, 50.0));
}

#[test]
fn half_of_a_bracket_remains_after_its_half_life() {
    let mut bracket = brackets()[2];
    bracket.half_life_hours = 24.0;
    let mut engine = Cohorts::new(&[bracket], 2.5e-4).unwrap();
    let bar = |hours: f64, flow: f64| [hours, 5e4, 5e4, 5e4, 1_000.0, flow, 0.0];
    History(vec![bar(0.0, 100.0), bar(12.0, 0.0), bar(12.0, 0.0)]).run(&mut engine).unwrap();
    let [long, _] = engine.accounts();
    // 20 replaced unmapped positions, then half of them were closed.
    assert!((long.mapped - 10.0).abs() < 1e-12 && (long.closed - 30.0).abs() < 1e-9);
}

#[test]
fn flow_beyond_open_interest_is_rescaled_and_counted() {
    let mut engine = Cohorts::new(&brackets(), 2.5e-4).unwrap();
    let bars = History(vec![[1.0, 5e4, 5e4, 5e4, 10.0, 1e3, 0.0]]);
    assert_eq!(bars.run(&mut engine).unwrap().rescaled, 1);
    let [long, _] = engine.accounts();
    assert!((long.mapped - 10.0).abs() < 1e-9 && long.unmapped.abs() < 1e-9);
}

#[test]
fn invalid_input_is_rejected_and_changes_nothing() {
    let mut engine = Cohorts::new(&brackets(), 2.5e-4).unwrap();
    let before = engine.clone();
    let good = [1.0, 5e4, 5e4, 5e4, 10.0, 0.0, 0.0];
    for (column, value) in
        [(0, -1.0), (1, f64::NAN), (2, 4e4), (3, 6e4), (4, -1.0), (5, f64::INFINITY), (1, 0.0)]
    {
        let mut bad = good;
        bad[column] = value;
        assert!(History(vec![good, bad]).run(&mut engine).is_err(), "{column} {value}");
        assert_eq!(engine, before);
    }
    assert!(Cohorts::new(&brackets(), 0.0).is_err());
    let mut heavy = brackets();
    heavy[0].long_share = 0.9;
    assert!(Cohorts::new(&heavy, 2.5e-4).is_err());
    assert!(Cohorts::new(&[], 2.5e-4).is_err());
    assert!(
        Cohorts::new(&vec![Bracket { long_share: 0.0, short_share: 0.0, ..brackets()[0] }; 257], 2.5e-4)
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_restored_state_continues_with_identical_bits(history in history(), cut in 0_usize..24) {
        let cut = cut.min(history.0.len());
        let mut whole = Cohorts::new(&brackets(), 2.5e-4).unwrap();
        History(history.0[..cut].to_vec()).run(&mut whole).unwrap();
        let mut resumed = Cohorts::from_bytes(&whole.to_bytes().unwrap()).unwrap();
        let difference = History(history.0[cut..].to_vec());
        prop_assert_eq!(difference.run(&mut whole).unwrap(), difference.run(&mut resumed).unwrap());
        prop_assert_eq!(whole, resumed);
    }

    #[test]
    fn the_density_contains_every_level(history in history()) {
        let mut engine = Cohorts::new(&brackets(), 2.5e-4).unwrap();
        history.run(&mut engine).unwrap();
        let first = (20_000.0_f64.ln() / 2.5e-4) as i64;
        let (cells, outside) = engine.density(&[0..2, 2..4], first, 4, 2_500).unwrap();
        for (side, levels) in engine.levels().into_iter().enumerate() {
            let usd: f64 = levels.iter().map(|l| l.coin * l.price).sum();
            let sum: f64 = cells[side * 5_000..(side + 1) * 5_000].iter().sum::<f64>() + outside[side];
            prop_assert!((usd - sum).abs() <= 1e-9 * usd.max(1.0));
            for level in &levels {
                let bin = ((level.price.ln() / 2.5e-4).floor() as i64 - first) / 4;
                let group = level.bracket / 2;
                if (0..2_500).contains(&bin) {
                    prop_assert!(cells[side * 5_000 + group * 2_500 + bin as usize] > 0.0);
                }
            }
        }
    }
}

#[test]
fn prices_too_far_apart_for_the_axis_are_rejected_and_change_nothing() {
    let mut engine = Cohorts::new(&brackets(), 1e-6).unwrap();
    let before = engine.clone();
    let fault = History(vec![[1.0, 1e-300, 1e300, 1.0, 10.0, 0.0, 0.0]]).run(&mut engine).unwrap_err();
    assert!(fault.to_string().contains("low"), "{fault}");
    assert_eq!(engine, before);
}

#[test]
fn a_damaged_state_is_rejected() {
    let engine = Cohorts::new(&brackets(), 2.5e-4).unwrap();
    let bytes = engine.to_bytes().unwrap();
    for bad in [&bytes[..0], &bytes[..bytes.len() - 3], b"liqmap-cohorts-2\nxxx"] {
        assert!(Cohorts::from_bytes(bad).is_err());
    }
}
