//! Cascade dynamics: the tables of the method document, and the plain cascade as the limiting case of each extension.

use liqmap_core::cascade::dynamics::{
    CoupledVenue, Rebound, ReplayParams, coupled, deleverage, replay, whipsaw,
};
use liqmap_core::cascade::{Levels, rounds, sweep};
use liqmap_core::depth::Curve;
use liqmap_core::response::{Market, ShockKind};
use proptest::prelude::*;

/// Five levels below 100,000; $1 of displacement per $1M, in fractions of the mark; ticks of one cent.
const DISTANCE: [i64; 5] = [50_000, 80_000, 110_000, 200_000, 300_000];
const NOTIONAL: [f64; 5] = [300e6, 200e6, 500e6, 400e6, 300e6];
const SCALE: f64 = 1e7;

fn dollar_per_million() -> Curve {
    Curve::new(&[1.0], &[1e11], 1.0, 1.0, Some(1.0)).unwrap()
}

fn market(curve: &Curve) -> Market<'_> {
    Market::new(curve, ShockKind::News, SCALE, 9_999_999).unwrap()
}

const CALM: ReplayParams = ReplayParams { keep: 1.0, permanent: 1.0, rate: f64::INFINITY, latency: 0 };

#[test]
fn the_fund_pays_until_it_is_empty() {
    let curve = dollar_per_million();
    let response = market(&curve).response(1.0).unwrap();
    let levels = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let bankruptcy: Vec<f64> = DISTANCE.iter().map(|d| (*d as f64 + 10_000.0) / SCALE).collect();
    let run = |fund: f64| deleverage(&levels, &bankruptcy, &response, 50_000, fund).unwrap();
    let plain = sweep(&levels, &response, 50_000);
    for fund in [0.150_001e6, 1e6, f64::INFINITY] {
        let result = run(fund);
        assert_eq!(result.stop, plain.stop);
        assert_eq!(result.sold.iter().sum::<f64>(), 500e6);
        if fund.is_finite() {
            assert!((result.fund_paid - 0.15e6).abs() < 1.0, "{}", result.fund_paid);
        }
    }
    let result = run(0.10e6);
    assert!((result.sold[0] / 1e6 - 273.205).abs() < 5e-4);
    assert!((result.deleveraged[0] / 1e6 - 26.795).abs() < 5e-4);
    assert!((100_000.0 - result.stop as f64 / 100.0 - 99_226.79).abs() < 0.011);
    assert_eq!(result.sold.len(), 1, "the next level is not reached");
    assert!((result.fund_paid - 0.10e6).abs() < 1e-3);
}

#[test]
fn refill_shortens_cascades() {
    let curve = dollar_per_million();
    let levels = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let peak = |theta: f64, permanent: f64| {
        let params = ReplayParams { keep: (-1.0 / theta).exp(), permanent, ..CALM };
        let result = replay(&levels, market(&curve), 1.0, 50_000, params).unwrap();
        result.path.iter().fold(0.0_f64, |a, b| a.max(*b)) * 1e5
    };
    for (theta, permanent, printed) in
        [(5.0, 0.5, 972.81), (1.0, 0.5, 905.18), (1.0, 0.0, 810.36), (f64::INFINITY, 0.5, 1_000.0)]
    {
        assert!((peak(theta, permanent) - printed).abs() < 5e-3, "θ {theta}, φ {permanent}");
    }
}

#[test]
fn a_rate_limit_sends_the_same_flow_later() {
    let curve = dollar_per_million();
    let levels = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let run = |params| replay(&levels, market(&curve), 1.0, 50_000, params).unwrap();
    let slow = run(ReplayParams { rate: 100e6, ..CALM });
    assert_eq!(slow.sent.iter().sum::<f64>(), 500e6);
    assert_eq!(slow.path.len(), 5);
    let late = run(ReplayParams { latency: 3, ..CALM });
    assert_eq!(late.sent.iter().sum::<f64>(), 500e6);
    assert_eq!(late.path.iter().position(|x| *x > 0.005), Some(3), "the first order comes three steps later");
    // With refill, a lower sending rate moves the price less.
    let refill = ReplayParams { keep: 0.5, permanent: 0.0, ..CALM };
    let peak = |t| run(t).path.iter().fold(0.0_f64, |a, b| a.max(*b));
    assert!(peak(ReplayParams { rate: 100e6, ..refill }) < peak(refill));
}

#[test]
fn a_rebound_liquidates_the_other_side() {
    let curve = dollar_per_million();
    let below = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let (above_at, above_usd) = ([20_000, 30_000], [100e6, 100e6]);
    let above = Levels::new(&above_at, &above_usd).unwrap();
    let run =
        |rebound| whipsaw((&below, market(&curve)), (&above, market(&curve)), 1.0, 50_000, rebound).unwrap();
    let one_way = run(Rebound { permanent: 1.0, reversion: 0.0 });
    assert_eq!(one_way.len(), 1);
    assert_eq!((one_way[0].stop, one_way[0].liquidated), (100_000, 500e6));
    // The move reverts by 125 %: from −1,000 up by 1,250 to +250; the first short is triggered and adds 100, which
    // triggers the second.
    let both = run(Rebound { permanent: 1.0, reversion: 1.25 });
    assert_eq!((both[1].away, both[1].start, both[1].shock), (false, 100_000, 125_000));
    assert_eq!((both[1].stop, both[1].liquidated), (-45_000, 200e6));
    // From +450 back by 1.25 · 1,450 = 1,812.5 to −1,362.5, which triggers the third long at −1,100, and so on.
    assert_eq!((both[2].away, both[2].shock), (true, 181_250));
    assert_eq!(both[2].liquidated, 500e6);
    assert!(both.len() <= DISTANCE.len() + above_at.len() + 1);
}

#[test]
fn venues_with_one_consolidated_book_act_as_one_venue() {
    let curve = dollar_per_million();
    let here = Levels::new(&[50_000, 110_000, 300_000], &[300e6, 500e6, 300e6]).unwrap();
    let there = Levels::new(&[80_000, 200_000], &[200e6, 400e6]).unwrap();
    let all = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    for shock in [400.0, 500.0, 650.0, 1_000.0] {
        let venue = |levels, in_index, own| CoupledVenue {
            levels,
            curve: &curve,
            scale: SCALE,
            shock: shock / 1e5,
            in_index,
            own,
        };
        let result = coupled(&[venue(&here, 0.7, 0.0), venue(&there, 0.3, 0.5)], &curve, 1.0).unwrap();
        let single = rounds(&all, &market(&curve).response(1.0).unwrap(), (shock * 100.0) as i64);
        assert_eq!((result.price[0] * SCALE).round() as i64, single.outcome.stop);
        assert_eq!(result.fired.iter().sum::<usize>(), single.outcome.fired);
        assert_eq!(result.rounds, single.count());
    }
}

#[test]
fn a_venue_marked_to_its_own_price_is_independent() {
    let curve = dollar_per_million();
    let here = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let none = Levels::new(&[], &[]).unwrap();
    let venue =
        |levels, own| CoupledVenue { levels, curve: &curve, scale: SCALE, shock: 0.005, in_index: 0.5, own };
    let alone = coupled(&[venue(&here, 1.0), venue(&none, 1.0)], &curve, 0.0).unwrap();
    assert_eq!((alone.price[0] * SCALE).round() as i64, 100_000);
    assert_eq!((alone.price[1] * SCALE).round() as i64, 50_000);
    // With its mark on the index, the venue without levels reduces the displacement.
    let held = coupled(&[venue(&here, 0.0), venue(&none, 0.0)], &curve, 0.0).unwrap();
    assert!(held.price[0] < alone.price[0]);
}

#[test]
fn invalid_input_is_rejected() {
    let curve = dollar_per_million();
    let levels = Levels::new(&DISTANCE, &NOTIONAL).unwrap();
    let response = market(&curve).response(1.0).unwrap();
    assert!(deleverage(&levels, &[0.1], &response, 1, 0.0).is_err());
    assert!(deleverage(&levels, &[f64::NAN; 5], &response, 1, 0.0).is_err());
    assert!(deleverage(&levels, &[0.1; 5], &response, 1, -1.0).is_err());
    for params in [
        ReplayParams { keep: 1.1, ..CALM },
        ReplayParams { permanent: -0.1, ..CALM },
        ReplayParams { rate: 0.0, ..CALM },
        ReplayParams { rate: f64::NAN, ..CALM },
        ReplayParams { rate: 1.0, ..CALM },
        ReplayParams { latency: usize::MAX, ..CALM },
    ] {
        assert!(replay(&levels, market(&curve), 1.0, 50_000, params).is_err());
    }
    let pair = || (&levels, market(&curve));
    assert!(whipsaw(pair(), pair(), 1.0, 1, Rebound { permanent: 2.0, reversion: 0.0 }).is_err());
    assert!(whipsaw(pair(), pair(), 1.0, 1, Rebound { permanent: 0.0, reversion: f64::INFINITY }).is_err());
    assert!(whipsaw(pair(), pair(), 1.0, -1, Rebound { permanent: 0.0, reversion: 0.0 }).is_err());
    let venue = |in_index| CoupledVenue {
        levels: &levels,
        curve: &curve,
        scale: 1.0,
        shock: 0.0,
        in_index,
        own: 0.0,
    };
    assert!(coupled(&[venue(0.4)], &curve, 1.0).is_err());
    assert!(coupled(&[venue(1.0)], &curve, 1.5).is_err());
    assert!(coupled(&[], &curve, 1.0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// With an unlimited fund, no refill and a single venue, every extension equals the plain cascade; otherwise it
    /// does not go further.
    #[test]
    fn the_plain_cascade_is_the_limiting_case(
        steps in prop::collection::vec((1_i64..40, 1_u32..40), 1..20),
        beta in 0.4..2.5_f64, shock in 1_i64..80, fund in 0.0..5.0_f64, keep in 0.0..1.0_f64, permanent in 0.0..1.0_f64,
    ) {
        let mut at = 0;
        let (distance, notional): (Vec<i64>, Vec<f64>) =
            steps.iter().map(|(gap, q)| { at += gap; (at, f64::from(*q)) }).unzip();
        let levels = Levels::new(&distance, &notional).unwrap();
        let curve = Curve::new(&[0.1], &[20.0], beta, beta, Some(5.0)).unwrap();
        let market = Market::new(&curve, ShockKind::News, 100.0, 100_000).unwrap();
        let response = market.response(1.0).unwrap();
        let plain = sweep(&levels, &response, shock);
        let near: Vec<f64> = distance.iter().map(|d| (*d as f64 + 5.0) / 100.0).collect();
        let rich = deleverage(&levels, &near, &response, shock, f64::INFINITY).unwrap();
        prop_assert_eq!(rich.stop, plain.stop);
        let poor = deleverage(&levels, &near, &response, shock, fund).unwrap();
        prop_assert!(poor.stop <= plain.stop && poor.fund_paid <= fund);
        let moved: f64 = poor.sold.iter().chain(&poor.deleveraged).sum();
        prop_assert!((moved - levels.notional_of_first(poor.sold.len()).unwrap()).abs() < 1e-9);
        let calm = replay(&levels, market, 1.0, shock, CALM).unwrap();
        let peak = |path: &[f64]| path.iter().fold(shock as f64 / 100.0, |a, b| a.max(*b));
        prop_assert!((market.ticks(peak(&calm.path)) - plain.stop).abs() <= 1);
        let refilled = replay(&levels, market, 1.0, shock, ReplayParams { keep, permanent, ..CALM }).unwrap();
        // Where depth is concave, impact is convex: several small orders into a refilled book move the price less than
        // one large order.
        prop_assert!(beta > 1.0 || refilled.fired <= calm.fired);
    }

    /// The mean fill of a flow lies between the displacements before and after it, and the costs of two halves add up.
    #[test]
    fn the_cost_is_an_integral_of_the_displacement(beta in 0.4..2.5_f64, tail in 0.4..2.5_f64, q in 0.0..200.0_f64, more in 0.01..100.0_f64) {
        let curve = Curve::new(&[0.1, 0.2, 0.7], &[20.0, 35.0, 80.0], beta, tail, Some(3.0)).unwrap();
        for (shock, multiplier) in [(ShockKind::News, 1.0), (ShockKind::Flow, 0.5)] {
            let market = Market::new(&curve, shock, 1e6, i64::MAX).unwrap();
            let after = market.response(multiplier).unwrap().after_shock(300);
            let mean = after.cost(q, more) / more;
            let ends = (market.displacement(after.phi(q)) - 1e-6, market.displacement(after.phi(q + more)) + 1e-6);
            prop_assert!(ends.0 <= mean && mean <= ends.1, "{mean} outside {ends:?}");
            let halves = after.cost(q, more / 2.0) + after.cost(q + more / 2.0, more / 2.0);
            prop_assert!((halves - after.cost(q, more)).abs() < 1e-9 * (1.0 + halves.abs()) * 100.0);
        }
    }
}
