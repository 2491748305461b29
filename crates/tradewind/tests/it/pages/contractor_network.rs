//! The page of contractor-network. Left to later work: the CRM connectors and their sync log, the integrations page of the portal (its tabs
//! show what is replayed here), portal sessions as a credential of the self-service API (service keys are).

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};
use testkit::{Bed, Engine, wait};

use super::{assert_has, assert_members, key_of, part, replay, serve};
use crate::world::{SOON, Tenant, World, assert_signed_legacy, now, received, rows, text};

struct Network(World);

impl Bed for Network {
    async fn open(engine: Engine) -> Self {
        Self(serve(engine, "contractor-network"))
    }
}

const API: &str = "/api/partner-api";
const PORTAL: &str = "/api/partner-portal";
const NO_KEY: &str = "API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.";

testkit::engines! {
    async fn the_page_holds(network: Network) {
        let world = &network.0;
        replay(vec![
            part("GET /leads", leads(world)),
            part("PUT /lead/{leadId}", lead(world)),
            part("GET /analytics", analytics(world)),
            part("GET /profile", profile(world)),
            part("GET /powerconfidence-history", history(world)),
            part("errors", errors(world)),
            part("self-service keys", self_service_keys(world)),
            part("self-service webhooks", self_service_webhooks(world)),
            part("API keys", api_keys(world)),
            part("rate limit", rate_limit(world)),
            part("webhooks", webhooks(world)),
            part("audit and usage", usage(world)),
            part("documentation", documentation(world)),
        ])
        .await;
    }
}

/// A match, made by the marketplace's own backend.
async fn matched(tenant: &Tenant, members: Value) -> Value {
    let mut body = json!({
        "contractor_id": 92, "match_score": 87.5, "engagement_stage": "new", "first_name": "Grace", "last_name": "Hopper",
        "email": "grace@example.com", "phone": "+1 555 0100", "company_name": "Hopper Roofing", "revenue_tier": "1M-5M",
    });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    tenant.host.post("/api/v1/records/lead", &body).await.expect(201).json()
}

async fn partner(world: &World, tenant: &Tenant, scopes: &[&str]) -> Client {
    key_of(tenant, &world.server.client(), json!({"scopes": scopes})).await.0
}

fn error(text: &str) -> Value {
    json!({"success": false, "error": text})
}

async fn leads(world: &World) {
    let (tenant, other) = (world.tenant("Acme, leads").await, world.tenant("Other, leads").await);
    let key = partner(world, &tenant, &["read:leads"]).await;
    matched(&other, json!({"first_name": "Foreign"})).await;
    for n in 0..52 {
        let status = if n % 10 == 0 { "lost" } else { "active" };
        let name = if n == 3 { "Zoë" } else { "Grace" };
        matched(
            &tenant,
            json!({"status": status, "first_name": name, "last_name": format!("N{n}"), "company_name": format!("Roofing {n}%")}),
        )
        .await;
    }
    let get = async |query: &str| key.get(&format!("{API}/leads{query}")).await.expect(200).json();
    let body = get("").await;
    assert_members(&body, &["success", "data", "pagination"]);
    assert_eq!((&body["success"], &body["pagination"]), (&json!(true), &json!({"page": 1, "limit": 50, "total": 52})));
    let list = rows(&body);
    assert_eq!((list.len(), &list[0]["last_name"], &list[49]["last_name"]), (50, &json!("N51"), &json!("N2")), "newest first");
    assert!(list[0]["id"].is_i64(), "ids of leads are integers: {}", list[0]);
    assert_has(
        &list[0],
        &[
            "id",
            "contractor_id",
            "match_score",
            "status",
            "engagement_stage",
            "last_contact_date",
            "next_follow_up_date",
            "created_at",
            "first_name",
            "last_name",
            "email",
            "phone",
            "company_name",
            "revenue_tier",
        ],
    );
    assert_eq!((&list[0]["match_score"], &list[0]["status"]), (&json!(87.5), &json!("active")));
    let second = get("?page=2").await;
    assert_eq!((rows(&second).len(), &second["pagination"]), (2, &json!({"page": 2, "limit": 50, "total": 52})));
    let lost = get("?status=lost&limit=4&page=2").await;
    assert_eq!((rows(&lost).len(), &lost["pagination"]), (2, &json!({"page": 2, "limit": 4, "total": 6})));
    assert!(rows(&lost).iter().all(|lead| lead["status"] == "lost"));
    for (search, total) in [("gRACE", 51), ("zo%C3%AB", 1), ("n51", 1), ("ROOFING%207", 1), ("7%25", 5), ("Foreign", 0), ("example.com", 0)]
    {
        assert_eq!(get(&format!("?search={search}")).await["pagination"]["total"], total, "{search}");
    }
    assert_eq!(get("?search=grace&status=lost").await["pagination"]["total"], 6, "both hold");
    for bad in ["?limit=0", "?limit=x", "?page=0", "?limit=100000"] {
        let refused = key.get(&format!("{API}/leads{bad}")).await.expect(400).json();
        assert_members(&refused, &["success", "error"]);
    }
}

async fn lead(world: &World) {
    let (tenant, other) = (world.tenant("Acme, lead").await, world.tenant("Other, lead").await);
    let key = partner(world, &tenant, &["read:leads", "write:leads"]).await;
    let foreign = matched(&other, json!({})).await["id"].clone();
    matched(&tenant, json!({})).await;
    let before = key.get(&format!("{API}/leads")).await.expect(200).json()["data"][0].clone();
    assert_eq!((&before["status"], &before["last_contact_date"]), (&json!("active"), &Value::Null));
    let path = format!("{API}/lead/{}", before["id"]);
    let change =
        json!({"status": "active", "engagement_stage": "contacted", "next_follow_up_date": "2030-05-01T09:00:00Z", "notes": "Monday"});
    let answer = key.put(&path, &change).await.expect(200).json();
    assert_members(&answer, &["success", "data"]);
    let after = &answer["data"];
    assert_eq!((&after["id"], &after["engagement_stage"], &after["notes"]), (&before["id"], &json!("contacted"), &json!("Monday")));
    assert_eq!(after["last_contact_date"], after["updated_at"], "both are now: {after}");
    assert!(text(&after["updated_at"]) >= text(&after["created_at"]));
    let cleared = key.put(&path, &json!({"next_follow_up_date": null})).await.expect(200).json();
    assert!(cleared["data"].get("next_follow_up_date").is_some_and(Value::is_null), "{cleared}");
    assert_eq!(cleared["data"]["notes"], "Monday", "what is not sent stays");
    assert_eq!(key.put(&path, &json!({"status": "converted"})).await.expect(200).json()["data"]["status"], "converted");
    let missing = error("Lead not found or access denied");
    for id in [foreign.to_string(), "999999".into(), "x".into(), "0".into(), "1%2F..".into()] {
        assert_eq!(key.put(&format!("{API}/lead/{id}"), &json!({"notes": "mine"})).await.expect(404).json(), missing, "{id}");
    }
    for bad in
        [json!({"status": "won"}), json!({"first_name": "Eve"}), json!({"nonsense": 1}), json!({"next_follow_up_date": "soon"}), json!([])]
    {
        let refused = key.put(&path, &bad).await.expect(400).json();
        assert_members(&refused, &["success", "error"]);
    }
    assert_eq!(key.get(&path).await.status, 405);
}

async fn analytics(world: &World) {
    let (tenant, other) = (world.tenant("Acme, analytics").await, world.tenant("Other, analytics").await);
    let key = partner(world, &tenant, &["read:analytics"]).await;
    let get = async |query: &str| key.get(&format!("{API}/analytics{query}")).await.expect(200).json();
    let empty = get("").await;
    assert_members(&empty, &["success", "data", "period"]);
    assert_eq!((&empty["period"], &empty["data"]["total_leads"]), (&json!("30d"), &json!(0)));
    matched(&other, json!({"match_score": 1})).await;
    for (status, score) in [("active", 80.0), ("active", 91.0), ("converted", 70.555), ("lost", 10.0)] {
        matched(&tenant, json!({"status": status, "match_score": score})).await;
    }
    for period in ["7d", "30d", "90d", "1y"] {
        let body = get(&format!("?period={period}")).await;
        assert_eq!(body["period"], period);
        assert_eq!(body["data"], json!({"total_leads": 4, "active_leads": 2, "converted_leads": 1, "avg_match_score": 62.89}), "{body}");
    }
    let refused = key.get(&format!("{API}/analytics?period=2d")).await.expect(400).json();
    assert_members(&refused, &["success", "error"]);
}

async fn profile(world: &World) {
    let tenant = world.tenant("Acme Building").await;
    let key = partner(world, &tenant, &["read:profile"]).await;
    let body = key.get(&format!("{API}/profile")).await.expect(200).json();
    assert_members(&body, &["success", "data"]);
    let fields = [
        "id",
        "company_name",
        "contact_email",
        "power_confidence_score",
        "industry_rank",
        "average_satisfaction",
        "total_contractor_engagements",
    ];
    assert_members(&body["data"], &fields);
    assert_eq!(body["data"]["company_name"], "Acme Building", "a new tenant has its profile at once");
    for empty in &fields[2..] {
        assert!(body["data"][empty].is_null() || body["data"][empty] == 0, "{empty} in {body}");
    }
    let found = tenant.host.get("/api/v1/records/profile").await.expect(200).json();
    let id = if found["data"].is_array() { text(&found["data"][0]["id"]) } else { text(&found["id"]) };
    let known = json!({"contact_email": "hi@acme.example", "power_confidence_score": 91, "industry_rank": 3, "average_satisfaction": 4.5, "total_contractor_engagements": 12});
    tenant.host.patch(&format!("/api/v1/records/profile/{id}"), &known).await.assert_status(200);
    let body = key.get(&format!("{API}/profile")).await.expect(200).json();
    for (name, value) in known.as_object().unwrap() {
        assert_eq!(&body["data"][name], value, "{body}");
    }
}

async fn history(world: &World) {
    let tenant = world.tenant("Acme, history").await;
    let key = partner(world, &tenant, &["read:analytics"]).await;
    let empty = key.get(&format!("{API}/powerconfidence-history")).await.expect(200).json();
    assert_eq!(empty, json!({"success": true, "data": []}));
    for year in [2022, 2023, 2024, 2025] {
        for (n, (from, to)) in [("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31")].into_iter().enumerate() {
            let body = json!({"period_start": format!("{year}-{from}"), "period_end": format!("{year}-{to}"), "power_confidence_score": year - 1950 + i32::try_from(n).unwrap()});
            tenant.host.post("/api/v1/records/confidence-score", &body).await.assert_status(201);
        }
    }
    let body = key.get(&format!("{API}/powerconfidence-history")).await.expect(200).json();
    assert_members(&body, &["success", "data"]);
    let list = rows(&body);
    assert_eq!(list.len(), 12, "at most 12 newest periods");
    assert_eq!(list[0], json!({"period": "2025-10-01 to 2025-12-31", "score": 78, "metadata": {}}));
    assert_eq!(list[11]["period"], "2023-01-01 to 2023-03-31");
    // The profile's own score is the present quarter's.
    tenant.host.patch("/api/v1/records/profile/ext:singleton", &json!({"power_confidence_score": 87.4})).await.assert_status(200);
    let newest = key.get(&format!("{API}/powerconfidence-history")).await.expect(200).json()["data"][0].clone();
    assert_eq!((&newest["score"], &newest["metadata"]), (&json!(87), &json!({})), "{newest}");
    assert_ne!(newest["period"], list[0]["period"]);
}

async fn errors(world: &World) {
    let tenant = world.tenant("Acme, errors").await;
    let anyone = world.server.client();
    let key = partner(world, &tenant, &["read:leads"]).await;
    for path in ["leads", "analytics", "profile", "powerconfidence-history"] {
        let path = format!("{API}/{path}");
        assert_eq!(anyone.get(&path).await.expect(401).json(), error(NO_KEY), "{path}");
        assert_eq!(anyone.bearer("tpx_live_nonsense").get(&path).await.expect(401).json(), error("Invalid API key"), "{path}");
    }
    assert_eq!(anyone.with("authorization", "Basic dTpw").get(&format!("{API}/leads")).await.expect(401).json(), error(NO_KEY));
    for (path, scope) in [("analytics", "read:analytics"), ("profile", "read:profile"), ("powerconfidence-history", "read:analytics")] {
        let refused = key.get(&format!("{API}/{path}")).await.expect(403).json();
        assert_eq!(refused, error(&format!("Insufficient permissions. Required scope: {scope}")));
    }
    let refused = key.put(&format!("{API}/lead/1"), &json!({"notes": "x"})).await.expect(403).json();
    assert_eq!(refused, error("Insufficient permissions. Required scope: write:leads"));
    let (elsewhere, _) = key_of(&tenant, &anyone, json!({"allowedIps": ["203.0.113.0/24"]})).await;
    assert_eq!(elsewhere.get(&format!("{API}/leads")).await.expect(403).json(), error("IP address not whitelisted"));
    let (revoked, made) = key_of(&tenant, &anyone, json!({})).await;
    tenant.host.delete(&format!("/api/v1/api-keys/{}", text(&made["id"]))).await.assert_status(204);
    assert_eq!(revoked.get(&format!("{API}/leads")).await.expect(401).json(), error("Invalid API key"));
}

async fn self_service_keys(world: &World) {
    let tenant = world.tenant("Acme, self service keys").await;
    let host = &tenant.host;
    let path = format!("{PORTAL}/api-keys");
    let made = host.post(&path, &json!({"key_name": "Reports", "scopes": ["read:leads"], "expires_in_days": 30})).await;
    assert!(made.status.is_success(), "{} {}", made.status, made.text());
    let made = made.json();
    assert_members(&made, &["success", "api_key", "key_info", "warning"]);
    assert_eq!(made["success"], true);
    assert_has(&made["key_info"], &["id", "key_name", "scopes", "expires_at", "created_at"]);
    assert_eq!((&made["key_info"]["key_name"], &made["key_info"]["scopes"]), (&json!("Reports"), &json!(["read:leads"])));
    let token = text(&made["api_key"]);
    let key = world.server.client().bearer(&token);
    key.get(&format!("{API}/leads")).await.assert_status(200);
    key.get(&format!("{API}/leads?limit=0")).await.assert_status(400);
    let default = host.post(&path, &json!({"key_name": "Defaults"})).await.json();
    assert_eq!(default["key_info"]["scopes"], json!(["read:leads", "read:analytics"]), "{default}");
    assert!(default["key_info"]["expires_at"].is_null(), "never: {default}");
    let listed = host.get(&path).await.expect(200).json();
    assert_members(&listed, &["success", "api_keys"]);
    let keys = listed["api_keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert!(!listed.to_string().contains(&token), "the key is shown once");
    for bad in [
        json!({"key_name": "ab"}),
        json!({}),
        json!({"key_name": "Good", "scopes": ["read:everything"]}),
        json!({"key_name": "Good", "expires_in_days": 0}),
    ] {
        let refused = host.post(&path, &bad).await.expect(400).json();
        assert_members(&refused, &["success", "error"]);
    }
    // By a service key with the tenant named, or a person: not by a partner's key, and not without the tenant.
    let own = key.get(&path).await;
    assert_eq!((own.status.as_u16(), &own.json()["success"]), (403, &json!(false)), "{}", own.text());
    assert!(world.operator.get(&path).await.status.is_client_error());
    assert_eq!(world.server.client().get(&path).await.expect(401).json(), error(NO_KEY));
    let id = text(&made["key_info"]["id"]);
    let used = wait::until("the key's usage", SOON, async || {
        let usage = host.get(&format!("{path}/{id}/usage?period=7d")).await.expect(200).json();
        (usage["usage"][0]["request_count"] == 2).then_some(usage)
    })
    .await;
    assert_members(&used, &["success", "usage", "period"]);
    assert_eq!(used["period"], "7d");
    let row = &used["usage"][0];
    assert_members(row, &["endpoint", "method", "request_count", "avg_response_time", "success_count", "error_count"]);
    assert_eq!((&row["endpoint"], &row["method"]), (&json!(format!("{API}/leads")), &json!("GET")));
    assert_eq!((&row["success_count"], &row["error_count"]), (&json!(1), &json!(1)));
    assert!(row["avg_response_time"].is_number());
    assert_eq!(host.get(&format!("{path}/{id}/usage")).await.expect(200).json()["period"], "7d");
    host.get(&format!("{path}/{id}/usage?period=2d")).await.assert_status(400);
    let gone = host.delete(&format!("{path}/{id}")).await.expect(200).json();
    assert_members(&gone, &["success", "message"]);
    assert_eq!(key.get(&format!("{API}/leads")).await.expect(401).json(), error("Invalid API key"));
    assert_eq!(host.delete(&format!("{path}/key_00000000000000000000000000")).await.expect(404).json()["success"], false);
    // They belong to the client `portal`.
    let portal = host.get("/api/v1/api-clients/ext:portal").await.expect(200).json();
    let native = host.get(&format!("/api/v1/api-clients/{}/api-keys", text(&portal["id"]))).await.json();
    assert_eq!(rows(&native).len(), 2);
    let other = world.tenant("Other, self service keys").await;
    assert_eq!(other.host.get(&path).await.expect(200).json()["api_keys"], json!([]));
    other.host.get(&format!("{path}/{}/usage", text(&default["key_info"]["id"]))).await.assert_status(404);
}

async fn self_service_webhooks(world: &World) {
    let tenant = world.tenant("Acme, self service webhooks").await;
    let host = &tenant.host;
    let receiver = Receiver::start();
    let path = format!("{PORTAL}/webhooks");
    let made = host.post(&path, &json!({"webhook_url": receiver.url("/tpx"), "events": ["lead.created", "lead.converted"]})).await;
    assert!(made.status.is_success(), "{} {}", made.status, made.text());
    let made = made.json();
    assert_members(&made, &["success", "webhook", "secret", "warning"]);
    assert_has(&made["webhook"], &["id", "webhook_url", "events"]);
    let (id, secret) = (text(&made["webhook"]["id"]), text(&made["secret"]));
    for bad in [
        json!({"webhook_url": receiver.url("/"), "events": []}),
        json!({"events": ["lead.created"]}),
        json!({"webhook_url": "nonsense", "events": ["lead.created"]}),
        json!({"webhook_url": receiver.url("/"), "events": ["lead.gone"]}),
    ] {
        let refused = host.post(&path, &bad).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["success"]), (400, &json!(false)), "{bad}: {}", refused.text());
    }
    let listed = host.get(&path).await.expect(200).json();
    assert_members(&listed, &["success", "webhooks"]);
    assert_eq!(listed["webhooks"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(&secret), "the secret is shown once");
    let test = host.post(&format!("{path}/{id}/test"), &json!({})).await.expect(200).json();
    assert_members(&test, &["success", "delivered", "message"]);
    assert_eq!((&test["success"], &test["delivered"]), (&json!(true), &json!(true)));
    let came = received(&receiver, 1).await.remove(0);
    assert_members(&came.json(), &["test", "message", "timestamp"]);
    assert_signed_legacy(&came, "x-tpx-signature", &secret);
    matched(&tenant, json!({})).await;
    let delivered = wait::until("the delivery in the log", SOON, async || {
        let list = host.get(&format!("{path}/{id}/deliveries?limit=50&page=1")).await.expect(200).json();
        let created =
            list["deliveries"].as_array()?.iter().any(|row| row["event_type"] == "lead.created" && row["delivered_at"].is_string());
        created.then_some(list)
    })
    .await;
    assert_members(&delivered, &["success", "deliveries", "pagination"]);
    assert_members(&delivered["pagination"], &["page", "limit"]);
    assert_eq!((&delivered["pagination"]["page"], &delivered["pagination"]["limit"]), (&json!(1), &json!(50)));
    let other = world.tenant("Other, self service webhooks").await;
    for (method, at) in
        [("DELETE", format!("{path}/{id}")), ("POST", format!("{path}/{id}/test")), ("GET", format!("{path}/{id}/deliveries"))]
    {
        let hidden = other.host.request(method.parse().unwrap(), &at).send().await;
        assert_eq!((hidden.status.as_u16(), &hidden.json()["success"]), (404, &json!(false)), "{method} {at}");
    }
    let gone = host.delete(&format!("{path}/{id}")).await.expect(200).json();
    assert_members(&gone, &["success", "message"]);
    assert_eq!(host.get(&path).await.expect(200).json()["webhooks"], json!([]));
}

/// What the native objects know of keys under this product.
async fn api_keys(world: &World) {
    let tenant = world.tenant("Acme, api keys").await;
    let anyone = world.server.client();
    let (key, made) =
        key_of(&tenant, &anyone, json!({"scopes": ["read:leads"], "expiresInDays": 30, "allowedIps": ["127.0.0.1", "10.0.0.0/8"]})).await;
    let token = text(&made["key"]);
    assert!(token.starts_with("tpx_"), "{made}");
    key.get(&format!("{API}/leads")).await.assert_status(200);
    let path = format!("/api/v1/api-keys/{}", text(&made["id"]));
    let shown = tenant.host.get(&path).await.expect(200);
    assert!(!shown.text().contains(&token), "only a mask: {}", shown.text());
    let mask = text(&shown.json()["mask"]);
    assert!(mask.starts_with(&token[..8]) && mask.ends_with(&token[token.len() - 4..]), "first 8 … last 4: {mask}");
    assert!(shown.json()["expiresAt"].is_string());
    let used = wait::until("the use of the key", SOON, async || {
        let shown = tenant.host.get(&path).await.expect(200).json();
        (shown["requestCount"] == 1).then_some(shown)
    });
    assert!(used.await["lastUsedAt"].is_string());
}

async fn rate_limit(world: &World) {
    let tenant = world.tenant("Acme, rate limit").await;
    let anyone = world.server.client();
    let (key, _) = key_of(&tenant, &anyone, json!({"scopes": ["read:leads"], "rateLimitOverride": null})).await;
    let first = key.get(&format!("{API}/leads")).await.expect(200);
    let header = |name: &str| first.header(name).unwrap_or_else(|| panic!("no {name}")).parse::<i64>().unwrap();
    assert_eq!((header("x-ratelimit-limit"), header("x-ratelimit-remaining")), (1000, 999), "1000 an hour by default");
    assert!((now()..=now() + 3601).contains(&header("x-ratelimit-reset")), "in Unix seconds");
    let refused = key.get(&format!("{API}/profile")).await.expect(403);
    assert!(refused.header("x-ratelimit-remaining").is_some(), "on every response");
    let (narrow, _) = key_of(&tenant, &anyone, json!({"rateLimitOverride": {"requests": 2, "window": 3_600_000}})).await;
    for _ in 0..2 {
        narrow.get(&format!("{API}/leads")).await.assert_status(200);
    }
    let over = narrow.get(&format!("{API}/leads")).await.expect(429);
    assert_members(&over.json(), &["success", "error"]);
    assert_eq!(over.header("x-ratelimit-remaining"), Some("0"));
    assert!(over.header("retry-after").is_some());
}

async fn webhooks(world: &World) {
    let tenant = world.tenant("Acme, webhooks").await;
    let events = tenant.host.get("/api/v1/webhook-events").await.expect(200).json();
    for name in ["lead.created", "lead.updated", "lead.converted", "powerconfidence.updated", "test.webhook"] {
        assert!(events["data"].to_string().contains(name), "{name} in {events}");
    }
    let receiver = Receiver::start();
    receiver.answer(Answer::status(500));
    let hook = tenant.webhook(&receiver.url("/"), &["lead.created", "lead.updated", "lead.converted", "powerconfidence.updated"]).await;
    matched(&tenant, json!({})).await;
    let came = received(&receiver, 1).await.remove(0);
    assert_eq!(came.header("x-tpx-event"), Some("lead.created"));
    assert_signed_legacy(&came, "x-tpx-signature", &hook.secret);
    assert_eq!((&came.json()["first_name"], came.json().get("data")), (&json!("Grace"), None), "the bare payload");
    // 2 s, 4 s, 8 s: the first wait passes, the second is announced.
    let log = wait::until("the second attempt in the log", SOON, async || {
        let list = tenant.host.get(&format!("/api/v1/webhooks/{}/deliveries", hook.id)).await.expect(200).json();
        (rows(&list)[0]["attemptCount"] == 2 && rows(&list)[0]["nextRetryAt"].is_string()).then(|| rows(&list)[0].clone())
    })
    .await;
    assert_eq!(log["eventType"], "lead.created");
    let attempts = tenant.host.get(&format!("/api/v1/deliveries/{}/attempts", text(&log["id"]))).await.expect(200).json();
    let first = rows(&attempts).iter().find(|row| row["attemptNumber"] == 1 || row["number"] == 1).unwrap_or(&rows(&attempts)[0]).clone();
    assert!(attempts.to_string().contains("500"), "the receiver's answer is kept: {first}");
    let wait = kernel::Timestamp::parse(&text(&log["nextRetryAt"])).unwrap().millis() - now() * 1000;
    assert!((1_500..=5_500).contains(&wait), "the second wait is 4 s, and a little more or less: {wait} ms");
    let rotated = tenant.host.post(&format!("/api/v1/webhooks/{}/rotate-secret", hook.id), &json!({})).await.expect(200).json();
    assert!(rotated["secret"].is_string() && rotated["secret"] != hook.secret, "regenerable");
    let score = json!({"period_start": "2025-01-01", "period_end": "2025-03-31", "power_confidence_score": 91});
    receiver.answer(Answer::status(200));
    tenant.host.post("/api/v1/records/confidence-score", &score).await.assert_status(201);
    wait::until("powerconfidence.updated", SOON, async || {
        receiver.requests().iter().any(|request| request.header("x-tpx-event") == Some("powerconfidence.updated")).then_some(())
    })
    .await;
}

async fn usage(world: &World) {
    let tenant = world.tenant("Acme, usage").await;
    let key = partner(world, &tenant, &["read:leads"]).await;
    key.get(&format!("{API}/leads?status=active")).await.assert_status(200);
    let row = wait::until("the call in the log", SOON, async || {
        let logs = tenant.host.get(&format!("/api/v1/request-logs?endpoint={API}/leads")).await.expect(200).json();
        rows(&logs).iter().find(|row| row["endpoint"] == format!("{API}/leads")).cloned()
    })
    .await;
    assert_has(&row, &["endpoint", "method", "status", "ip", "userAgent"]);
    assert!(row.to_string().contains("status=active"), "the parameters: {row}");
}

async fn documentation(world: &World) {
    let anyone = world.server.client();
    assert!(anyone.get("/api/docs").await.expect(200).text().contains("<html"));
    let document = anyone.get("/api/docs/openapi.json").await.expect(200).json();
    assert!(text(&document["info"]["title"]).contains("Contractor Network"));
    assert!(document["info"]["contact"]["email"].is_string());
    assert!(document["servers"].as_array().unwrap().len() >= 2, "production and development: {}", document["servers"]);
    let scheme = &document["components"]["securitySchemes"]["ApiKeyAuth"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    for name in ["Lead", "Analytics", "Error"] {
        assert!(document["components"]["schemas"].get(name).is_some(), "schema {name}");
    }
    for (path, method) in
        [("leads", "get"), ("lead/{leadId}", "put"), ("analytics", "get"), ("profile", "get"), ("powerconfidence-history", "get")]
    {
        assert!(document["paths"][format!("{API}/{path}")].get(method).is_some(), "{method} {path}");
    }
    for path in ["api-keys", "api-keys/{keyId}", "api-keys/{keyId}/usage", "webhooks"] {
        assert!(document["paths"].get(format!("{PORTAL}/{path}")).is_some(), "{path}");
    }
}
