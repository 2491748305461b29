//! JavaScript that tenants write: transforms of deliveries, transformers of values. The only home of the engine (QuickJS).
//!
//! # What holds
//!
//! * **A function costs one run, not the server.** Functions run in worker *processes*. The engine itself stops what runs longer than
//!   [`TIME_LIMIT`] of processor time or takes more than [`MEMORY_LIMIT`]; built-in operations that the engine cannot interrupt are ended
//!   with their process, by us after [`HARD_LIMIT`] or by the kernel (`RLIMIT_CPU`). A worker can open no file and starts without an
//!   environment.
//! * **Nothing stays.** Each function has an engine of its own inside a worker, all of whose built-in objects are frozen; its source is
//!   evaluated anew for every run. Two runs, and two tenants, share nothing that a script could write to. After a breach the engine is
//!   thrown away.
//! * **Nobody's functions keep others waiting.** A worker that comes free goes to the party that has taken the least processor time, and slow
//!   functions have half of the workers at most.
//! * **Same input, same output.** There is no I/O. The clock stands still at the time that the caller gives, and `Math.random` is a
//!   sequence that follows from the caller's seed.
//!
//! [`Engine::transform`] is the transform of a delivery; [`Engine::call`] applies a function to JSON values (`v => v.trim()`).

mod answer;
mod engine;
mod fault;
mod function;
mod limits;
mod offences;
mod paces;
mod peer;
mod turns;
mod wire;
mod worker;

pub use answer::{NewBody, Transformed};
pub use engine::{Engine, Moment};
pub use fault::{Fault, FaultKind};
pub use function::Function;
pub use limits::{HARD_LIMIT, MAX_OUTPUT, MAX_SOURCE, MEMORY_LIMIT, TIME_LIMIT};
pub use turns::Party;
pub use worker::work;
