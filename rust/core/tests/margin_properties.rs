//! Properties that hold for every venue, side, payoff and margin mode, against a reference formulated in prices.

use liqmap_core::margin::{
    CompiledRule, Maintenance, Mode, Outcome, Partial, Payoff, Position, Reason, Reference, Rule, Side, Tier,
    Tiers, VENUES, tranches,
};
use proptest::prelude::*;

/// A table of `more` + 1 to six tiers with at most 125x leverage, whose rates leave room between initial and
/// maintenance margin.
fn tables(more: usize) -> impl Strategy<Value = Vec<Tier>> {
    let steps = prop::collection::vec((1.5..8.0_f64, 1.2..2.5_f64), more..6);
    (1e4..1e6_f64, 5.0..125.0_f64, 0.05..0.4_f64, steps).prop_map(|(cap, leverage, share, steps)| {
        let mut rows = vec![tier(1, 0.0, cap, leverage, share / leverage)];
        for (wider, safer) in steps {
            let below = rows[rows.len() - 1];
            let leverage = (below.max_leverage / safer).max(1.0);
            let mmr = (below.mmr * safer).min(0.5);
            rows.push(tier(below.number + 1, below.cap, below.cap * wider, leverage, mmr));
        }
        // Positions above the last cap are rejected, which these tests do not cover.
        rows.last_mut().unwrap().cap = f64::INFINITY;
        rows
    })
}

fn tier(number: i32, floor: f64, cap: f64, max_leverage: f64, mmr: f64) -> Tier {
    Tier { number, floor, cap, max_leverage, mmr, deduction: f64::NAN }
}

/// Every rule of every venue, with its payoff and margin mode.
fn rules() -> Vec<(&'static str, Rule, Payoff, Mode)> {
    let mut out = Vec::new();
    for venue in VENUES {
        for mode in [Mode::Isolated, Mode::Cross] {
            for payoff in [Payoff::Linear, Payoff::Inverse] {
                if let Some(rule) = (venue.rule)(mode, payoff, i64::MAX) {
                    out.push((venue.name, rule, payoff, mode));
                }
            }
        }
    }
    out
}

fn isolated_rule() -> impl Strategy<Value = (&'static str, Rule, Payoff)> {
    let isolated = rules().into_iter().filter(|(.., mode)| *mode == Mode::Isolated);
    prop::sample::select(isolated.map(|(name, rule, payoff, _)| (name, rule, payoff)).collect::<Vec<_>>())
}

fn any_rule() -> impl Strategy<Value = (&'static str, Rule, Payoff, Mode)> {
    prop::sample::select(rules())
}

fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

const ENTRY: f64 = 50_000.0;

/// A position whose tier is determined by `measure` at the entry price, so that every tier is tested.
fn position(compiled: &CompiledRule, payoff: Payoff, measure: f64, leverage: f64, cross: bool) -> Position {
    let size = match (compiled.rule().by_size, payoff) {
        (true, Payoff::Inverse) | (false, Payoff::Linear) => measure / ENTRY,
        // The face value of an inverse contract divided by the price is coin.
        (true, Payoff::Linear) | (false, Payoff::Inverse) => measure,
    };
    let notional = if payoff == Payoff::Linear { size * ENTRY } else { size };
    let mut out = Position { size, entry: ENTRY, leverage, ..Position::default() };
    if cross {
        out.margin = notional / leverage;
        out.mark = ENTRY * 1.001;
        out.maintenance = if compiled.rule().account_total { notional / leverage * 0.1 } else { 0.0 };
    }
    out
}

fn long(side: Side) -> f64 {
    if side == Side::Long { 1.0 } else { -1.0 }
}

/// Profit for a price move from `from` to `to`, in settlement currency.
fn profit(payoff: Payoff, side: Side, size: f64, from: f64, to: f64) -> f64 {
    long(side)
        * match payoff {
            Payoff::Linear => size * (to - from),
            Payoff::Inverse => size * ENTRY * (1.0 / from - 1.0 / to),
        }
}

fn notional(payoff: Payoff, size: f64, price: f64) -> f64 {
    if payoff == Payoff::Linear { size * price } else { size * ENTRY / price }
}

/// Upper end of the first tier, or 1e6 if there is only one tier.
fn first_cap(tiers: &Tiers) -> f64 {
    tiers.rows()[0].cap.min(1e6)
}

fn row(tiers: &Tiers, measure: f64) -> Tier {
    *tiers.rows().iter().rev().find(|t| t.floor <= measure).unwrap()
}

fn measure(rule: &Rule, payoff: Payoff, size: f64, price: f64) -> f64 {
    if rule.by_size { notional(payoff, size, 1.0) } else { notional(payoff, size, price) }
}

/// Maintenance of a position at a price, in settlement currency.
fn maintenance(rule: &Rule, tiers: &Tiers, payoff: Payoff, size: f64, price: f64) -> f64 {
    let tier = row(tiers, measure(rule, payoff, size, price));
    let fee = if rule.fee == liqmap_core::margin::Fee::Maintenance { rule.taker_fee } else { 0.0 };
    notional(payoff, size, price) * (tier.mmr + fee) - if rule.deducts { tier.deduction } else { 0.0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equity_equals_maintenance_at_the_liquidation_price(
        rows in tables(0), (name, rule, payoff, mode) in any_rule(), side in any_side(),
        of_cap in 0.01..40.0_f64, share in 0.0..1.0_f64,
    ) {
        let tiers = Tiers::new("tiers", rows).unwrap();
        let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.0);
        let wanted = of_cap * first_cap(&tiers);
        let leverage = 1.0 + share * (row(&tiers, wanted * 1.002).max_leverage - 1.0);
        let p = position(&compiled, payoff, wanted, leverage, mode == Mode::Cross);
        let Outcome { price, bankruptcy, reason, .. } = compiled.solve(&p);
        prop_assume!(reason != Reason::Covered && reason != Reason::LastTier && reason != Reason::MaxLeverage);
        prop_assert_eq!(reason, Reason::None);

        let from = if rule.reference == Reference::Mark { p.mark } else { p.entry };
        let margin = if p.margin.is_nan() { notional(payoff, p.size, p.entry) / leverage } else { p.margin };
        let equity = margin + profit(payoff, side, p.size, from, price);
        let due = match (rule.maintenance, rule.account_total) {
            (Maintenance::Live, false) => maintenance(&rule, &tiers, payoff, p.size, price),
            (Maintenance::Live, true) => {
                p.maintenance - maintenance(&rule, &tiers, payoff, p.size, from)
                    + maintenance(&rule, &tiers, payoff, p.size, price)
            }
            (Maintenance::Frozen, true) => p.maintenance,
            (Maintenance::Frozen, false) => {
                let fee = if rule.fee == liqmap_core::margin::Fee::Bankruptcy { rule.taker_fee } else { 0.0 };
                // The price at which the remaining equity equals the closing fee, by bisection.
                let (mut low, mut high) = (1e-9 * ENTRY, 1e9 * ENTRY);
                for _ in 0..400 {
                    let middle = f64::midpoint(low, high);
                    let left = margin + profit(payoff, side, p.size, from, middle)
                        - fee * notional(payoff, p.size, middle);
                    if (left > 0.0) == (side == Side::Long) { high = middle } else { low = middle }
                }
                maintenance(&rule, &tiers, payoff, p.size, from) + fee * notional(payoff, p.size, low)
            }
        };
        let scale = notional(payoff, p.size, price).max(margin);
        prop_assert!((equity - due).abs() <= 1e-9 * scale, "{name}: {equity} against {due}");
        if !bankruptcy.is_nan() {
            let left = margin + profit(payoff, side, p.size, from, bankruptcy);
            prop_assert!(left.abs() <= 1e-9 * notional(payoff, p.size, bankruptcy).max(margin), "{name}: {left}");
        }
    }

    #[test]
    fn more_leverage_less_margin_or_a_higher_rate_moves_the_price_nearer(
        rows in tables(0), (name, rule, payoff, mode) in any_rule(), side in any_side(), share in 0.0..0.9_f64,
    ) {
        let tiers = Tiers::new("tiers", rows.clone()).unwrap();
        let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.0);
        let leverage = 1.5 + share * (tiers.rows()[0].max_leverage - 1.5);
        let base = position(&compiled, payoff, 0.5 * first_cap(&tiers), leverage, mode == Mode::Cross);
        let at = |compiled: &CompiledRule, p: &Position| {
            // Positions without a liquidation price count as infinitely far away.
            let far = if side == Side::Long { 0.0 } else { f64::INFINITY };
            let price = compiled.solve(p).price;
            if price.is_nan() { far } else { price }
        };
        let nearer = |a: f64, b: f64| if side == Side::Long { a <= b * (1.0 + 1e-12) } else { a >= b * (1.0 - 1e-12) };
        let here = at(&compiled, &base);

        let mut geared = base;
        geared.leverage *= 1.05;
        prop_assume!(geared.leverage <= tiers.rows()[0].max_leverage);
        prop_assert!(nearer(here, at(&compiled, &geared)), "{name}: leverage");

        let mut poorer = base;
        poorer.margin = 0.98 * notional(payoff, base.size, ENTRY) / leverage;
        let mut same = base;
        same.margin = notional(payoff, base.size, ENTRY) / leverage;
        prop_assert!(nearer(at(&compiled, &same), at(&compiled, &poorer)), "{name}: margin");

        let stricter = rows.iter().map(|t| Tier { mmr: (t.mmr * 1.1).min(1.0), ..*t }).collect();
        let stricter = CompiledRule::new(rule, &Tiers::new("tiers", stricter).unwrap(), payoff, side, 0.0);
        // If the account reports its total maintenance, that total rises with the rate.
        let mut charged = base;
        if rule.account_total {
            charged.maintenance *= 1.1;
        }
        prop_assert!(nearer(here, at(&stricter, &charged)), "{name}: rate");
    }

    #[test]
    fn a_long_is_liquidated_below_its_entry_and_a_short_above(
        rows in tables(0), (name, rule, payoff) in isolated_rule(), share in 0.0..1.0_f64,
    ) {
        let tiers = Tiers::new("tiers", rows).unwrap();
        let leverage = 2.0 + share * (tiers.rows()[0].max_leverage - 2.0);
        for side in [Side::Long, Side::Short] {
            let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.1);
            let solved = compiled.solve(&position(&compiled, payoff, 0.5 * first_cap(&tiers), leverage, false));
            // With a single tier, the cap may lie close to the price of a short; the tier still applies.
            prop_assert_eq!(solved.reason, Reason::None, "{} {:?}", name, side);
            prop_assert!((solved.price < ENTRY) == (side == Side::Long), "{name} {side:?}: {}", solved.price);
            prop_assert!((solved.bankruptcy < solved.price) == (side == Side::Long), "{name} {side:?}");
        }
    }

    #[test]
    fn inverse_and_linear_agree_to_first_order(
        mmr in 0.001..0.02_f64, leverage in 10.0..40.0_f64, side in any_side(),
        venue in prop::sample::select(vec!["binance", "okx", "sim"]),
    ) {
        let venue = liqmap_core::margin::venue(venue).unwrap();
        let tiers = Tiers::new("tiers", vec![tier(1, 0.0, f64::INFINITY, 40.0, mmr)]).unwrap();
        let price = |payoff| {
            let rule = (venue.rule)(Mode::Isolated, payoff, i64::MAX).unwrap();
            let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.0);
            compiled.solve(&Position { size: 1.0, entry: ENTRY, leverage, ..Position::default() }).price
        };
        let step = 1.0 / leverage + mmr + 0.0005;
        let apart = (price(Payoff::Linear) - price(Payoff::Inverse)).abs() / ENTRY;
        prop_assert!(apart <= 3.0 * step * step, "{apart} against {step}");
    }

    #[test]
    fn tranches_sum_to_the_position_and_move_away_from_the_entry(
        rows in tables(0), (name, rule, payoff, mode) in any_rule(), side in any_side(),
        of_cap in 0.01..40.0_f64, share in 0.0..1.0_f64,
    ) {
        let tiers = Tiers::new("tiers", rows).unwrap();
        let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.1);
        let wanted = of_cap * first_cap(&tiers);
        let leverage = 1.0 + share * (row(&tiers, wanted).max_leverage - 1.0);
        let p = position(&compiled, payoff, wanted, leverage, mode == Mode::Cross);
        let pieces = tranches(&compiled, &p);
        let solved = compiled.solve(&p);
        prop_assert_eq!(pieces.is_empty(), solved.price.is_nan());
        prop_assume!(!pieces.is_empty());
        prop_assert_eq!(pieces[0].price.to_bits(), solved.price.to_bits());
        let sum: f64 = pieces.iter().map(|t| t.size).sum();
        prop_assert!((sum - p.size).abs() <= 1e-12 * p.size, "{name}: {sum} of {}", p.size);
        prop_assert!(pieces.iter().all(|t| t.size > 0.0));
        prop_assert!(pieces.len() <= tiers.rows().len() + 2);
        for pair in pieces.windows(2) {
            let farther = if side == Side::Long { pair[1].price < pair[0].price } else { pair[1].price > pair[0].price };
            prop_assert!(farther || pair[1].price.is_nan(), "{name} {side:?}: {pair:?}");
        }
        if rule.partial == Partial::Whole {
            prop_assert_eq!(pieces.len(), 1);
        }
    }

    #[test]
    fn the_tier_changes_exactly_at_the_edge(
        rows in tables(1), (name, rule, payoff) in isolated_rule(), side in any_side(),
        pick in any::<prop::sample::Index>(),
    ) {
        let tiers = Tiers::new("tiers", rows).unwrap();
        let upper = 1 + pick.index(tiers.rows().len() - 1);
        let (edge, above, below) = (tiers.rows()[upper].floor, tiers.rows()[upper], tiers.rows()[upper - 1]);
        prop_assume!(above.mmr > below.mmr);
        let compiled = CompiledRule::new(rule, &tiers, payoff, side, 0.0);
        // The price at which the tier is read: the entry price if frozen or by size, otherwise the liquidation price.
        let unit = position(&compiled, payoff, 1.0, 1.0, false).size;
        let solve = |measured: f64| {
            let (size, margin) = if rule.by_size || rule.maintenance == Maintenance::Frozen {
                (unit * measured, 0.2 * notional(payoff, unit * measured, ENTRY))
            } else {
                // The margin is chosen so that the position is liquidated at 0.9 or 1.1 of its entry price with this
                // notional.
                let price = ENTRY * (1.0 - 0.1 * long(side));
                let size = measured / notional(payoff, 1.0, price);
                let due = notional(payoff, size, price) * below.mmr - below.deduction;
                (size, due - profit(payoff, side, size, ENTRY, price))
            };
            compiled.solve(&Position { size, entry: ENTRY, margin, ..Position::default() })
        };
        let (under, on, over) = (solve(edge * (1.0 - 1e-9)), solve(edge), solve(edge * (1.0 + 1e-9)));
        prop_assert_eq!(under.tier, below.number, "{}", name);
        prop_assert_eq!(over.tier, above.number, "{}", name);
        prop_assert_eq!(on.tier, if rule.cap_inclusive { below.number } else { above.number }, "{}", name);
        let jump = (over.price - under.price).abs() / ENTRY;
        if rule.deducts {
            prop_assert!(jump < 1e-7, "{name}: {jump}");
        } else {
            prop_assert!(jump > 0.1 * (above.mmr - below.mmr), "{name}: {jump}");
        }
    }
}
