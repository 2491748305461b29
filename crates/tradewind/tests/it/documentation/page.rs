//! The interactive page: its script in a document model of Node, and signing in in a browser, against the running server.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use testkit::tools;
use tokio::task::spawn_blocking;

use super::serving;
use crate::browser::{journey, present};
use crate::world::text;

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

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_to_try_a_request() {
    if !present("signing in on the documentation's pages") {
        return;
    }
    let world = serving("insurance-leads");
    let tenant = world.tenant("Acme").await;
    let base = world.server.base();
    let client = json!({
        "name": "Documentation", "confidential": false, "scopes": ["leads:read"], "redirectUris": [format!("{base}/docs/signed-in")],
    });
    let client = tenant.host.post("/api/v1/api-clients", &client).await.expect(201).json();
    let invitation = json!({"email": "ada@example.com", "role": "owner"});
    let invitation = text(&tenant.host.post("/api/v1/invitations", &invitation).await.expect(201).json()["url"]);
    let given = json!({"base": base, "client": client["id"], "invitation": invitation});
    spawn_blocking(move || journey("documentation/sign_in.mjs", &given)).await.unwrap();
}
