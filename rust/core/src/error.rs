//! Errors of the core: invalid arguments, columns, tables and states.

use std::fmt;

use thiserror::Error;

/// What is wrong: prints as `<place>: <found> (expected <what>)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The argument or column, with the row if a single value is invalid.
    pub place: String,
    /// The value that was found.
    pub found: String,
    /// The values that are accepted.
    pub expected: String,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (expected {})", self.place, self.found, self.expected)
    }
}

/// An error of the core. Variants are the kinds of error that a caller may want to tell apart; the text is in [`Detail`].
///
/// ```
/// use liqmap_core::CoreError;
/// use liqmap_core::grid::Grid;
///
/// let error = Grid::new(-0.1, 0, 1, 10).unwrap_err();
/// assert!(matches!(error, CoreError::InvalidValue(_)));
/// assert_eq!(error.to_string(), "tick: -0.1 (expected a finite number above 0)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A value is out of range, not finite or of another sign.
    #[error("{0}")]
    InvalidValue(Detail),
    /// Arrays or columns differ in length, or an array has another shape.
    #[error("{0}")]
    ShapeMismatch(Detail),
    /// Two histograms have different grids or numbers of brackets.
    #[error("{0}")]
    IncompatibleHistograms(Detail),
    /// A size, total or number of steps exceeds a stated limit.
    #[error("{0}")]
    LimitExceeded(Detail),
    /// The bytes of an engine state are truncated, damaged or of another version.
    #[error("{0}")]
    InvalidState(Detail),
    /// The rows of a margin tier table do not form a table.
    #[error("{0}")]
    InvalidTiers(Detail),
    /// A column is missing or has another type, or its stream cannot be read.
    #[error("{0}")]
    InvalidColumn(Detail),
    /// The requested threads cannot be started.
    #[error("{0}")]
    Threads(Detail),
}

impl CoreError {
    /// The text of the error.
    #[must_use]
    pub const fn detail(&self) -> &Detail {
        match self {
            Self::InvalidValue(detail)
            | Self::ShapeMismatch(detail)
            | Self::IncompatibleHistograms(detail)
            | Self::LimitExceeded(detail)
            | Self::InvalidState(detail)
            | Self::InvalidTiers(detail)
            | Self::InvalidColumn(detail)
            | Self::Threads(detail) => detail,
        }
    }

    /// [`Self::InvalidValue`] at `place`.
    pub fn value(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidValue(detail(place, found, expected))
    }

    /// [`Self::ShapeMismatch`] at `place`.
    pub fn shape(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::ShapeMismatch(detail(place, found, expected))
    }

    /// [`Self::IncompatibleHistograms`] at `place`.
    pub fn incompatible(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::IncompatibleHistograms(detail(place, found, expected))
    }

    /// [`Self::LimitExceeded`] at `place`.
    pub fn limit(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::LimitExceeded(detail(place, found, expected))
    }

    /// [`Self::InvalidState`] at `place`.
    pub fn state(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidState(detail(place, found, expected))
    }

    /// [`Self::InvalidTiers`] at `place`.
    pub fn tiers(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidTiers(detail(place, found, expected))
    }

    /// [`Self::InvalidColumn`] at `place`.
    pub fn column(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidColumn(detail(place, found, expected))
    }

    /// [`Self::Threads`] at `place`.
    pub fn threads(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Threads(detail(place, found, expected))
    }
}

fn detail(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Detail {
    Detail { place: place.into(), found: found.into(), expected: expected.into() }
}

/// Result type of the core.
pub type Result<T> = std::result::Result<T, CoreError>;
