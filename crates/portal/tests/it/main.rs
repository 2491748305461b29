//! The promises about texts and colours. What the pages do is tested against the binary: `crates/tradewind/tests/it/portal/`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod colours;
mod messages;
