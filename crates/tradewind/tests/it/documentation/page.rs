//! The interactive page: its script in a document model of Node, against the running server.

use std::path::Path;
use std::process::Command;

use super::serving;
use testkit::tools;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_tried_on_the_page() {
    if !tools::present("node", "the page's script") || !tools::present("npm", "the page's script") {
        return;
    }
    let world = serving("insurance-leads");
    let key = world.tenant("Acme").await.key_scoped(&["leads:read"]).await;
    let dir = tools::npm("jsdom-npm", &["jsdom@^26.1.0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/documentation/page.mjs");
    let output = tools::run(Command::new("node").arg(script).arg(dir).arg(world.server.base()).arg(&key.token));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok");
}
