//! What can be wrong with what the core is given.

use thiserror::Error;

/// A fault in the input, named so that the outside can print `<where>: <found> (expected <what>)`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {found} (expected {expected})")]
pub struct CoreError {
    /// The argument or column at fault.
    pub place: String,
    /// What was found.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl CoreError {
    /// A fault at `place`.
    pub fn new(place: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { place: place.into(), found: found.into(), expected: expected.into() }
    }
}

/// The core's result.
pub type Result<T> = std::result::Result<T, CoreError>;
