//! One test binary; the modules mirror the crate.
#![allow(clippy::unwrap_used)]

mod builtin;
mod cases;
mod compare;
mod compare_property;
mod editor;
mod faults;
mod files;
mod language;
mod metrics;
mod never_panics;
mod schema;
