//! The tools against real receivers, and the snippets of the documentation in their own languages.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod certify;
mod flawed;
mod snippets;
