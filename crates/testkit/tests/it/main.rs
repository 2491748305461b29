//! The harness itself: what it starts works, and is gone afterwards.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::disallowed_methods, reason = "the harness is tested from outside: by its environment and over plain connections")]

mod databases;
mod processes;
mod receiving;
