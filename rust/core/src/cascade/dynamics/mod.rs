//! What the plain cascade leaves out: who pays for losses, how fast books refill, what comes back, and other venues.

mod coupled;
mod deleverage;
mod replay;
mod whipsaw;

pub use coupled::{Coupled, CoupledVenue, coupled};
pub use deleverage::{Deleveraged, deleverage};
pub use replay::{Replay, ReplayParams, replay};
pub use whipsaw::{Leg, Rebound, whipsaw};
