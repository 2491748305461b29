//! Pages in a real browser: Debian's Chromium, driven by `playwright-core` from npm; `axe-core` looks for what people with disabilities could
//! not use. A journey is a script (`<name>.mjs`) over `browser/browser.mjs`, which says what it may ask for.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use testkit::tools;

const PACKAGES: [&str; 2] = ["playwright-core@^1.65.1", "axe-core@^4.14.1"];

/// Whether journeys can run here. If not, says loudly what is not tested.
pub(crate) fn present(what: &str) -> bool {
    ["node", "npm", "chromium"].iter().all(|program| tools::present(program, what))
}

/// Where the pictures are that journeys take: `target/tmp/pictures`.
fn pictures() -> PathBuf {
    let base = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the journey `script`, a path below `tests/it`, with what it is given. Panics, with all that the journey said, unless it ends well.
/// Blocks its thread: to be called by `tokio::task::spawn_blocking` or in a test of several threads.
pub(crate) fn journey(script: &str, given: &Value) {
    let tools = tools::npm("browser-npm", &PACKAGES);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(script);
    let output = tools::run(Command::new("node").arg(script).arg(tools).arg(pictures()).arg(given.to_string()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.trim_end().ends_with("ok"), "{said}");
}
