//! A document shows a credential what it may call, and nothing else; and what it shows can be called.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::http::Client;

use crate::world::World;

/// Method and path of every operation.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, one)| one.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))).collect()
}

async fn document(who: &Client) -> Value {
    who.get("/docs/openapi.json").await.expect(200).json()
}

testkit::engines! {
    async fn a_key_sees_what_its_scopes_allow(world: World) {
        let tenant = world.tenant("Acme").await;
        let whole = operations(&document(&world.server.client()).await);
        let (leads, agents) = (tenant.key_scoped(&["leads:read"]).await, tenant.key_scoped(&["agents:read"]).await);
        let seen = document(&leads.http).await;
        let mine = operations(&seen);
        assert!(mine.len() < whole.len() / 2 && mine.is_subset(&whole), "{} of {}", mine.len(), whole.len());
        let has = |method: &str, path: &str| mine.contains(&(method.to_owned(), path.to_owned()));
        assert!(has("GET", "/api/v1/leads") && !has("POST", "/api/v1/leads") && !has("GET", "/api/v1/agents") && !has("GET", "/api/v1/tenants"));
        for (method, path) in whole.difference(&mine).filter(|(_, path)| !path.contains("webhook-keys")) {
            let answer = leads.http.request(method.parse().unwrap(), &path.replace(['{', '}'], "")).json(&json!({})).send().await;
            assert_eq!(answer.status, 403, "{method} {path} is not in the document, so it must be refused: {}", answer.text());
        }
        let other = operations(&document(&agents.http).await);
        assert!(other.contains(&("GET".into(), "/api/v1/agents".into())) && !other.contains(&("GET".into(), "/api/v1/leads".into())));
        assert!(seen["components"]["schemas"].get("Agent").is_none() && seen["components"]["schemas"].get("Lead").is_some());
        assert_eq!(operations(&document(&world.operator).await), whole, "the operator may call everything");
    }

    async fn a_key_that_is_bound_to_endpoints_sees_those(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"scopes": ["leads:read", "leads:write"], "allowedEndpoints": ["GET /api/v1/leads*"]})).await;
        let guarded = document(&key.http).await;
        let paths: BTreeSet<(String, String)> = operations(&guarded);
        assert!(paths.contains(&("GET".into(), "/api/v1/leads/{id}".into())), "{paths:?}");
        let others: Vec<_> = paths.iter().filter(|(method, path)| method != "GET" || !path.starts_with("/api/v1/leads")).collect();
        assert!(others.is_empty(), "{others:?}");
    }

    async fn what_is_no_credential_is_refused_and_what_is_not_for_caches_says_so(world: World) {
        let stranger = world.server.client().bearer("tw_live_nobody");
        for path in ["/docs", "/docs/openapi.json", "/docs/postman.json", "/docs/start", "/llms.txt"] {
            stranger.get(path).await.assert_problem(401, "invalid_credential");
            let answer = world.operator.get(path).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{path}");
            assert!(answer.header("vary").unwrap().contains("Authorization"), "{path}");
        }
    }

    /// A tenant's own endpoint is in its own documents and in nobody else's.
    async fn own_endpoints_are_in_the_tenants_own_documents(world: World) {
        let (a, b) = (world.tenant("Tenant A").await, world.tenant("Tenant B").await);
        let input = json!({"path": "hot-leads", "method": "GET", "scopes": ["leads:read"], "operation": {"type": "list", "resource": "lead"}});
        a.host.post("/api/v1/rest-endpoints", &input).await.assert_status(201);
        let (mine, theirs) = (a.key().await.http, b.key().await.http);
        let path = "/api/v1/x/hot-leads";
        assert!(document(&mine).await["paths"].get(path).is_some());
        assert!(document(&theirs).await["paths"].get(path).is_none() && document(&world.server.client()).await["paths"].get(path).is_none());
        mine.get(path).await.assert_status(200);
        assert!(mine.get("/llms.txt").await.expect(200).text().contains(path));
    }
}
