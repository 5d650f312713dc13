//! Sweep, rounds, thresholds and a brute_force-force search agree in whole ticks and reproduce the tables of the method
//! document.

// Notionals are sums of the same numbers in the same order, and therefore equal to the bit.
#![allow(clippy::float_cmp)]

use liqmap_core::cascade::{Levels, rounds, sweep, thresholds};
use liqmap_core::depth::Curve;
use liqmap_core::response::{Market, Response, ShockKind};
use liqmap_core::scenarios::scenarios;
use proptest::prelude::*;

fn linear(per_unit: f64) -> Curve {
    Curve::new(&[1.0], &[per_unit], 1.0, 1.0, Some(1e12)).unwrap()
}

/// Five levels below 100,000; $1 of displacement per $1M; ticks of one cent.
const T2: ([i64; 5], [f64; 5]) =
    ([50_000, 80_000, 110_000, 200_000, 300_000], [300e6, 200e6, 500e6, 400e6, 300e6]);

#[test]
fn five_levels_by_hand() {
    let levels = Levels::new(&T2.0, &T2.1).unwrap();
    let curve = linear(1e6);
    let response = Market::new(&curve, ShockKind::News, 100.0, 9_999_999).unwrap().response(1.0).unwrap();
    for (shock, stop, liquidated, amplification, count) in [
        (400, 99_600, 0.0, 1.0, 1),
        (500, 99_000, 500e6, 2.0, 3),
        (650, 98_350, 1_000e6, 2.5385, 4),
        (1_000, 97_600, 1_400e6, 2.4, 4),
    ] {
        let result = rounds(&levels, &response, shock * 100);
        assert_eq!(result.outcome.stop, (100_000 - stop) * 100);
        assert_eq!(result.outcome.liquidated, liquidated);
        assert!((result.outcome.stop as f64 / (shock * 100) as f64 - amplification).abs() < 5e-5);
        assert_eq!(result.count(), count);
        assert_eq!(sweep(&levels, &response, shock * 100), result.outcome);
    }
    assert_eq!(thresholds(&levels, &response), [50_000, 50_000, 60_000, 100_000, 160_000]);
    let result = rounds(&levels, &response, 100_000);
    assert_eq!((0..5).map(|i| result.round_of_level(i)).collect::<Vec<_>>(), [1, 1, 2, 3, 0]);
}

#[test]
fn power_law_book() {
    let curve = Curve::new(&[0.01], &[600.0], 0.75, 0.75, Some(0.25)).unwrap();
    let scale = 1e6;
    let distance = [12_000, 15_000, 20_000, 30_000, 50_000];
    let levels = Levels::new(&distance, &[60.0, 120.0, 250.0, 100.0, 400.0]).unwrap();
    for (shock, sigma, stop, liquidated) in [
        (ShockKind::News, [12_000, 14_536, 17_992, 23_587, 41_524], 26_413, 430.0),
        (ShockKind::Flow, [12_000, 13_543, 15_391, 18_136, 33_215], 35_114, 530.0),
    ] {
        let response = Market::new(&curve, shock, scale, 999_999).unwrap().response(1.0).unwrap();
        let outcome = rounds(&levels, &response, 20_000).outcome;
        assert_eq!((outcome.stop, outcome.liquidated), (stop, liquidated), "{shock:?}");
        // Thresholds are whole ticks, rounded up: at most one tick above the exact value printed.
        for (found, printed) in thresholds(&levels, &response).iter().zip(sigma) {
            assert!((0..=1).contains(&(found - printed)), "{shock:?}: {found} against {printed}");
        }
    }
}

#[test]
fn uniform_density_amplifies_by_the_branching_ratio() {
    let curve = linear(1.0);
    let response = Market::new(&curve, ShockKind::News, 1e7, 9_999_999).unwrap().response(1.0).unwrap();
    let distance: Vec<i64> = (1..=1_000_000).collect();
    for rho in [0.1, 0.25, 0.5, 0.8] {
        let notional = vec![rho * 1e-7; distance.len()];
        let levels = Levels::new(&distance, &notional).unwrap();
        let stop = sweep(&levels, &response, 100_000).stop as f64 * 1e-7;
        assert!((stop / 0.01 - 1.0 / (1.0 - rho)).abs() < 2e-4, "ρ {rho}: {stop}");
    }
}

#[test]
fn flow_beyond_the_book_gives_a_lower_bound() {
    let curve = Curve::new(&[0.001, 0.01], &[1e6, 5e6], 1.0, 1.0, None).unwrap();
    let response = Market::new(&curve, ShockKind::News, 1e5, 99_999).unwrap().response(1.0).unwrap();
    let levels = Levels::new(&[100], &[6e6]).unwrap();
    let outcome = sweep(&levels, &response, 200);
    assert!(outcome.exhausted);
    assert_eq!(outcome.stop, 200 + 1_000, "at most the end of the known book");
    assert!(!sweep(&levels, &response, 99).exhausted, "no level is triggered, so there is no flow");
    // A book with a tenth of the depth is exhausted by a tenth of the flow.
    let thin = Market::new(&curve, ShockKind::News, 1e5, 99_999).unwrap().response(0.1).unwrap();
    assert!(sweep(&Levels::new(&[100], &[6e5]).unwrap(), &thin, 200).exhausted);
    assert!(!sweep(&Levels::new(&[100], &[4e5]).unwrap(), &thin, 200).exhausted);
}

#[test]
fn a_price_does_not_fall_below_one_tick() {
    let curve = linear(1.0);
    let response = Market::new(&curve, ShockKind::News, 1.0, 999).unwrap().response(1.0).unwrap();
    let outcome = sweep(&Levels::new(&[10, 2_000], &[5e3, 1.0]).unwrap(), &response, 10);
    assert_eq!((outcome.stop, outcome.fired, outcome.exhausted), (999, 1, true));
    assert_eq!(thresholds(&Levels::new(&[2_000], &[1.0]).unwrap(), &response), [i64::MAX]);
}

#[test]
fn invalid_input_is_rejected() {
    assert!(Levels::new(&[5, 4], &[1.0, 1.0]).is_err());
    assert!(Levels::new(&[-1], &[1.0]).is_err());
    assert!(Levels::new(&[1], &[f64::NAN]).is_err());
    assert!(Levels::new(&[1], &[-1.0]).is_err());
    assert!(Levels::new(&[1, 2], &[1.0]).is_err());
    assert!(Levels::new(&[i64::MAX], &[1.0]).is_err());
    let levels = Levels::new(&[1, 2], &[1.0, 2.0]).unwrap();
    assert_eq!(levels.notional_of_first(2).unwrap(), 3.0);
    assert!(levels.notional_of_first(3).is_err());
    assert!(Curve::new(&[], &[], 1.0, 1.0, None).is_err());
    assert!(Curve::new(&[0.1, 0.1], &[1.0, 2.0], 1.0, 1.0, None).is_err());
    assert!(Curve::new(&[0.1, 0.2], &[2.0, 1.0], 1.0, 1.0, None).is_err());
    assert!(Curve::new(&[f64::NAN], &[1.0], 1.0, 1.0, None).is_err());
    assert!(Curve::new(&[0.1], &[1.0], 0.0, 1.0, None).is_err());
    let curve = linear(1.0);
    assert!(Market::new(&curve, ShockKind::News, 1.0, 10).unwrap().response(0.0).is_err());
    assert!(Market::new(&curve, ShockKind::News, f64::INFINITY, 10).is_err());
    assert!(Market::new(&curve, ShockKind::News, 1.0, 0).is_err());
}

/// Every number of levels that reproduces itself is a fixed point; the result is the least displacement among them.
fn brute_force(levels: &Levels<'_>, response: &Response<'_>, shock: i64) -> i64 {
    (0..=levels.len())
        .map(|k| (k, response.phi(shock, levels.notional_of_first(k).unwrap())))
        .filter(|&(k, x)| levels.distance().iter().filter(|d| **d <= x).count() == k)
        .map(|(_, x)| x)
        .min()
        .unwrap()
}

prop_compose! {
    /// Few distinct distances, so that ties between levels, shock and stop are frequent.
    fn instance()(n in 0_usize..24)(
        distance in prop::collection::vec(0_i64..60, n),
        notional in prop::collection::vec(prop_oneof![Just(0.0), (1_u32..40).prop_map(f64::from)], n),
        knots in prop::collection::vec((1_u32..40, 1_u32..80), 1..6),
        head in prop_oneof![Just(1.0), 0.3..2.5],
        flow in any::<bool>(),
        multiplier in prop_oneof![Just(1.0), 0.05..4.0],
        shock in 0_i64..70,
        limit in 40_i64..200,
    ) -> (Vec<i64>, Vec<f64>, Curve, ShockKind, f64, i64, i64) {
        let mut distance = distance;
        distance.sort_unstable();
        let (mut x, mut d) = (0.0, 0.0);
        let (mut at, mut held) = (Vec::new(), Vec::new());
        for (dx, dd) in knots {
            x += f64::from(dx);
            d += f64::from(dd);
            at.push(x);
            held.push(d);
        }
        let curve = Curve::new(&at, &held, head, head, Some(x * 2.0)).unwrap();
        (distance, notional, curve, if flow { ShockKind::Flow } else { ShockKind::News }, multiplier, shock, limit)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12_000))]

    #[test]
    fn all_algorithms_find_the_least_fixed_point(
        (distance, notional, curve, kind, multiplier, shock, limit) in instance()
    ) {
        let levels = Levels::new(&distance, &notional).unwrap();
        let response = Market::new(&curve, kind, 1.0, limit).unwrap().response(multiplier).unwrap();
        let outcome = sweep(&levels, &response, shock);
        let result = rounds(&levels, &response, shock);
        prop_assert_eq!(result.outcome, outcome);
        prop_assert!(result.count() <= levels.len() + 1);
        prop_assert_eq!(brute_force(&levels, &response, shock), outcome.stop);
        let sigma = thresholds(&levels, &response);
        let fired = sigma.partition_point(|s| *s <= shock);
        // Levels without notional do not move the price, whether they are counted or not: only the displacement must
        // agree.
        prop_assert_eq!(response.phi(shock, levels.notional_of_first(fired).unwrap()), outcome.stop);
        prop_assert_eq!(fired, outcome.fired);
    }

    #[test]
    fn the_result_is_monotone_in_shock_notional_and_depth(
        (distance, notional, curve, kind, multiplier, shock, limit) in instance(),
        which in any::<prop::sample::Index>(), more in 1_u32..50,
    ) {
        let levels = Levels::new(&distance, &notional).unwrap();
        let response = Market::new(&curve, kind, 1.0, limit).unwrap().response(multiplier).unwrap();
        let base = sweep(&levels, &response, shock);
        let harder = sweep(&levels, &response, shock + 1);
        prop_assert!(harder.stop >= base.stop && harder.liquidated >= base.liquidated);
        let deeper = Market::new(&curve, kind, 1.0, limit).unwrap().response(multiplier * 1.5).unwrap();
        let calm = sweep(&levels, &deeper, shock);
        prop_assert!(calm.stop <= base.stop && calm.liquidated <= base.liquidated);
        if !notional.is_empty() {
            let mut grown = notional.clone();
            grown[which.index(notional.len())] += f64::from(more);
            let grown = sweep(&Levels::new(&distance, &grown).unwrap(), &response, shock);
            prop_assert!(grown.stop >= base.stop && grown.liquidated >= base.liquidated);
        }
    }

    #[test]
    fn depth_and_displacement_are_inverse((_, _, curve, ..) in instance(), q in 1e-3..300.0_f64) {
        let x = curve.displacement(q.ln());
        let back = curve.notional(x);
        if x < curve.max_displacement() {
            prop_assert!((back / q - 1.0).abs() < 1e-9, "{q} → {x} → {back}");
        } else {
            prop_assert!(q >= curve.capacity() * (1.0 - 1e-12));
        }
    }
}

/// Scenarios end where single cascades end, to the bit, on one thread or two, with and without the warm start (used for
/// large batches only).
#[test]
fn scenarios_are_cascades() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let strategy = (instance(), prop::collection::vec((0.001..0.9_f64, 0.05..4.0_f64), 1..1_500));
    runner
        .run(&strategy, |((distance, notional, curve, kind, _, _, limit), cases)| {
            let levels = Levels::new(&distance, &notional).unwrap();
            // Distances are below 60 ticks; a shock of 1 would be 80 ticks.
            let market = Market::new(&curve, kind, 80.0, limit).unwrap();
            let (shocks, multipliers): (Vec<f64>, Vec<f64>) = cases.into_iter().unzip();
            let results = scenarios(&levels, market, &shocks, &multipliers, Some(1)).unwrap();
            let down: Vec<f64> = shocks.iter().map(|s| -s).collect();
            prop_assert_eq!(&scenarios(&levels, market, &down, &multipliers, None).unwrap(), &results);
            prop_assert_eq!(&scenarios(&levels, market, &shocks, &multipliers, Some(2)).unwrap(), &results);
            for (i, (shock, multiplier)) in shocks.iter().zip(&multipliers).enumerate() {
                let alone = sweep(&levels, &market.response(*multiplier).unwrap(), market.ticks(*shock));
                prop_assert_eq!(market.ticks(results.displacement[i]), alone.stop);
                prop_assert_eq!(results.liquidated[i], alone.liquidated);
                prop_assert_eq!(results.exhausted[i], alone.exhausted);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn invalid_scenarios_are_rejected() {
    let curve = linear(1.0);
    let market = Market::new(&curve, ShockKind::News, 1.0, 10).unwrap();
    let levels = Levels::new(&[1], &[1.0]).unwrap();
    for (shocks, multipliers) in [
        (vec![0.1, 0.0], vec![1.0]),
        (vec![1.0], vec![1.0]),
        (vec![0.1, -0.1], vec![1.0]),
        (vec![-1.0], vec![1.0]),
        (vec![f64::NAN], vec![1.0]),
        (vec![0.1], vec![0.0]),
        (vec![0.1], vec![f64::INFINITY]),
        (vec![0.1, 0.1, 0.1], vec![1.0, 1.0]),
    ] {
        assert!(
            scenarios(&levels, market, &shocks, &multipliers, None).is_err(),
            "{shocks:?} {multipliers:?}"
        );
    }
    assert!(scenarios(&levels, market, &[], &[1.0], None).unwrap().liquidated.is_empty());
}
