//! Functions as tenants write them, good and hostile, in real worker processes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod contract;
mod documentation;
mod hostile;
mod isolation;
mod rig;
mod speed;
mod turns;
