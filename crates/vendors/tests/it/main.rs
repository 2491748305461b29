//! The receiver over real connections.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod receiver;
