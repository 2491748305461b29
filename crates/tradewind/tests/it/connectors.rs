//! `tradewind connector`: what it says of files, and what it shows of a vendor.

use std::path::Path;

use testkit::Engine;
use testkit::receiver::{Answer, Receiver};
use testkit::server::Settings;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/acme-crm/connector.toml");

/// Standard output, standard error, and whether it succeeded.
fn connector(arguments: &[&str]) -> (String, String, bool) {
    let output = Settings::new(&Engine::sqlite()).run(&[&["connector"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.success())
}

fn changed(dir: &Path, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    assert!(text.contains(from));
    let path = dir.join("connector.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn files_are_checked_and_the_built_in_ones_listed() {
    let (said, _, good) = connector(&["check", EXAMPLE]);
    assert_eq!((said.as_str(), good), ("acme-crm 1.0.0: contacts: no faults\n", true));
    let dir = tempfile::tempdir().unwrap();
    let wrong = changed(dir.path(), "{page.token}", "{page.tokn}");
    let (_, why, good) = connector(&["check", &wrong]);
    assert!(!good && why.contains("has 2 faults") && why.contains("line 51, column 34: objects[0].list.query.after:"), "{why}");
    assert!(why.contains("did you mean {page.token}?"), "{why}");
    let (said, _, good) = connector(&["check", &wrong, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((good, &json["valid"], &json["faults"][0]["suggestion"]), (false, &false.into(), &"{page.token}".into()));
    let (_, why, good) = connector(&["check", "/no/such/file.toml"]);
    assert!(!good && why.contains("cannot be read"), "{why}");
    let (said, _, _) = connector(&["list"]);
    assert_eq!(
        said.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["salesforce", "hubspot", "pipedrive", "zoho"]
    );
    let published = include_str!("../../../../docs/connector.schema.json");
    let (said, _, _) = connector(&["schema"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap(), serde_json::from_str::<serde_json::Value>(published).unwrap());
}

#[test]
fn a_file_is_tried_with_the_vendor_and_nothing_is_written() {
    let receiver = Receiver::start();
    let json = |body: &str| Answer::status(200).header("content-type", "application/json").body(body.to_owned());
    let fields = r#"{"items": [{"name": "email", "type": "email", "choices": []}]}"#;
    let page = r#"{"items": [{"id": "con_1", "updatedAt": "2026-01-31T12:00:00Z", "email": "ann@example.com"}], "next": "x", "count": 9}"#;
    receiver.script([json(r#"{"name": "Ada"}"#), json(fields), json(page)]);
    let (said, why, good) = connector(&["try", EXAMPLE, "--base-url", &receiver.url(""), "--token", "hush-hush"]);
    assert!(good, "{why}");
    let expected = "signed in as Ada\ncontacts: 1 fields: email\ncontacts: the first page has 1 records of 9, and there is another page\n  \
                    con_1 changed 2026-01-31T12:00:00.000Z {\"email\":\"ann@example.com\"}\n";
    assert_eq!(said, expected);
    let requests = receiver.take();
    assert!(
        requests.iter().all(|request| request.method == http::Method::GET && request.header("authorization") == Some("Bearer hush-hush"))
    );
    receiver.answer(Answer::status(401).body(r#"{"error": {"message": "hush-hush is no key"}}"#.to_owned()));
    let (_, why, good) = connector(&["try", EXAMPLE, "--base-url", &receiver.url(""), "--token", "hush-hush"]);
    assert!(!good && why.contains("test: vendor_unauthorized"), "{why}");
    let (_, why, good) = connector(&["try", EXAMPLE, "--set", "region=../evil"]);
    assert!(!good && why.contains("give --base-url"), "{why}");
}
