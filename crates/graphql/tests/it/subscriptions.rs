//! Events as they come, over server-sent events.

use axum::body::Body;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::bed::{App, Bed};

/// A subscription's messages.
struct Listener {
    body: Body,
    rest: String,
}

impl Listener {
    async fn open(app: &App, query: &str) -> Self {
        let headers = [("content-type", "application/json"), ("accept", "text/event-stream")];
        let response = app.begin(Method::POST, "/graphql", &headers, json!({"query": query}).to_string()).await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), rest: String::new() }
    }

    /// The next message: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((message, rest)) = self.rest.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.rest = rest;
                let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned));
                if let Some(name) = field("event:") {
                    let data = field("data:").filter(|text| !text.is_empty());
                    return (name, data.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default());
                }
                continue;
            }
            let frame = tokio::time::timeout(std::time::Duration::from_secs(20), self.body.frame()).await.expect("a message in time");
            let Some(frame) = frame else { return ("end".into(), Value::Null) };
            self.rest.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
    }
}

testkit::engines! {
    /// Each event is told in its turn, to its own tenant; a cursor goes on where another subscription ended; a stop ends it.
    async fn events_are_told(bed: Bed) {
        let (app, host) = (bed.holder().await, bed.host().await);
        let refused = app.post(&json!({"query": "subscription { events { id } }"}), &[("accept", "text/event-stream")]).await;
        assert!(refused.text.contains("insufficient_scope"), "no scope of this product shows events: {}", refused.text);
        let plain = host.send(Method::POST, "/graphql", &[("content-type", "application/json"), ("tradewind-tenant", &bed.tenant.to_string())], json!({"query": "subscription { events { id } }"}).to_string()).await;
        assert_eq!(plain.json()["errors"][0]["extensions"]["code"], "subscription_needs_stream", "{}", plain.text);
        let listener = host.for_tenant(bed.tenant);
        let mut told = Listener::open(&listener, "subscription { e: events(types: [\"company.*\"]) { type data cursor __typename } }").await;
        assert_eq!(told.next_comment().await, ":");
        let first = bed.record("company", json!({"name": "A"})).await;
        bed.record("agent", json!({"name": "B", "companyId": first})).await;
        bed.record("company", json!({"name": "C"})).await;
        let (name, message) = told.next().await;
        assert_eq!((name.as_str(), &message["data"]["e"]["type"], &message["data"]["e"]["data"]["companyId"]), ("next", &json!("company.created"), &json!(first)));
        let cursor = message["data"]["e"]["cursor"].as_str().unwrap().to_owned();
        assert_eq!(told.next().await.1["data"]["e"]["data"]["name"], "C");
        drop(told);
        let mut again = Listener::open(&listener, &format!("subscription {{ events(cursor: {cursor:?}) {{ type }} }}")).await;
        assert_eq!(again.next().await.1["data"]["events"]["type"], "agent.created");
        assert_eq!(again.next().await.1["data"]["events"]["type"], "company.created");
        bed.graphql.close();
        assert_eq!(again.next().await.0, "complete");
        // A subscription has one field; a query by the same door is told once.
        let two = listener.post(&json!({"query": "subscription { a: events { id } b: events { id } }"}), &[("accept", "text/event-stream")]).await;
        assert!(two.text.contains("exactly one field") && two.text.ends_with("event: complete\ndata:\n\n"), "{}", two.text);
        let mut once = Listener::open(&listener, "{ companies { totalCount } }").await;
        assert_eq!(once.next().await, ("next".into(), json!({"data": {"companies": {"totalCount": 2}}})));
        assert_eq!(once.next().await.0, "complete");
    }
}

impl Listener {
    /// The comment with which a stream begins.
    async fn next_comment(&mut self) -> String {
        let frame = self.body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.data_ref().unwrap().to_vec()).unwrap().trim().to_owned()
    }
}
