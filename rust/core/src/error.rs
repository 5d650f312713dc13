//! Errors of the core: invalid arguments and columns.

use thiserror::Error;

/// An invalid argument or column; prints as `<place>: <found> (expected <what>)`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {found} (expected {expected})")]
pub struct CoreError {
    /// The argument or column, with the row if a single value is invalid.
    pub place: String,
    /// The value that was found.
    pub found: String,
    /// The values that are accepted.
    pub expected: String,
}

impl CoreError {
    /// An error at `place`.
    pub fn new(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { place: place.into(), found: found.into(), expected: expected.into() }
    }
}

/// Result type of the core.
pub type Result<T> = std::result::Result<T, CoreError>;
