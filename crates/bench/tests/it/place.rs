//! Where the real server's binary is: `TRADEWIND_BIN`, or `tradewind` beside this package's own binary.

use std::path::PathBuf;

use bench::server::Place;

/// This package's own binary.
pub(crate) fn tool() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_bench"))
}

#[allow(clippy::disallowed_methods, reason = "the test run says by variables what to test against")]
/// The server on SQLite.
pub(crate) fn sqlite() -> Place {
    let server = std::env::var_os("TRADEWIND_BIN").map_or_else(|| tool().with_file_name("tradewind"), PathBuf::from);
    assert!(server.is_file(), "there is no server at {}: build it, or set TRADEWIND_BIN", server.display());
    Place { server: server.canonicalize().unwrap(), tool: tool(), postgres: None }
}

#[allow(clippy::disallowed_methods, reason = "the test run says by variables what to test against")]
/// The server on PostgreSQL, if `TRADEWIND_TEST_POSTGRES` names one.
pub(crate) fn postgres() -> Option<Place> {
    let url = std::env::var("TRADEWIND_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        bench::progress::say("left out: TRADEWIND_TEST_POSTGRES is not set");
    }
    url.map(|url| Place { postgres: Some(url), ..sqlite() })
}
