#![doc = include_str!("../README.md")]

pub mod cascade;
pub mod clusters;
pub mod cohorts;
pub mod depth;
mod error;
pub mod ewma;
pub mod grid;
pub mod histogram;
pub mod impact;
pub mod margin;
pub mod monotone_alignment;
pub mod scenarios;
mod simd;
pub mod transport;

pub use error::{CoreError, Detail, Result};
