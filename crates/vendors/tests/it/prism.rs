//! The doubles behind Prism, which compares every request and answer with the vendor's own OpenAPI description.
//!
//! The descriptions are not ours to keep here. `VENDORS_OPENAPI_PIPEDRIVE` names a file with Pipedrive's of v2; without it nothing is
//! compared, which is said loudly. (HubSpot's and Zoho's are published under unclear terms; there is none of Salesforce's.)

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testkit::guarded::{self, Guarded};
use testkit::http::Client;
use vendors::pipedrive::{Options, Pipedrive};
use vendors::stand::{Double, Vendor as _};

use testkit::tools;

#[allow(clippy::disallowed_methods, reason = "where a description lies is a matter of the machine that runs the tests")]
fn description(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("\n!!! SKIPPED: {variable} names no file, so the double is NOT compared with the vendor's description.\n");
    }
    found
}

/// Prism before `upstream`: a request or an answer that breaks the description is an error of its own.
async fn proxy(description: PathBuf, upstream: String) -> (Guarded, Client) {
    tokio::task::spawn_blocking(move || {
        let port = testkit::port::free();
        let dir = tools::npm("vendors-prism", &["@stoplight/prism-cli@5.16.0"]);
        let main = dir.join("node_modules/@stoplight/prism-cli/dist/index.js");
        let text = |path: PathBuf| path.display().to_string();
        let command: Vec<_> =
            ["node", &text(main), "proxy", "--errors", "-h", "127.0.0.1", "-p", &port.to_string(), &text(description), &upstream]
                .map(str::to_owned)
                .to_vec();
        let mut prism = Guarded::start(guarded::directory("prism", None).unwrap(), &command, None).unwrap();
        prism.wait_ready(Duration::from_secs(60), || std::net::TcpListener::bind(("127.0.0.1", port)).is_err()).unwrap();
        (prism, Client::new(format!("http://127.0.0.1:{port}")))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn pipedrives_description_of_v2_is_kept() {
    let Some(description) = description("VENDORS_OPENAPI_PIPEDRIVE") else { return };
    if !tools::present("node", "Prism") || !tools::present("npm", "Prism") {
        return;
    }
    let double = Double::start(Pipedrive::new(Options::unlimited())).await.unwrap();
    double.add_field("persons", "Level", "enum", &["low", "high"]).unwrap();
    let (_prism, client) = proxy(description, format!("{}/api/v2", double.url())).await;
    let client = client.bearer(&double.issue().access_token);
    let organization = client.post("/organizations", &json!({"name": "Acme"})).await.expect(200).json();
    let person = json!({"name": "Ann Lee", "org_id": organization["data"]["id"], "emails": [{"value": "a@example.com", "primary": true,
        "label": "work"}]});
    client.post("/persons", &person).await.assert_status(200);
    client.patch("/persons/1", &json!({"phones": [{"value": "1", "primary": true, "label": "work"}]})).await.assert_status(200);
    client.post("/deals", &json!({"title": "Deal", "person_id": 1, "value": 5})).await.assert_status(200);
    for path in [
        "/persons?limit=1&sort_by=update_time&sort_direction=desc&updated_since=2026-01-01T00:00:00Z",
        "/persons/1",
        "/persons/search?term=a@example.com&fields=email&exact_match=true",
        "/organizations",
        "/organizations/search?term=Acme",
        "/deals",
        "/deals/1",
        "/deals/search?term=Deal",
        "/personFields",
        "/dealFields",
    ] {
        client.get(path).await.assert_status(200);
    }
    client.delete("/persons/1").await.assert_status(200);
    // Prism does look: what the description does not know never reaches the double.
    client.get("/persons?sort_by=colour").await.assert_status(422);
}
