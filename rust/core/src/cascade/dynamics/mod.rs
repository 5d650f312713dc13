//! Extensions of the cascade: insurance fund and auto-deleveraging, order flow and book refill in time, the rebound,
//! and coupled venues.

mod coupled;
mod deleverage;
mod replay;
mod whipsaw;

pub use coupled::{Coupled, CoupledVenue, coupled};
pub use deleverage::{Deleveraged, deleverage};
pub use replay::{Replay, ReplayParams, replay};
pub use whipsaw::{Leg, Rebound, whipsaw};
