//! What leaves, and what is listed.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod catalogue;
mod otlp;
