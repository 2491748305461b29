//! The page of insurance-leads. Left to later work: OAuth 2.0 (its clients are these API clients), the developer portal's console beyond `/docs`.
//! Shown elsewhere: `Idempotency-Key` and limits at length (`idempotency`, `limits`), billing lines (`usage_log`).

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};
use testkit::{Bed, Engine, wait};

use super::{assert_has, assert_members, assert_points, key_of, native_rows, part, replay, serve};
use crate::world::{SOON, Tenant, World, assert_signed_legacy, lead, now, received, rows, text};

struct Insurance(World);

impl Bed for Insurance {
    async fn open(engine: Engine) -> Self {
        Self(serve(engine, "insurance-leads"))
    }
}

const SCOPES: [&str; 16] = [
    "leads:read",
    "leads:write",
    "leads:delete",
    "agents:read",
    "agents:write",
    "policies:read",
    "policies:write",
    "webhooks:read",
    "webhooks:write",
    "analytics:read",
    "customers:read",
    "customers:write",
    "quotes:read",
    "quotes:write",
    "proposals:read",
    "proposals:write",
];

testkit::engines! {
    async fn the_page_holds(insurance: Insurance) {
        let world = &insurance.0;
        replay(vec![
            part("API clients", clients(world)),
            part("a client's dashboard and usage", usage(world)),
            part("API keys", keys(world)),
            part("tiers", tiers(world)),
            part("webhooks", webhooks(world)),
            part("the body and the headers of a delivery", deliveries(world)),
            part("events", events(world)),
            part("scopes", scopes(world)),
            part("domain records", domain(world)),
            part("events of status changes", transitions(world)),
            part("GET /analytics", analytics(world)),
            part("errors", errors(world)),
            part("documentation", documentation(world)),
        ])
        .await;
    }
}

async fn holder(world: &World, tenant: &Tenant, scopes: &[&str]) -> Client {
    key_of(tenant, &world.server.client(), json!({"scopes": scopes})).await.0
}

async fn clients(world: &World) {
    let tenant = world.tenant("Acme, clients").await;
    let host = &tenant.host;
    let body = json!({
        "name": "Broker app", "description": "Leads for brokers", "redirectUris": ["https://broker.example/callback"], "website": "https://broker.example",
        "contactEmail": "dev@broker.example", "rateLimitTier": "premium", "scopes": ["leads:read", "leads:write"],
    });
    let made = host.post("/api/v1/api-clients", &body).await.expect(201);
    let client = made.json();
    assert_has(
        &client,
        &[
            "id",
            "name",
            "description",
            "redirectUris",
            "website",
            "logoUrl",
            "contactEmail",
            "status",
            "rateLimitTier",
            "webhookUrl",
            "scopes",
            "metadata",
            "createdAt",
            "updatedAt",
        ],
    );
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&client[name], value);
    }
    assert_eq!(client["status"], "active");
    let path = format!("/api/v1/api-clients/{}", text(&client["id"]));
    assert_eq!(made.header("location"), Some(path.as_str()));
    let shown = host.get(&path).await.expect(200).json();
    assert!(shown.get("webhookSecret").is_none() && shown.get("clientSecret").is_none(), "never returned: {shown}");
    let default = host.post("/api/v1/api-clients", &json!({"name": "Default"})).await.expect(201).json();
    assert!(default["rateLimitTier"].is_string() && default["scopes"].is_array(), "{default}");
    for (query, found) in [
        ("?rateLimitTier=premium", 1),
        ("?contactEmail=dev@broker.example", 1),
        ("?search=BROKER", 1),
        ("?search=dev@brok", 1),
        ("?search=nobody", 0),
        ("?status=suspended", 0),
        ("?status=active", 3),
    ] {
        assert_eq!(rows(&host.get(&format!("/api/v1/api-clients{query}")).await.expect(200).json()).len(), found, "{query}");
    }
    let page = host.get("/api/v1/api-clients?page=2&limit=2").await.expect(200).json();
    assert_eq!((rows(&page).len(), &page["pagination"]["page"], &page["pagination"]["total"]), (1, &json!(2), &json!(3)));
    assert_eq!(host.get("/api/v1/api-clients").await.expect(200).json()["pagination"]["limit"], 20);
    let changed =
        host.put(&path, &json!({"name": "Broker app 2", "rateLimitTier": "basic", "status": "suspended"})).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["rateLimitTier"], &changed["status"]),
        (&json!("Broker app 2"), &json!("basic"), &json!("suspended"))
    );
    for (bad, pointer) in [
        (json!({}), "/name"),
        (json!({"name": "A", "contactEmail": "x"}), "/contactEmail"),
        (json!({"name": "A", "redirectUris": ["x"]}), "/redirectUris/0"),
    ] {
        assert_points(&host.post("/api/v1/api-clients", &bad).await, 422, pointer);
    }
    // Delete takes keys and subscriptions along.
    let (key, made) = key_of(&tenant, &world.server.client(), json!({})).await;
    let hook = tenant.webhook("https://93.184.215.14/", &["lead.created"]).await;
    host.delete(&format!("/api/v1/api-clients/{}", tenant.client)).await.assert_status(204);
    key.get("/api/v1/leads").await.assert_status(401);
    for gone in [
        format!("/api/v1/api-clients/{}", tenant.client),
        format!("/api/v1/api-keys/{}", text(&made["id"])),
        format!("/api/v1/webhooks/{}", hook.id),
    ] {
        host.get(&gone).await.assert_problem(404, "not_found");
    }
}

async fn usage(world: &World) {
    let tenant = world.tenant("Acme, usage").await;
    let key = holder(world, &tenant, &["leads:read"]).await;
    key.get("/api/v1/leads").await.assert_status(200);
    key.get("/api/v1/leads").await.assert_status(200);
    key.get("/api/v1/quotes").await.assert_status(403);
    let path = format!("/api/v1/api-clients/{}", tenant.client);
    let since = kernel::Timestamp::from_millis((now() - 86_400) * 1000).to_string()[..10].to_owned();
    let usage = wait::until("the usage", SOON, async || {
        let usage = tenant.host.get(&format!("{path}/usage?dateFrom={since}&groupBy=day")).await.expect(200).json();
        (usage["totalRequests"] == 3).then_some(usage)
    })
    .await;
    assert_has(
        &usage,
        &[
            "totalRequests",
            "successfulRequests",
            "failedRequests",
            "averageResponseTime",
            "requestsByEndpoint",
            "requestsByTime",
            "topErrorCodes",
        ],
    );
    assert_eq!((&usage["successfulRequests"], &usage["failedRequests"]), (&json!(2), &json!(1)));
    assert_has(&usage["requestsByEndpoint"][0], &["endpoint", "count", "avgResponseTime"]);
    assert_has(&usage["requestsByTime"][0], &["time", "count"]);
    assert_eq!((&usage["topErrorCodes"][0]["statusCode"], &usage["topErrorCodes"][0]["count"]), (&json!(403), &json!(1)));
    let hourly = tenant.host.get(&format!("{path}/usage?groupBy=hour")).await.expect(200).json();
    assert_eq!(hourly["totalRequests"], 3);
    tenant.host.get(&format!("{path}/usage?groupBy=minute")).await.assert_status(422);
    let dashboard = tenant.host.get(&format!("{path}/dashboard")).await.expect(200).json();
    let said = dashboard.to_string();
    for part in ["usage", "webhook", "rateLimit"] {
        assert!(said.contains(part), "{part} in {dashboard}");
    }
    let logs = tenant.host.get("/api/v1/request-logs").await.expect(200).json();
    assert_has(&rows(&logs)[0], &["endpoint", "method", "status", "ip", "userAgent", "requestSize", "responseSize", "responseTime"]);
}

async fn keys(world: &World) {
    let tenant = world.tenant("Acme, keys").await;
    let body = json!({"clientId": tenant.client, "name": "Production", "expiresAt": "2090-01-01T00:00:00Z", "scopes": ["leads:read"], "rateLimitOverride": 100});
    let made = tenant.host.post("/api/v1/api-keys", &body).await.expect(201).json();
    assert_has(&made, &["id", "keyId", "keyPrefix", "key", "name", "status", "expiresAt", "scopes", "createdAt"]);
    assert!(text(&made["keyId"]).starts_with("ins_") && text(&made["key"]).starts_with(&text(&made["keyId"])), "{made}");
    assert!(text(&made["keyId"]).starts_with(&text(&made["keyPrefix"])), "{made}");
    let key = world.server.client().bearer(&text(&made["key"]));
    assert_eq!(key.get("/api/v1/leads").await.expect(200).header("x-ratelimit-limit"), Some("100"), "requests per minute");
    let list = format!("/api/v1/api-clients/{}/api-keys", tenant.client);
    let listed = tenant.host.get(&list).await;
    assert_eq!(native_rows(&listed).len(), 1);
    assert!(!listed.text().contains(&text(&made["key"])), "only now");
    tenant.host.delete(&format!("{list}/{}", text(&made["id"]))).await.assert_status(204);
    key.get("/api/v1/leads").await.assert_problem(401, "invalid_credential");
    let narrow = tenant.host.post("/api/v1/api-clients", &json!({"name": "N", "scopes": ["leads:read"]})).await.expect(201).json();
    let wider = json!({"clientId": narrow["id"], "name": "W", "scopes": ["leads:write"]});
    tenant.host.post("/api/v1/api-keys", &wider).await.assert_problem(422, "scope_exceeds_client");
}

async fn tiers(world: &World) {
    let tenant = world.tenant("Acme, tiers").await;
    let tiers = tenant.host.get("/api/v1/rate-limits").await.expect(200).json();
    for (tier, minute, hour, day, burst) in [
        ("basic", 60, 1_000, 10_000, 10),
        ("standard", 120, 5_000, 50_000, 20),
        ("premium", 300, 15_000, 150_000, 50),
        ("enterprise", 600, 50_000, 500_000, 100),
    ] {
        let limits = &tiers["data"][tier];
        assert_eq!(
            (&limits["requestsPerMinute"], &limits["requestsPerHour"], &limits["requestsPerDay"]),
            (&json!(minute), &json!(hour), &json!(day)),
            "{tier}"
        );
        let client = tenant.host.post("/api/v1/api-clients", &json!({"name": tier, "rateLimitTier": tier})).await.expect(201).json();
        let made = tenant.host.post("/api/v1/api-keys", &json!({"clientId": client["id"], "name": tier})).await.expect(201).json();
        let answer = world.server.client().bearer(&text(&made["key"])).get("/api/v1/leads").await.expect(200);
        let policy = answer.header("ratelimit-policy").unwrap_or_default();
        for quota in [minute, hour, day, burst] {
            assert!(policy.contains(&format!("q={quota}")), "all windows hold at once: {quota} in {policy}");
        }
        let reset = answer.header("x-ratelimit-reset").unwrap();
        assert!(reset.contains('T') && reset.ends_with('Z'), "ISO 8601: {reset}");
        assert!(answer.header("x-ratelimit-limit").is_some() && answer.header("x-ratelimit-remaining").is_some());
    }
    // Its burst at once, and not one more.
    let client = tenant.host.post("/api/v1/api-clients", &json!({"name": "B", "rateLimitTier": "basic"})).await.expect(201).json();
    let made = tenant.host.post("/api/v1/api-keys", &json!({"clientId": client["id"], "name": "B"})).await.expect(201).json();
    let key = world.server.client().bearer(&text(&made["key"]));
    let mut refused = None;
    for _ in 0..14 {
        refused = Some(key.get("/api/v1/leads").await).filter(|answer| answer.status == 429);
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("a tier with a burst of 10 refuses 14 at once");
    refused.assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
}

async fn webhooks(world: &World) {
    let tenant = world.tenant("Acme, webhooks").await;
    let receiver = Receiver::start();
    receiver.answer(Answer::status(500));
    let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
    let retry = json!({"maxRetries": 3, "retryDelay": 60, "backoffMultiplier": 2, "timeout": 30});
    let made = tenant
        .host
        .post(&path, &json!({"url": receiver.url("/"), "events": ["lead.created"], "retryConfig": retry}))
        .await
        .expect(201)
        .json();
    assert_has(&made, &["id", "url", "events", "retryConfig", "secret"]);
    for (name, value) in retry.as_object().unwrap() {
        assert_eq!(&made["retryConfig"][name], value, "{made}");
    }
    let one = format!("{path}/{}", text(&made["id"]));
    let listed = tenant.host.get(&path).await;
    assert!(native_rows(&listed).len() == 1 && !listed.text().contains(&text(&made["secret"])));
    tenant.publish("lead.created", &json!({"leadId": "1"})).await;
    let row = wait::until("the delivery in the log", SOON, async || {
        let list = tenant.host.get(&format!("{one}/deliveries")).await.expect(200).json();
        rows(&list).first().filter(|row| row["attemptCount"] == 1).cloned()
    })
    .await;
    assert_has(&row, &["eventType", "attemptCount", "status", "nextRetryAt", "deliveredAt"]);
    assert_eq!((&row["eventType"], &row["status"]), (&json!("lead.created"), &json!("pending")));
    let whole = tenant.host.get(&format!("/api/v1/deliveries/{}", text(&row["id"]))).await.expect(200).json();
    let attempts = tenant.host.get(&format!("/api/v1/deliveries/{}/attempts", text(&row["id"]))).await.expect(200).json();
    let said = format!("{whole}{attempts}");
    for part in ["leadId", "500"] {
        assert!(said.contains(part), "payload and response: {part} in {said}");
    }
    let changed =
        tenant.host.put(&one, &json!({"url": receiver.url("/b"), "events": ["lead.updated", "lead.created"]})).await.expect(200).json();
    assert_eq!(changed["events"].as_array().unwrap().len(), 2);
    assert_points(&tenant.host.post(&path, &json!({"url": "ftp://x", "events": ["lead.created"]})).await, 422, "/url");
    tenant.host.post(&path, &json!({"url": receiver.url("/"), "events": ["lead.vanished"]})).await.assert_status(422);
    tenant.host.delete(&one).await.assert_status(204);
    tenant.host.get(&one).await.assert_problem(404, "not_found");
}

async fn deliveries(world: &World) {
    let tenant = world.tenant("Acme, deliveries").await;
    let receiver = Receiver::start();
    let hook = tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
    let made = tenant.host.post("/api/v1/leads", &lead("Ada")).await.expect(201).json();
    let came = received(&receiver, 1).await.remove(0);
    let body = came.json();
    assert_members(&body, &["id", "eventType", "timestamp", "data", "version"]);
    assert_eq!((&body["eventType"], &body["version"]), (&json!("lead.created"), &json!("1.0")));
    assert_eq!((&body["data"]["leadId"], &body["data"]["firstName"]), (&made["id"], &json!("Ada")), "leadId and the record's fields");
    assert_eq!((came.header("x-webhook-id"), came.header("x-webhook-event")), (body["id"].as_str(), Some("lead.created")));
    let at = came.header("x-webhook-timestamp").unwrap();
    assert!(at.contains('T') && at.ends_with('Z'), "ISO 8601: {at}");
    assert_signed_legacy(&came, "x-webhook-signature", &hook.secret);
    let stamp: i64 = came.header("x-webhook-signature").unwrap()[2..].split(',').next().unwrap().parse().unwrap();
    assert!((now() - 60..=now()).contains(&stamp));
}

async fn events(world: &World) {
    let tenant = world.tenant("Acme, events").await;
    let listed = tenant.host.get("/api/v1/webhook-events").await.expect(200).json();
    let names: Vec<&str> = rows(&listed).iter().filter_map(Value::as_str).collect();
    for (kind, acts) in [
        ("lead", &["created", "updated", "qualified", "converted", "rejected"][..]),
        ("assignment", &["created", "accepted", "rejected"]),
        ("policy", &["created", "updated", "activated", "cancelled"]),
        ("quote", &["created", "sent", "accepted", "rejected"]),
        ("proposal", &["created", "sent", "accepted", "rejected"]),
    ] {
        for act in acts {
            let name = format!("{kind}.{act}");
            assert!(names.contains(&name.as_str()), "{name} in {names:?}");
            let id = format!("{kind}Id");
            tenant.publish(&name, &json!({id.clone(): "1", "status": "ANYTHING", "more": {"free": true}})).await;
            let without = json!({"type": name, "data": {"status": "X"}});
            assert_points(&tenant.host.post("/api/v1/events", &without).await, 422, &format!("/data/{id}"));
        }
    }
}

async fn scopes(world: &World) {
    let tenant = world.tenant("Acme, scopes").await;
    let listed = tenant.host.get("/api/v1/scopes").await.expect(200).json();
    let names: Vec<String> = rows(&listed).iter().map(|scope| text(&scope["name"])).collect();
    for scope in SCOPES {
        assert!(names.iter().any(|name| name == scope), "{scope} in {names:?}");
    }
    for (method, path, scope) in [
        ("GET", "/api/v1/leads", "leads:read"),
        ("POST", "/api/v1/leads", "leads:write"),
        ("DELETE", "/api/v1/leads/rec_00000000000000000000000000", "leads:delete"),
        ("GET", "/api/v1/assignments", "leads:read"),
        ("POST", "/api/v1/assignments", "leads:write"),
        ("GET", "/api/v1/quotes", "quotes:read"),
        ("POST", "/api/v1/quotes", "quotes:write"),
        ("GET", "/api/v1/proposals", "proposals:read"),
        ("POST", "/api/v1/proposals", "proposals:write"),
        ("GET", "/api/v1/policies", "policies:read"),
        ("POST", "/api/v1/policies", "policies:write"),
        ("GET", "/api/v1/agents", "agents:read"),
        ("POST", "/api/v1/agents", "agents:write"),
        ("GET", "/api/v1/customers", "customers:read"),
        ("POST", "/api/v1/customers", "customers:write"),
        ("GET", "/api/v1/analytics", "analytics:read"),
        ("GET", "/api/v1/webhooks", "webhooks:read"),
    ] {
        if path == "/api/v1/webhooks" {
            let (yes, no) = (holder(world, &tenant, &[scope]).await, holder(world, &tenant, &["leads:read"]).await);
            let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
            yes.get(&path).await.assert_status(200);
            no.get(&path).await.assert_status(403);
            continue;
        }
        let others: Vec<&str> = SCOPES.into_iter().filter(|held| *held != scope).collect();
        for (held, refused) in [(vec![scope], false), (others, true)] {
            let key = holder(world, &tenant, &held).await;
            let request = key.request(method.parse().unwrap(), path);
            let answer = if method == "POST" { request.json(&json!({})).send().await } else { request.send().await };
            assert_eq!(answer.status == 403, refused, "{method} {path} with {held:?}: {} {}", answer.status, answer.text());
        }
    }
}

async fn domain(world: &World) {
    let tenant = world.tenant("Acme, domain").await;
    let key = key_of(&tenant, &world.server.client(), json!({})).await.0;
    for (path, body, change) in [
        ("leads", lead("Ada"), json!({"phone": "1"})),
        ("quotes", json!({"leadId": "1", "insuranceType": "AUTO"}), json!({"status": "DRAFT"})),
        ("proposals", json!({"leadId": "1", "quoteId": "2"}), json!({"status": "DRAFT"})),
        ("policies", json!({"insuranceType": "AUTO"}), json!({"status": "DRAFT"})),
        ("assignments", json!({"leadId": "1", "agentId": "2"}), json!({"status": "OPEN"})),
        ("agents", json!({"firstName": "A", "lastName": "B", "email": "a@example.com"}), json!({"agency": "North"})),
        ("customers", json!({"firstName": "A", "lastName": "B"}), json!({"notes": "x"})),
    ] {
        let all = format!("/api/v1/{path}");
        let made = key.post(&all, &body).await.expect(201);
        assert_has(&made.json(), &["id", "createdAt", "updatedAt"]);
        let one = format!("{all}/{}", text(&made.json()["id"]));
        assert_eq!(made.header("location"), Some(one.as_str()));
        assert_eq!(key.get(&one).await.expect(200).json(), made.json(), "plain, camelCase");
        let (name, value) = change.as_object().unwrap().iter().next().unwrap();
        assert_eq!(&key.put(&one, &change).await.expect(200).json()[name], value, "{one}");
        assert_eq!(native_rows(&key.get(&all).await).len(), 1);
        let deleted = key.delete(&one).await;
        assert_eq!(deleted.status, 204, "{one}: {}", deleted.text());
        key.get(&one).await.assert_problem(404, "not_found");
    }
    assert_points(&key.post("/api/v1/leads", &json!({"source": "web"})).await, 422, "/email");
    assert_points(
        &key.post("/api/v1/leads", &{
            let mut bad = lead("Ada");
            bad["insuranceType"] = json!("MOON");
            bad
        })
        .await,
        422,
        "/insuranceType",
    );
    for n in 0..3 {
        key.post("/api/v1/leads", &lead(&format!("Name{n}"))).await.assert_status(201);
    }
    for (query, found) in
        [("?search=NAME1", 1), ("?insuranceType=AUTO", 3), ("?insuranceType=HOME", 0), ("?limit=2", 2), ("?sort=-lastName&limit=3", 3)]
    {
        assert_eq!(native_rows(&key.get(&format!("/api/v1/leads{query}")).await).len(), found, "{query}");
    }
    let first = key.get("/api/v1/leads?limit=2").await.json();
    let cursor = text(&first["pagination"]["nextCursor"]);
    assert_eq!(native_rows(&key.get(&format!("/api/v1/leads?limit=2&cursor={cursor}")).await).len(), 1);
}

/// A change of status emits the event that names it.
async fn transitions(world: &World) {
    let tenant = world.tenant("Acme, transitions").await;
    let receiver = Receiver::start();
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let key = key_of(&tenant, &world.server.client(), json!({})).await.0;
    let mut wanted = Vec::new();
    for (kind, path, body, statuses) in [
        ("lead", "leads", lead("Ada"), &["QUALIFIED", "CONVERTED", "REJECTED"][..]),
        ("quote", "quotes", json!({"leadId": "1", "insuranceType": "AUTO"}), &["SENT", "ACCEPTED", "REJECTED"]),
        ("proposal", "proposals", json!({"leadId": "1", "quoteId": "2"}), &["SENT", "ACCEPTED", "REJECTED"]),
        ("policy", "policies", json!({"insuranceType": "AUTO"}), &["ACTIVE", "CANCELLED"]),
        ("assignment", "assignments", json!({"leadId": "1", "agentId": "2"}), &["ACCEPTED", "REJECTED"]),
    ] {
        let id = text(&key.post(&format!("/api/v1/{path}"), &body).await.expect(201).json()["id"]);
        wanted.push(format!("{kind}.created"));
        for status in statuses {
            key.put(&format!("/api/v1/{path}/{id}"), &json!({"status": status})).await.assert_status(200);
            let act = if *status == "ACTIVE" { "activated".to_owned() } else { status.to_lowercase() };
            wanted.push(format!("{kind}.{act}"));
        }
    }
    let came = received(&receiver, wanted.len()).await;
    let mut types: Vec<String> = came.iter().map(|request| text(&request.json()["eventType"])).collect();
    types.sort();
    wanted.sort();
    assert_eq!(types, wanted);
}

async fn analytics(world: &World) {
    let tenant = world.tenant("Acme, analytics").await;
    let key = holder(world, &tenant, &["analytics:read"]).await;
    for status in ["NEW", "CONVERTED"] {
        let mut body = lead("Ada");
        body["status"] = json!(status);
        tenant.host.post("/api/v1/leads", &body).await.assert_status(201);
    }
    let body = key.get("/api/v1/analytics").await.expect(200).json();
    let said = body.to_string();
    assert!(said.contains("\"totalLeads\":2") && said.contains("\"convertedLeads\":1"), "{body}");
    let narrowed = key.get("/api/v1/analytics?insuranceType=HOME").await.expect(200).json();
    assert!(narrowed.to_string().contains("\"totalLeads\":0"), "{narrowed}");
}

async fn errors(world: &World) {
    let tenant = world.tenant("Acme, errors").await;
    let other = world.tenant("Other, errors").await;
    let key = key_of(&tenant, &world.server.client(), json!({})).await.0;
    let id = text(&key.post("/api/v1/leads", &lead("Ada")).await.expect(201).json()["id"]);
    let stranger = key_of(&other, &world.server.client(), json!({})).await.0;
    for hidden in [stranger.get(&format!("/api/v1/leads/{id}")).await, stranger.get("/api/v1/leads/rec_00000000000000000000000000").await] {
        hidden.assert_problem(404, "not_found");
        assert_has(&hidden.json(), &["type", "title", "status", "detail", "code", "requestId"]);
    }
    world.server.client().get("/api/v1/leads").await.assert_problem(401, "missing_credential");
    key.request("POST".parse().unwrap(), "/api/v1/leads").body("application/json", "{").send().await.assert_status(400);
    key.request("POST".parse().unwrap(), "/api/v1/leads")
        .body("text/plain", "x")
        .send()
        .await
        .assert_problem(415, "unsupported_media_type");
    key.request("POST".parse().unwrap(), "/api/v1/leads")
        .body("application/json", vec![b' '; 1_100_000])
        .send()
        .await
        .assert_problem(413, "body_too_large");
    key.get("/api/v1/nothing").await.assert_problem(404, "not_found");
    key.request("PATCH".parse().unwrap(), "/api/v1/leads").json(&json!({})).send().await.assert_problem(405, "method_not_allowed");
}

async fn documentation(world: &World) {
    let anyone = world.server.client();
    let document = anyone.get("/docs/openapi.json").await.expect(200).json();
    for path in ["/api/v1/leads", "/api/v1/leads/{id}", "/api/v1/assignments", "/api/v1/analytics", "/api/v1/api-clients/{id}/usage"] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    assert!(anyone.get("/docs").await.expect(200).text().contains("<html"));
}
