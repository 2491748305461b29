//! What a run may take.

use std::time::Duration;

/// Longest source, in bytes.
pub const MAX_SOURCE: usize = 64 * 1024;
/// Largest result, in bytes.
pub const MAX_OUTPUT: usize = 1024 * 1024;
/// Largest input, in bytes: more than any event has.
pub(crate) const MAX_INPUT: usize = 16 * 1024 * 1024;
/// Memory of a function's engine, in bytes: what it brings along and what a run takes.
pub const MEMORY_LIMIT: usize = 16 * 1024 * 1024;
/// Processor time of a run, where the engine can be interrupted.
pub const TIME_LIMIT: Duration = Duration::from_millis(100);
/// Time on the clock after which a worker that does not answer is ended.
pub const HARD_LIMIT: Duration = Duration::from_secs(2);
/// Processor seconds after which the kernel ends a worker that nobody ends.
pub(crate) const KERNEL_LIMIT_SECONDS: u64 = 2;
/// The engine's own stack, in bytes.
pub(crate) const STACK_LIMIT: usize = 256 * 1024;
/// Engines that a worker keeps, one per function.
pub(crate) const KEPT: usize = 64;
/// How long a worker may take to start.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a function that had to be ended with its worker is refused without being run; the longest refusal of any.
pub(crate) const PENALTY: Duration = Duration::from_secs(30);
/// Runs in a row that took too much before a function is refused for a second, then for two, and so on.
pub(crate) const STRIKES: u32 = 3;
/// Resident memory of a worker, in bytes, at which it is replaced.
pub(crate) const WORKER_MEMORY: u64 = 128 * 1024 * 1024;
/// Processor time of a run up to which it is quick: nobody minds waiting for it.
pub(crate) const QUICK: Duration = Duration::from_millis(10);
