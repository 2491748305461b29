//! One test binary; the modules mirror the crate.
#![allow(clippy::unwrap_used)]

mod builtin;
mod faults;
mod never_panics;
mod schema;
