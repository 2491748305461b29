//! A manifest that somebody else wrote, and a vendor that means no good: everything is bounded, and the fault says what happened.

use std::sync::Arc;

use connectors::manifest::Manifest;
use connectors::{Connector as _, Fault, Outcome, Page, PageAsk, Session, Span, Write, WriteAct};
use kernel::Ambient;
use serde_json::{Map, Value, json};
use testkit::receiver::{Answer, Receiver};

use crate::bed::{TcpCarrier, session};

const TOP: &str = r#"
id = "evil"
name = "Evil"
category = "generic"
version = "1.0.0"
auth = { type = "none" }
[test]
path = "/me"
[[objects]]
name = "things"
[objects.get]
path = "/things/{id}"
[objects.update]
path = "/things/{id}"
body = "{record}"
[objects.list]
path = "/things"
records = "/items"
"#;

struct Scene {
    receiver: Receiver,
    session: Session,
    carrier: Arc<TcpCarrier>,
    manifest: Manifest,
}

/// A connector whose list has this rest, against a server that answers as it likes.
fn scene(list: &str) -> Scene {
    let receiver = Receiver::start();
    let carrier = TcpCarrier::plain(&receiver.url(""), None);
    let session = session(carrier.clone(), json!({}), &Ambient::system());
    let manifest = Manifest::read(&format!("{TOP}{list}"), "evil.toml").unwrap_or_else(|faults| panic!("{faults}"));
    Scene { receiver, session, carrier, manifest }
}

fn json(body: &Value) -> Answer {
    Answer::status(200).header("content-type", "application/json").body(body.to_string())
}

impl Scene {
    async fn page(&self, token: Option<&str>) -> Result<Page, Fault> {
        self.manifest.page(&self.session, PageAsk { object: "things", span: Span::Full, fields: &[], filter: None, token }).await
    }

    /// Reads on until it ends: the fault, and how many calls it took.
    async fn ends(&self) -> (Fault, usize) {
        let mut token = None;
        for _ in 0..2000 {
            match self.page(token.as_deref()).await {
                Ok(page) => token = Some(page.next.expect("this list has no end")),
                Err(fault) => return (fault, self.receiver.count()),
            }
        }
        panic!("2000 pages");
    }
}

fn code(fault: &Fault) -> &str {
    if let Fault::Refused { code, .. } = fault { code } else { fault.code() }
}

const TOKENS: &str = "query = { at = \"{page.token}\" }\npages = { type = \"token\", next = \"/next\" }";

#[tokio::test]
async fn the_same_page_for_ever_ends() {
    let scene = scene(TOKENS);
    scene.receiver.answer(json(&json!({"items": [{"id": 1}], "next": "again"})));
    let (fault, calls) = scene.ends().await;
    assert_eq!((code(&fault), calls), ("endless_pages", 2));
}

#[tokio::test]
async fn pages_in_a_circle_end() {
    let scene = scene(TOKENS);
    let circle = (0..200).map(|n| json(&json!({"items": [{"id": n}], "next": format!("p{}", n % 7)})));
    scene.receiver.script(circle);
    let (fault, calls) = scene.ends().await;
    assert_eq!(code(&fault), "endless_pages");
    assert!(calls < 40, "{calls}");
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_ends() {
    let scene = scene("query = { from = \"{page.offset}\" }\npages = { type = \"offset\", size = 2 }");
    scene.receiver.answer(json(&json!({"items": [{"id": 1}, {"id": 2}]})));
    let (fault, calls) = scene.ends().await;
    assert_eq!((code(&fault), calls), ("endless_pages", 2));
}

#[tokio::test]
async fn pages_without_records_end() {
    let scene = scene(TOKENS);
    scene.receiver.script((0..200).map(|n| json(&json!({"items": [], "next": format!("t{n}")}))));
    let (fault, calls) = scene.ends().await;
    assert_eq!(code(&fault), "endless_pages");
    assert!(calls <= 52, "{calls}");
}

#[tokio::test]
async fn more_pages_than_the_manifest_allows_end() {
    let scene = scene("query = { at = \"{page.token}\" }\npages = { type = \"token\", next = \"/next\", max = 5 }");
    scene.receiver.script((0..200).map(|n| json(&json!({"items": [{"id": n}], "next": format!("t{n}")}))));
    let (fault, calls) = scene.ends().await;
    assert_eq!((code(&fault), calls), ("endless_pages", 5));
}

#[tokio::test]
async fn a_short_page_does_not_end_a_list() {
    let scene = scene("query = { from = \"{page.offset}\", n = \"{page.size}\" }\npages = { type = \"offset\", size = 100 }");
    scene.receiver.script([json!([{"id": 1}, {"id": 2}]), json!([{"id": 3}]), json!([])].map(|items| json(&json!({"items": items}))));
    let (mut token, mut ids) = (None, Vec::new());
    loop {
        let page = scene.page(token.as_deref()).await.unwrap();
        ids.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    assert_eq!(ids, ["1", "2", "3"], "a vendor may give less than it was asked for");
    let asked: Vec<_> = scene.receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/things?from=0&n=100", "/things?from=2&n=100", "/things?from=3&n=100"]);
}

#[tokio::test]
async fn links_stay_with_the_vendor() {
    let scene = scene("pages = { type = \"link\", next = \"/next\" }");
    let next = |link: &str| json(&json!({"items": [{"id": 1}], "next": link}));
    for (link, expected) in [
        ("https://evil.example/steal", "address_refused"),
        ("http://127.0.0.1:1/things", "address_refused"),
        ("//evil.example/things", "address_refused"),
        ("javascript:alert(1)", "address_refused"),
        ("/things/../../admin", "address_refused"),
        ("/things/%2e%2E/admin", "address_refused"),
    ] {
        scene.receiver.script([next(link)]);
        let before = scene.receiver.count();
        let token = scene.page(None).await.unwrap().next;
        let fault = scene.page(token.as_deref()).await.unwrap_err();
        assert_eq!((code(&fault), scene.receiver.count() - before), (expected, 1), "{link}");
    }
    scene.receiver.script([next("/things?page=2&q=a%26b"), json(&json!({"items": []}))]);
    let token = scene.page(None).await.unwrap().next;
    assert_eq!(scene.page(token.as_deref()).await.unwrap().next, None);
    assert_eq!(scene.receiver.requests().last().unwrap().path, "/things?page=2&q=a%26b");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let scene = scene("");
    let other = Receiver::start();
    scene.receiver.answer(Answer::status(302).header("location", &other.url("/steal")));
    let fault = scene.page(None).await.unwrap_err();
    assert_eq!((code(&fault), other.count()), ("redirect", 0));
}

#[tokio::test]
async fn pages_and_answers_that_are_too_large_are_refused() {
    let scene = scene("");
    let many: Vec<_> = (0..10_001).map(|n| json!({"id": n})).collect();
    scene.receiver.answer(json(&json!({"items": many})));
    assert_eq!(code(&scene.page(None).await.unwrap_err()), "page_too_large");
    let long = format!("{{\"items\": [{{\"id\": 1, \"text\": \"{}\"}}]}}", "x".repeat(33 << 20));
    scene.receiver.answer(Answer::status(200).body(long));
    assert_eq!(code(&scene.page(None).await.unwrap_err()), "answer_too_large");
    let scene = self::scene(TOKENS);
    scene.receiver.answer(json(&json!({"items": [{"id": 1}], "next": "x".repeat(5000)})));
    assert_eq!(code(&scene.page(None).await.unwrap_err()), "endless_pages");
}

#[tokio::test]
async fn answers_that_are_not_as_described_are_no_records() {
    let scene = scene("");
    for body in
        [json!({"items": {"id": 1}}), json!({"items": [{"name": "no id"}]}), json!({"items": [{"id": "x\ny"}]}), json!({}), json!([])]
    {
        scene.receiver.answer(json(&body));
        assert_eq!(code(&scene.page(None).await.unwrap_err()), "unexpected_answer", "{body}");
    }
    let deep = "[".repeat(100_000);
    scene.receiver.answer(Answer::status(200).body(deep));
    assert!(matches!(scene.page(None).await, Err(Fault::Unavailable { .. })), "it is no JSON that can be read");
}

#[tokio::test]
async fn ids_of_the_other_side_lead_nowhere_else() {
    let scene = scene("");
    scene.receiver.answer(json(&json!({"id": "x"})));
    let ids = ["../../admin?x=1#y".to_owned(), "a/b\\c".to_owned(), "%2e%2e".to_owned()];
    let read = scene.manifest.get(&scene.session, "things", &ids, &[]).await.unwrap();
    assert_eq!(read.len(), 3);
    let asked: Vec<_> = scene.receiver.take().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/things/..%2F..%2Fadmin%3Fx%3D1%23y", "/things/a%2Fb%5Cc", "/things/%252e%252e"]);
    for id in ["..", ".", ""] {
        let write = Write { act: WriteAct::Update { id: id.to_owned() }, fields: Map::new() };
        let outcomes = scene.manifest.write(&scene.session, "things", &[write]).await.unwrap();
        assert!(matches!(&outcomes[..], [Outcome::Failed(fault)] if code(fault) == "unusable_id"), "{id}: {outcomes:?}");
    }
    assert_eq!((scene.receiver.count(), scene.carrier.notes.count("PATCH")), (0, 0));
}

#[tokio::test]
async fn a_token_that_nobody_gave_begins_nothing() {
    let scene = scene(TOKENS);
    for token in ["", "{", "[]", "{\"t\": 5}"] {
        assert!(matches!(scene.page(Some(token)).await, Err(Fault::Stale { .. })), "{token}");
    }
    assert_eq!(scene.receiver.count(), 0);
}
