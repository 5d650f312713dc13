//! The serialised state of the cohort engine: bytes written by an earlier build of version 1 still load.

use liqmap_core::cohorts::{Bars, Cohorts};

/// Two brackets, a bin of 0.1 in log price, three bars.
const STATE: &[u8] = include_bytes!("data/cohorts-1.state");

#[test]
fn a_state_of_an_earlier_build_loads_and_is_written_back_unchanged() {
    let mut engine = Cohorts::from_bytes(STATE).unwrap();
    assert_eq!(engine.bars(), 3);
    let [long, short] = engine.accounts();
    assert_eq!((long.mapped, long.liquidated), (6.718_561_133_033_986, 3.5));
    assert_eq!((short.mapped, short.liquidated), (9.509_550_555_991_124, 3.0));
    assert_eq!(engine.levels().map(|levels| levels.len()), [2, 2]);
    assert_eq!(engine.to_bytes().unwrap(), STATE);
    let bar = Bars {
        hours: &[1.0],
        low: &[42_000.0],
        high: &[48_500.0],
        close: &[45_000.0],
        open_interest: &[120.0],
        long_flow: &[0.0],
        short_flow: &[0.0],
    };
    let predicted = engine.advance(&bar).unwrap();
    assert!(predicted.usd[0] > 0.0, "the price reaches the long level at 42,193");
}
