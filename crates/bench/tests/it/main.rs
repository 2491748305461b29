//! The generators and receivers against each other, and the proofs in CI size against the real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod harness;
mod place;
mod proofs;
mod references;
