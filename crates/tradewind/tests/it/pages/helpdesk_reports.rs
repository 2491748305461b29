//! The page of helpdesk-reports. Left to later work: integrations (Zapier, Slack, REST, GraphQL, inbound webhooks of one), the OAuth token store,
//! synchronisation, the marketplace, the portal's tabs, and the log of calls that integrations make. Queries against a team's own GraphQL schema
//! are replayed by the tests of `graphql`; here its settings are.

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::Receiver;
use testkit::{Bed, Engine, wait};

use super::{assert_has, assert_points, key_of, native_rows, part, replay, serve};
use crate::world::{SOON, Tenant, World, received, rows, text};

struct Helpdesk(World);

impl Bed for Helpdesk {
    async fn open(engine: Engine) -> Self {
        Self(serve(engine, "helpdesk-reports"))
    }
}

const SCOPES: [&str; 17] = [
    "reports:read",
    "reports:write",
    "reports:execute",
    "reports:export",
    "reports:schedule",
    "contacts:read",
    "contacts:write",
    "tickets:read",
    "tickets:write",
    "tickets:comment",
    "tickets:resolve",
    "agents:read",
    "agents:write",
    "webhooks:manage",
    "integrations:read",
    "integrations:write",
    "admin:full",
];

testkit::engines! {
    async fn the_page_holds(helpdesk: Helpdesk) {
        let world = &helpdesk.0;
        replay(vec![
            part("scopes", scopes(world)),
            part("keys", keys(world)),
            part("validation of keys", validate(world)),
            part("tickets", tickets(world)),
            part("contacts, agents, reports", others(world)),
            part("events", events(world)),
            part("REST endpoints", rest_endpoints(world)),
            part("GraphQL schema", graphql_schema(world)),
            part("someone else's", strangers(world)),
        ])
        .await;
    }
}

async fn holder(world: &World, tenant: &Tenant, scopes: &[&str]) -> Client {
    key_of(tenant, &world.server.client(), json!({"scopes": scopes})).await.0
}

async fn scopes(world: &World) {
    let tenant = world.tenant("Team, scopes").await;
    let listed = tenant.host.get("/api/v1/scopes").await.expect(200).json();
    let mut names: Vec<String> = rows(&listed).iter().map(|scope| text(&scope["name"])).collect();
    let mut wanted = SCOPES.map(str::to_owned).to_vec();
    names.sort();
    wanted.sort();
    assert_eq!(names, wanted, "17 scopes");
    let ticket = text(&tenant.host.post("/api/v1/records/ticket", &json!({"subject": "Fire"})).await.expect(201).json()["id"]);
    let report = text(&tenant.host.post("/api/v1/records/report", &json!({"name": "Open"})).await.expect(201).json()["id"]);
    for (method, path, scope, body) in [
        ("GET", "/api/v1/records/report".to_owned(), "reports:read", json!({})),
        ("POST", "/api/v1/records/report".to_owned(), "reports:write", json!({"name": "A"})),
        ("POST", format!("/api/v1/reports/{report}/execute"), "reports:execute", json!({})),
        ("POST", format!("/api/v1/reports/{report}/export"), "reports:export", json!({})),
        ("GET", "/api/v1/records/contact".to_owned(), "contacts:read", json!({})),
        ("POST", "/api/v1/records/contact".to_owned(), "contacts:write", json!({"name": "Ada"})),
        ("GET", "/api/v1/records/ticket".to_owned(), "tickets:read", json!({})),
        ("GET", format!("/api/v1/records/ticket/{ticket}"), "tickets:read", json!({})),
        ("POST", "/api/v1/records/ticket".to_owned(), "tickets:write", json!({"subject": "B"})),
        ("POST", "/api/v1/records/comment".to_owned(), "tickets:comment", json!({"ticketId": ticket, "body": "Hi"})),
        ("POST", format!("/api/v1/tickets/{ticket}/resolve"), "tickets:resolve", json!({})),
        ("GET", "/api/v1/records/agent".to_owned(), "agents:read", json!({})),
        ("POST", "/api/v1/records/agent".to_owned(), "agents:write", json!({"name": "Eve"})),
        ("GET", "/api/v1/deliveries".to_owned(), "webhooks:manage", json!({})),
        ("GET", "/api/v1/usage".to_owned(), "integrations:read", json!({})),
        ("GET", "/api/v1/rest-endpoints".to_owned(), "integrations:read", json!({})),
        ("GET", "/api/v1/rest-endpoints".to_owned(), "integrations:write", json!({})),
    ] {
        // `integrations:write` includes reading; `admin:full` includes all.
        let opens = |held: &str| held == scope || held == "admin:full" || (held == "integrations:write" && scope == "integrations:read");
        let others: Vec<&str> = SCOPES
            .into_iter()
            .filter(|held| !opens(held))
            .filter(|held| *held != "integrations:read" || scope != "integrations:write")
            .collect();
        for (held, refused) in [(vec![scope], false), (vec!["admin:full"], false), (others, true)] {
            let key = holder(world, &tenant, &held).await;
            let request = key.request(method.parse().unwrap(), &path);
            let answer = if method == "GET" { request.send().await } else { request.json(&body).send().await };
            assert_eq!(answer.status == 403, refused, "{method} {path} with {held:?}: {} {}", answer.status, answer.text());
            assert!(refused || answer.status.is_success(), "{method} {path} with {held:?}: {} {}", answer.status, answer.text());
        }
    }
}

async fn keys(world: &World) {
    let tenant = world.tenant("Team, keys").await;
    let anyone = world.server.client();
    let admin = holder(world, &tenant, &["admin:full"]).await;
    let body = json!({"clientId": tenant.client, "name": "Zap", "scopes": ["tickets:read"], "rateLimitOverride": {"requests": 2, "window": 60000}, "expiresInDays": 30});
    let made = admin.post("/api/v1/api-keys", &body).await.expect(201).json();
    assert_has(&made, &["id", "key", "name", "scopes", "expiresAt", "createdAt"]);
    let key = anyone.bearer(&text(&made["key"]));
    let path = format!("/api/v1/api-keys/{}", text(&made["id"]));
    key.get("/api/v1/records/ticket").await.assert_status(200);
    key.get("/api/v1/records/ticket").await.assert_status(200);
    key.get("/api/v1/records/ticket").await.assert_problem(429, "rate_limited");
    let shown = wait::until("the use of the key", SOON, async || {
        let shown = admin.get(&path).await.expect(200).json();
        (shown["requestCount"].as_u64() >= Some(2)).then_some(shown)
    })
    .await;
    assert_has(&shown, &["lastUsedAt", "requestCount", "enabled", "expiresAt", "createdAt", "updatedAt", "mask"]);
    assert!(!shown.to_string().contains(&text(&made["key"])), "hashed, and masked afterwards");
    assert!(native_rows(&admin.get(&format!("/api/v1/api-clients/{}/api-keys", tenant.client)).await).len() >= 2);
    let wider = json!({"scopes": ["tickets:read", "contacts:read"], "rateLimitOverride": {"requests": 1000, "window": 1000}});
    tenant.host.patch(&path, &wider).await.assert_status(200);
    key.get("/api/v1/records/contact").await.assert_status(200);
    admin.patch(&path, &json!({"enabled": false})).await.assert_status(200);
    key.get("/api/v1/records/ticket").await.assert_status(401);
    admin.patch(&path, &json!({"enabled": true})).await.assert_status(200);
    admin.delete(&path).await.assert_status(204);
    key.get("/api/v1/records/ticket").await.assert_status(401);
    for days in [0, -1] {
        let refused = admin.post("/api/v1/api-keys", &json!({"clientId": tenant.client, "name": "Zap", "expiresInDays": days})).await;
        assert_eq!(refused.status, 422, "{days}: {}", refused.text());
    }
    for days in [1, 365] {
        admin.post("/api/v1/api-keys", &json!({"clientId": tenant.client, "name": "Zap", "expiresInDays": days})).await.assert_status(201);
    }
}

/// Valid? remaining requests; the use is counted.
async fn validate(world: &World) {
    let tenant = world.tenant("Team, validate").await;
    let (_, made) = key_of(
        &tenant,
        &world.server.client(),
        json!({"scopes": ["tickets:read"], "rateLimitOverride": {"requests": 3, "window": 3_600_000}}),
    )
    .await;
    let verify = async |body: Value| tenant.host.post("/api/v1/api-keys/verify", &body).await.expect(200).json();
    for left in [2, 1, 0] {
        let verdict = verify(json!({"key": made["key"], "scopes": ["tickets:read"]})).await;
        assert_eq!((&verdict["valid"], &verdict["rateLimit"]["remaining"]), (&json!(true), &json!(left)), "{verdict}");
        assert_has(&verdict, &["code", "keyId", "clientId", "tenantId", "scopes", "rateLimit"]);
    }
    assert_eq!(verify(json!({"key": made["key"]})).await["valid"], false, "the limit is used up");
    assert_eq!(verify(json!({"key": "nonsense"})).await["valid"], false);
}

async fn tickets(world: &World) {
    let tenant = world.tenant("Team, tickets").await;
    let key = holder(world, &tenant, &["tickets:read", "tickets:write", "tickets:comment", "tickets:resolve"]).await;
    let all = "/api/v1/records/ticket";
    let made = key.post(all, &json!({"subject": "Printer on fire"})).await.expect(201).json();
    assert_has(&made, &["id", "subject", "status", "createdAt", "updatedAt"]);
    assert_points(&key.post(all, &json!({})).await, 422, "/subject");
    assert_points(&key.post(all, &json!({"subject": 5})).await, 422, "/subject");
    let id = text(&made["id"]);
    let one = format!("{all}/{id}");
    key.put(&one, &json!({"subject": "Printer smokes", "priority": "high"})).await.assert_status(200);
    key.patch(&one, &json!({"assigneeId": "agent-1"})).await.assert_status(200);
    let seen = key.get(&one).await.expect(200).json();
    assert_eq!((&seen["subject"], &seen["priority"], &seen["assigneeId"]), (&json!("Printer smokes"), &json!("high"), &json!("agent-1")));
    for n in 0..3 {
        key.post("/api/v1/records/comment", &json!({"ticketId": id, "body": format!("Comment {n}")})).await.assert_status(201);
    }
    assert_eq!(native_rows(&key.get(&format!("/api/v1/records/comment?ticketId={id}")).await).len(), 3);
    assert_eq!(native_rows(&key.get(&format!("/api/v1/tickets/{id}/comments")).await)[0]["body"], "Comment 2");
    let nobody = key.post("/api/v1/records/comment", &json!({"ticketId": "rec_00000000000000000000000000", "body": "x"})).await;
    assert!(matches!(nobody.status.as_u16(), 404 | 422), "{}", nobody.text());
    let resolved = key.post(&format!("/api/v1/tickets/{id}/resolve"), &json!({})).await.expect(200).json();
    assert!(resolved["status"] == "resolved" && resolved["resolvedAt"].is_string(), "{resolved}");
    for (query, found) in [("?status=resolved", 1), ("?status=open", 0), ("?search=SMOKES", 1), ("?priority=high&assigneeId=agent-1", 1)] {
        assert_eq!(native_rows(&key.get(&format!("{all}{query}")).await).len(), found, "{query}");
    }
    key.delete(&one).await.assert_status(204);
    assert_eq!(native_rows(&key.get("/api/v1/records/comment").await).len(), 0, "its comments go with it");
}

async fn others(world: &World) {
    let tenant = world.tenant("Team, others").await;
    let key = holder(world, &tenant, &["admin:full"]).await;
    for (kind, body, change) in [
        ("contact", json!({"name": "Ada", "email": "ada@example.com"}), json!({"company": "Engines"})),
        ("agent", json!({"name": "Eve", "email": "eve@example.com"}), json!({"role": "lead"})),
        ("report", json!({"name": "Open tickets", "query": {"status": "open"}}), json!({"description": "By agent"})),
    ] {
        let all = format!("/api/v1/records/{kind}");
        let id = text(&key.post(&all, &body).await.expect(201).json()["id"]);
        let changed = key.patch(&format!("{all}/{id}"), &change).await.expect(200).json();
        let (name, value) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!(&changed[name], value);
        assert_eq!(native_rows(&key.get(&all).await).len(), 1);
        key.delete(&format!("{all}/{id}")).await.assert_status(204);
    }
}

async fn events(world: &World) {
    let tenant = world.tenant("Team, events").await;
    let receiver = Receiver::start();
    let named = [
        "ticket.created",
        "ticket.updated",
        "ticket.commented",
        "ticket.resolved",
        "contact.created",
        "contact.updated",
        "report.executed",
        "report.exported",
    ];
    tenant.webhook(&receiver.url("/"), &named).await;
    let key = holder(world, &tenant, &["admin:full"]).await;
    let ticket = text(&key.post("/api/v1/records/ticket", &json!({"subject": "Fire"})).await.expect(201).json()["id"]);
    key.patch(&format!("/api/v1/records/ticket/{ticket}"), &json!({"priority": "urgent"})).await.assert_status(200);
    key.post("/api/v1/records/comment", &json!({"ticketId": ticket, "body": "On our way"})).await.assert_status(201);
    key.post(&format!("/api/v1/tickets/{ticket}/resolve"), &json!({})).await.assert_status(200);
    let contact = text(&key.post("/api/v1/records/contact", &json!({"name": "Ada"})).await.expect(201).json()["id"]);
    key.patch(&format!("/api/v1/records/contact/{contact}"), &json!({"name": "Ada B."})).await.assert_status(200);
    let report = text(&key.post("/api/v1/records/report", &json!({"name": "Open"})).await.expect(201).json()["id"]);
    for act in ["execute", "export"] {
        key.post(&format!("/api/v1/reports/{report}/{act}"), &json!({})).await.assert_status(200);
    }
    let came = received(&receiver, named.len()).await;
    let mut types: Vec<String> = came.iter().map(|request| text(&request.json()["type"])).collect();
    let mut wanted = named.map(str::to_owned).to_vec();
    types.sort();
    wanted.sort();
    assert_eq!(types, wanted);
    let of = |name: &str| came.iter().map(testkit::receiver::Received::json).find(|body| body["type"] == name).unwrap();
    assert_eq!(of("ticket.resolved")["data"]["ticketId"], json!(ticket));
    assert_eq!(of("ticket.commented")["data"]["ticketId"], json!(ticket));
    assert_eq!(of("report.executed")["data"]["reportId"], json!(report));
}

/// Defined at run time: they answer at once and stand in the document.
async fn rest_endpoints(world: &World) {
    let (team, other) = (world.tenant("Red Team").await, world.tenant("Blue Team").await);
    let maker = holder(world, &team, &["integrations:write", "tickets:read", "tickets:write"]).await;
    team.host.post("/api/v1/records/ticket", &json!({"subject": "Fire"})).await.assert_status(201);
    let schema = json!({"type": "object", "required": ["subject"], "properties": {"subject": {"type": "string", "minLength": 5}}});
    let list = json!({"path": "board/tickets", "method": "GET", "scopes": ["tickets:read"], "schema": null, "public": false, "operation": {"type": "list", "resource": "ticket"}});
    let make = json!({"path": "board/tickets", "method": "POST", "scopes": ["tickets:write"], "schema": schema, "public": false, "operation": {"type": "create", "resource": "ticket"}});
    let public = json!({"path": "board", "method": "GET", "scopes": [], "public": true, "operation": {"type": "list", "resource": "ticket", "query": {"fields": "subject"}}});
    let mut ids = Vec::new();
    for body in [&list, &make, &public] {
        let made = maker.post("/api/v1/rest-endpoints", body).await.expect(201).json();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&made[name], value, "{made}");
        }
        ids.push(text(&made["id"]));
    }
    assert_eq!(native_rows(&maker.get("/api/v1/rest-endpoints").await).len(), 3);
    let reader = holder(world, &team, &["tickets:read"]).await;
    assert_eq!(native_rows(&reader.get("/api/v1/x/board/tickets").await).len(), 1);
    reader.post("/api/v1/x/board/tickets", &json!({"subject": "Printer"})).await.assert_problem(403, "insufficient_scope");
    assert_points(&maker.post("/api/v1/x/board/tickets", &json!({"subject": "Hi"})).await, 422, "/subject");
    maker.post("/api/v1/x/board/tickets", &json!({"subject": "Printer"})).await.assert_status(201);
    let seen = world.server.client().get("/public/red-team/board").await.expect(200).json();
    assert_eq!((rows(&seen).len(), &seen["data"][0]["status"]), (2, &Value::Null), "only the subject is shown: {seen}");
    holder(world, &other, &["tickets:read"]).await.get("/api/v1/x/board/tickets").await.assert_problem(404, "not_found");
    let document = maker.get("/docs/openapi.json").await.expect(200).json();
    assert_has(&document["paths"]["/api/v1/x/board/tickets"], &["get", "post"]);
    // Whoever may not see tickets cannot make an endpoint that shows them.
    let blind = holder(world, &team, &["integrations:write"]).await;
    let mut elsewhere = list.clone();
    elsewhere["path"] = json!("elsewhere");
    blind.post("/api/v1/rest-endpoints", &elsewhere).await.assert_problem(403, "insufficient_scope");
    for id in ids {
        maker.delete(&format!("/api/v1/rest-endpoints/{id}")).await.assert_status(204);
    }
    reader.get("/api/v1/x/board/tickets").await.assert_problem(404, "not_found");
    world.server.client().get("/public/red-team/board").await.assert_problem(404, "not_found");
}

/// Set, get, and queries against it work.
async fn graphql_schema(world: &World) {
    let team = world.tenant("Team, graphql schema").await;
    team.host.post("/api/v1/records/ticket", &json!({"subject": "Fire"})).await.assert_status(201);
    let schema = json!({
        "typeDefs": "type Issue @resource(name: \"ticket\") { id: ID! title: String @field(path: \"subject\") }",
        "complexityLimit": 500, "depthLimit": 6, "introspection": true,
    });
    let set = team.host.put("/api/v1/graphql-schema", &schema).await;
    assert!(set.status.is_success(), "{} {}", set.status, set.text());
    let got = team.host.get("/api/v1/graphql-schema").await.expect(200).json();
    assert_eq!((&got["complexityLimit"], &got["depthLimit"], &got["introspection"]), (&json!(500), &json!(6), &json!(true)));
    assert!(text(&got["typeDefs"]).contains("Issue"));
    let kinds = team.host.post("/graphql", &json!({"query": "{ __type(name: \"Issue\") { fields { name } } }"})).await.expect(200).json();
    assert!(kinds["data"]["__type"]["fields"].to_string().contains("title"), "{kinds}");
    let broken = team.host.put("/api/v1/graphql-schema", &json!({"typeDefs": "type {"})).await;
    assert_eq!(broken.status, 422, "{}", broken.text());
}

async fn strangers(world: &World) {
    let (ours, theirs) = (world.tenant("Ours, strangers").await, world.tenant("Theirs, strangers").await);
    let ticket = text(&ours.host.post("/api/v1/records/ticket", &json!({"subject": "Fire"})).await.expect(201).json()["id"]);
    let stranger = holder(world, &theirs, &["admin:full"]).await;
    for (method, path) in [
        ("GET", format!("/api/v1/records/ticket/{ticket}")),
        ("DELETE", format!("/api/v1/records/ticket/{ticket}")),
        ("GET", format!("/api/v1/tickets/{ticket}/comments")),
    ] {
        stranger.request(method.parse().unwrap(), &path).send().await.assert_problem(404, "not_found");
    }
    stranger.post(&format!("/api/v1/tickets/{ticket}/resolve"), &json!({})).await.assert_problem(404, "not_found");
    assert_eq!(native_rows(&stranger.get("/api/v1/records/ticket").await).len(), 0);
}
