//! A worker for the blueprint `call-coaching`: analyses transcripts of sales calls and holds practice calls.
//!
//! * [`analysis`]: what a transcript says, measured.
//! * [`simulation`]: a practice call.
//! * [`worker`]: leasing jobs, telling progress, completing; the protocol is in `docs/jobs.md`.

pub mod analysis;
mod server;
pub mod simulation;
pub mod worker;

pub use worker::{Settings, Worker};
