//! Who calls, as the backend is told and can verify.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::backend::{Backend, mirror};
use crate::bed::Bed;

/// What the mirror saw: the request's line, and its headers.
fn seen(text: &str) -> (String, Value) {
    let mut lines = text.lines();
    let line = lines.next().unwrap().to_owned();
    (line, lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), json!(value))).collect())
}

/// Runs the documentation's own snippet; whether it accepts the request.
fn verified(bed: &Bed, line: &str, headers: &Value, now: i64) -> bool {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/upstreams.md")).unwrap();
    let snippet = page.split("```python\n").nth(1).expect("the page has a snippet").split("```").next().unwrap();
    let program = format!(
        "{snippet}\nimport json, sys\nasked = json.load(sys.stdin)\n\
         print(verify(asked['secret'], asked['method'], asked['path'], asked['headers'], now=asked['now']))\n"
    );
    let (method, path) = line.split_once(' ').unwrap();
    let asked = json!({"secret": bed.secret.reveal(), "method": method, "path": path, "headers": headers, "now": now});
    let mut child =
        Command::new("python3").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 is installed");
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    match String::from_utf8(output.stdout).unwrap().trim() {
        "True" => true,
        "False" => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn two_tenants_are_told_apart_and_the_documented_snippet_verifies_them() {
    let backend = Backend::http(mirror).await;
    let bed = Bed::new(&[backend.url()], "").await;
    let now = 1_772_366_400;
    for who in &bed.people {
        let answer = bed.client().bearer(who.token).post("/shop/orders?x=1", &json!({"a": 1})).await.expect(200);
        let (line, headers) = seen(&answer.text());
        assert_eq!(line, "POST /orders?x=1");
        assert_eq!(headers["tradewind-tenant"], who.tenant.to_string());
        assert_eq!(headers["tradewind-client"], who.client.to_string());
        assert_eq!(headers["tradewind-key"], who.key.to_string());
        assert_eq!(headers["tradewind-scopes"], "orders more");
        assert_eq!(headers["tradewind-request-id"], answer.header("x-request-id").unwrap());
        assert_eq!(headers["tradewind-timestamp"], now.to_string());
        assert!(verified(&bed, &line, &headers, now));
        assert!(!verified(&bed, &line, &headers, now + 301), "it grows old");
        assert!(!verified(&bed, "GET /orders?x=1", &headers, now));
        assert!(!verified(&bed, "POST /orders?x=2", &headers, now));
        let mut forged = headers.clone();
        forged["tradewind-tenant"] = json!(kernel::Ambient::system().id::<kernel::TenantId>().to_string());
        assert!(!verified(&bed, &line, &forged, now));
    }
    assert_ne!(bed.people[0].tenant, bed.people[1].tenant);
}
