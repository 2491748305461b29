//! One test binary; the modules mirror the crate.
#![allow(clippy::unwrap_used)]

mod builtin;
mod compare;
mod compare_property;
mod faults;
mod never_panics;
mod schema;
