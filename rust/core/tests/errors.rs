//! Kinds of error have distinct variants, and all print as `<place>: <found> (expected <what>)`.

use liqmap_core::cascade::Levels;
use liqmap_core::cohorts::Cohorts;
use liqmap_core::grid::Grid;
use liqmap_core::histogram::{Histogram, LevelColumns};
use liqmap_core::margin::Tiers;
use liqmap_core::{CoreError, Result};

fn kind<T>(result: Result<T>) -> CoreError {
    let error = result.err().unwrap();
    let detail = error.detail();
    assert_eq!(
        error.to_string(),
        format!("{}: {} (expected {})", detail.place, detail.found, detail.expected)
    );
    error
}

#[test]
fn every_kind_of_invalid_data_has_its_variant() {
    let grid = Grid::new(1.0, 0, 1, 10).unwrap();
    let mut histogram = Histogram::empty(grid, 1);
    let other = Histogram::empty(Grid::new(1.0, 5, 1, 10).unwrap(), 1);
    let levels = LevelColumns { price: &[1.0], notional: &[], side: &[1], bracket: None };
    assert!(matches!(kind(Grid::new(0.0, 0, 1, 10)), CoreError::InvalidValue(_)));
    assert!(matches!(kind(Grid::new(1.0, 0, 1, usize::MAX)), CoreError::LimitExceeded(_)));
    assert!(matches!(kind(histogram.merge(&other)), CoreError::IncompatibleHistograms(_)));
    assert!(matches!(kind(histogram.fill(levels)), CoreError::ShapeMismatch(_)));
    assert!(matches!(kind(Levels::new(&[1, 2], &[1.0])), CoreError::ShapeMismatch(_)));
    assert!(matches!(kind(Cohorts::from_bytes(b"")), CoreError::InvalidState(_)));
    assert!(matches!(kind(Tiers::new("tiers", vec![])), CoreError::InvalidTiers(_)));
}
