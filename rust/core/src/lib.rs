#![doc = include_str!("../README.md")]

pub mod cascade;
pub mod clusters;
pub mod cohorts;
pub mod depth;
mod error;
pub mod ewma;
pub mod grid;
pub mod histogram;
pub mod margin;
pub mod monotone_alignment;
pub mod optimal_transport;
pub mod response;
pub mod scenarios;
mod simd;

pub use error::{CoreError, Detail, Result};
