//! The page of school-tenants. Left to later work: third-party integrations (payment, SMS, e-mail, storage, analytics), sync logs, data mapping;
//! what those pages name `payment_success` or `full_sync` is replayed for events only. Shown elsewhere: row-level security on every tenant table
//! (`row_level_security`).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use testkit::{Bed, Engine, wait};

use super::{assert_has, assert_points, key_of, native_rows, part, replay, serve};
use crate::world::{SOON, Tenant, World, received, rows, text};

struct School(World);

impl Bed for School {
    async fn open(engine: Engine) -> Self {
        Self(serve(engine, "school-tenants"))
    }
}

testkit::engines! {
    async fn the_page_holds(school: School) {
        let world = &school.0;
        replay(vec![
            part("keys", keys(world)),
            part("key limits", key_limits(world)),
            part("rotation", rotation(world)),
            part("webhooks", webhooks(world)),
            part("webhook authentication", webhook_auth(world)),
            part("the log of attempts", attempts(world)),
            part("a test delivery", test_delivery(world)),
            part("records", records(world)),
            part("events of records", record_events(world)),
            part("scopes", scopes(world)),
            part("isolation", isolation(world)),
        ])
        .await;
    }
}

async fn keys(world: &World) {
    let tenant = world.tenant("Hill School, keys").await;
    let anyone = world.server.client();
    for (environment, label) in [("production", "live"), ("staging", "test"), ("development", "dev")] {
        let (key, made) =
            key_of(&tenant, &anyone, json!({"environment": environment, "notes": "For the bus app", "rotationFrequencyDays": 90})).await;
        assert!(text(&made["key"]).starts_with(&format!("sk_{label}_")), "{made}");
        key.get("/api/v1/records/student").await.assert_status(200);
        let path = format!("/api/v1/api-keys/{}", text(&made["id"]));
        let shown = tenant.host.get(&path).await.expect(200).json();
        assert_has(
            &shown,
            &["name", "environment", "enabled", "notes", "rotationFrequencyDays", "requestCount", "lastUsedAt", "expiresAt"],
        );
        assert_eq!(
            (&shown["environment"], &shown["notes"], &shown["rotationFrequencyDays"]),
            (&json!(environment), &json!("For the bus app"), &json!(90))
        );
        let used = wait::until("the use of the key", SOON, async || {
            let shown = tenant.host.get(&path).await.expect(200).json();
            (shown["requestCount"] == 1 && shown["lastUsedAt"].is_string()).then_some(())
        });
        used.await;
        tenant.host.patch(&path, &json!({"enabled": false})).await.assert_status(200);
        key.get("/api/v1/records/student").await.assert_status(401);
    }
    let (key, _) = key_of(&tenant, &anyone, json!({"allowedEndpoints": ["/api/v1/records/student*"]})).await;
    key.get("/api/v1/records/student").await.assert_status(200);
    key.get("/api/v1/records/fee").await.assert_problem(403, "endpoint_not_allowed");
    let (key, _) = key_of(&tenant, &anyone, json!({"allowedIps": ["203.0.113.0/24"]})).await;
    key.get("/api/v1/records/student").await.assert_problem(403, "ip_not_allowed");
}

async fn key_limits(world: &World) {
    let tenant = world.tenant("Hill School, key limits").await;
    let anyone = world.server.client();
    let (key, _) = key_of(&tenant, &anyone, json!({"rateLimitOverride": null})).await;
    let answer = key.get("/api/v1/records/student").await.expect(200);
    let policy = answer.header("ratelimit-policy").unwrap_or_default().to_owned();
    assert!(policy.contains("q=60") && policy.contains("q=1000"), "60 a minute and 1000 an hour: {policy}");
    let (key, _) = key_of(&tenant, &anyone, json!({"rateLimitOverride": {"perMinute": 2, "perHour": 100}})).await;
    for _ in 0..2 {
        key.get("/api/v1/records/student").await.assert_status(200);
    }
    key.get("/api/v1/records/student").await.assert_problem(429, "rate_limited");
}

/// Rotation keeps the old key valid for a grace period; a key that is due is reported.
async fn rotation(world: &World) {
    let tenant = world.tenant("Hill School, rotation").await;
    let anyone = world.server.client();
    let (old, made) = key_of(&tenant, &anyone, json!({"rotationFrequencyDays": 1})).await;
    let path = format!("/api/v1/api-keys/{}", text(&made["id"]));
    let rotated = tenant.host.post(&format!("{path}/rotate"), &json!({"gracePeriodSeconds": 3600})).await;
    assert!(rotated.status.is_success(), "{} {}", rotated.status, rotated.text());
    let new = anyone.bearer(&text(&rotated.json()["key"]));
    for key in [&old, &new] {
        key.get("/api/v1/records/student").await.assert_status(200);
    }
    let again = tenant
        .host
        .post(&format!("/api/v1/api-keys/{}/rotate", text(&rotated.json()["id"])), &json!({"gracePeriodSeconds": 0}))
        .await
        .json();
    new.get("/api/v1/records/student").await.assert_status(401);
    anyone.bearer(&text(&again["key"])).get("/api/v1/records/student").await.assert_status(200);
    assert!(again.to_string().contains("rotat"), "when it was rotated, or from what: {again}");
}

async fn webhooks(world: &World) {
    let tenant = world.tenant("Hill School, webhooks").await;
    let receiver = Receiver::start();
    let made = tenant
        .webhook_with(json!({
            "name": "Bus app", "url": receiver.url("/bus"), "events": ["student_enrolled", "payment.success"], "httpMethod": "PUT",
            "customHeaders": {"X-School": "hill"}, "retryConfig": {"maxRetries": 3, "retryDelay": 60},
        }))
        .await;
    let path = format!("/api/v1/webhooks/{}", made.id);
    let shown = tenant.host.get(&path).await.expect(200).json();
    assert_has(&shown, &["name", "url", "events", "httpMethod", "customHeaders", "retryConfig", "enabled"]);
    assert_eq!(shown["events"], json!(["student.enrolled", "payment.success"]), "the names with underscores are aliases");
    tenant.publish("payment_success", &json!({"paymentId": "1"})).await;
    let came = received(&receiver, 1).await.remove(0);
    assert_eq!((came.method.as_str(), came.header("x-school"), &came.json()["type"]), ("PUT", Some("hill"), &json!("payment.success")));
    let defaults = tenant.webhook_with(json!({"url": receiver.url("/default"), "events": ["fee.paid"]})).await;
    let shown = tenant.host.get(&format!("/api/v1/webhooks/{}", defaults.id)).await.expect(200).json();
    assert_eq!(shown["httpMethod"], "POST");
    let stats = wait::until("the statistics", SOON, async || {
        let stats = tenant.host.get(&format!("{path}/stats")).await.expect(200).json();
        stats.to_string().contains("1").then_some(stats)
    })
    .await;
    assert!(stats.is_object(), "{stats}");
    for method in ["POST", "PUT", "PATCH"] {
        tenant.host.patch(&path, &json!({"httpMethod": method})).await.assert_status(200);
    }
    assert_points(&tenant.host.patch(&path, &json!({"httpMethod": "TRACE"})).await, 422, "/httpMethod");
    tenant.host.post(&format!("{path}/disable"), &json!({})).await.assert_status(200);
    assert_eq!(tenant.host.get(&path).await.expect(200).json()["enabled"], false);
    tenant.host.delete(&path).await.assert_status(204);
    tenant.host.get(&path).await.assert_problem(404, "not_found");
}

async fn webhook_auth(world: &World) {
    let tenant = world.tenant("Hill School, webhook auth").await;
    let receiver = Receiver::start();
    for (path, auth) in [
        ("/none", json!({"type": "none"})),
        ("/basic", json!({"type": "basic", "username": "it", "password": "pw"})),
        ("/bearer", json!({"type": "bearer", "token": "abc"})),
        ("/hmac", json!({"type": "hmac", "secret": "s3cret-s3cret", "header": "X-Signature"})),
    ] {
        let made = tenant.webhook_with(json!({"url": receiver.url(path), "events": ["fee.paid"], "auth": auth})).await;
        let shown = tenant.host.get(&format!("/api/v1/webhooks/{}", made.id)).await.expect(200).text();
        for secret in ["\"pw\"", "\"abc\"", "s3cret-s3cret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    tenant.publish("fee.paid", &json!({"feeId": "1"})).await;
    let came = received(&receiver, 4).await;
    let header =
        |path: &str, name: &str| came.iter().find(|one| one.path.ends_with(path)).and_then(|one| one.header(name).map(str::to_owned));
    assert_eq!(header("/basic", "authorization").as_deref(), Some("Basic aXQ6cHc="));
    assert_eq!(header("/bearer", "authorization").as_deref(), Some("Bearer abc"));
    assert_eq!(header("/none", "authorization"), None);
    assert!(header("/hmac", "x-signature").is_some());
}

async fn attempts(world: &World) {
    let tenant = world.tenant("Hill School, attempts").await;
    let receiver = Receiver::start();
    receiver.answer(Answer::status(503));
    let hook = tenant.webhook(&receiver.url("/log"), &["fee.paid"]).await;
    tenant.publish("fee.paid", &json!({"feeId": "7"})).await;
    let delivery = wait::until("the attempt in the log", SOON, async || {
        let list = tenant.host.get(&format!("/api/v1/webhooks/{}/deliveries", hook.id)).await.expect(200).json();
        rows(&list).first().filter(|row| row["attemptCount"] == 1 && row["nextRetryAt"].is_string()).cloned()
    })
    .await;
    assert_eq!((&delivery["eventType"], &delivery["status"]), (&json!("fee.paid"), &json!("pending")));
    let path = format!("/api/v1/deliveries/{}/attempts", text(&delivery["id"]));
    let attempt = wait::until("the attempt", SOON, async || rows(&tenant.host.get(&path).await.expect(200).json()).first().cloned()).await;
    let shown = tenant.host.get(&format!("/api/v1/webhooks/{}", hook.id)).await.expect(200).text();
    let whole = tenant.host.get(&format!("/api/v1/deliveries/{}", text(&delivery["id"]))).await.expect(200).text();
    let said = format!("{attempt}{shown}{whole}");
    for part in ["/log", "POST", "webhook-id", "feeId", "503"] {
        assert!(said.contains(part), "{part}: request URL, method, headers and body, response code: {said}");
    }
    let waits = tenant.host.get(&format!("/api/v1/deliveries/{}", text(&delivery["id"]))).await.expect(200).json();
    assert!(waits["nextRetryAt"].is_string(), "{waits}");
}

/// A test really sends the request and reports what came back.
async fn test_delivery(world: &World) {
    let tenant = world.tenant("Hill School, test delivery").await;
    let receiver = Receiver::start();
    let hook = tenant.webhook(&receiver.url("/test"), &["fee.paid"]).await;
    let path = format!("/api/v1/webhooks/{}/test", hook.id);
    let good = tenant.host.post(&path, &json!({})).await;
    assert!(good.status.is_success(), "{}", good.text());
    assert_eq!(receiver.count(), 1);
    receiver.answer(Answer::status(418));
    let bad = tenant.host.post(&path, &json!({})).await;
    assert!(bad.text().contains("418"), "{} {}", bad.status, bad.text());
}

/// One of each kind, with the members by which others name it.
fn one_of_each(student: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("enrolment", json!({"studentId": student, "academicYear": "2026"})),
        ("fee", json!({"studentId": student, "title": "Term 1", "amount": 1200, "dueDate": "2026-09-01"})),
        ("payment", json!({"studentId": student, "amount": 1200, "provider": "razorpay", "providerReference": "pay_1"})),
        ("invoice", json!({"studentId": student, "number": "INV-1", "net": 100, "tax": 18})),
    ]
}

async fn student(tenant: &Tenant, admission: &str) -> String {
    let body = json!({"firstName": "Asha", "lastName": "Rao", "admissionNumber": admission});
    text(&tenant.host.post("/api/v1/records/student", &body).await.expect(201).json()["id"])
}

async fn records(world: &World) {
    let tenant = world.tenant("Hill School, records").await;
    let key = key_of(&tenant, &world.server.client(), json!({})).await.0;
    let id = student(&tenant, "A-1").await;
    for (kind, body) in one_of_each(&id) {
        let all = format!("/api/v1/records/{kind}");
        let made = key.post(&all, &body).await.expect(201);
        assert_has(&made.json(), &["id", "createdAt", "updatedAt", "status"]);
        let one = made.header("location").unwrap().to_owned();
        assert_eq!(one, format!("{all}/{}", text(&made.json()["id"])));
        assert_eq!(key.get(&one).await.expect(200).json(), made.json());
        assert_eq!(key.patch(&one, &json!({"status": "changed"})).await.expect(200).json()["status"], "changed");
        assert_eq!(native_rows(&key.get(&format!("{all}?status=changed")).await).len(), 1);
        assert_eq!(native_rows(&key.get(&format!("{all}?studentId={id}")).await).len(), 1);
        assert_points(&key.post(&all, &json!({"colour": "red"})).await, 422, "/colour");
        key.delete(&one).await.assert_status(204);
        key.get(&one).await.assert_problem(404, "not_found");
    }
    assert_eq!(native_rows(&key.get("/api/v1/records/student?search=RAO").await).len(), 1);
    let again = key.post("/api/v1/records/student", &json!({"admissionNumber": "A-1"})).await;
    again.assert_problem(409, "not_unique");
    let put = key.put("/api/v1/records/student/ext:sis-9", &json!({"firstName": "Ravi"})).await.expect(201).json();
    assert_eq!(put["externalId"], "sis-9");
    assert_eq!(key.put("/api/v1/records/student/ext:sis-9", &json!({"firstName": "Ravi"})).await.expect(200).json()["id"], put["id"]);
}

/// A change of a record emits the event that names it.
async fn record_events(world: &World) {
    let tenant = world.tenant("Hill School, record events").await;
    let receiver = Receiver::start();
    let named = ["student.enrolled", "student.updated", "fee.due", "fee.paid", "payment.success", "payment.failed", "invoice.issued"];
    let listed = tenant.host.get("/api/v1/webhook-events").await.expect(200).json();
    for name in named {
        assert!(listed["data"].as_array().unwrap().iter().any(|one| one == name || one["name"] == name), "{name} in {listed}");
    }
    tenant.webhook(&receiver.url("/"), &named).await;
    let id = student(&tenant, "A-1").await;
    let mut made: BTreeMap<&str, String> = BTreeMap::new();
    for (kind, body) in one_of_each(&id) {
        made.insert(kind, text(&tenant.host.post(&format!("/api/v1/records/{kind}"), &body).await.expect(201).json()["id"]));
    }
    let change = async |kind: &str, id: &str, body: Value| {
        tenant.host.patch(&format!("/api/v1/records/{kind}/{id}"), &body).await.assert_status(200);
    };
    change("student", &id, json!({"class": "5b"})).await;
    for (kind, status) in [("fee", "due"), ("fee", "paid"), ("payment", "failed"), ("payment", "success"), ("invoice", "issued")] {
        change(kind, &made[kind], json!({"status": status})).await;
    }
    let came = received(&receiver, 7).await;
    let mut types: Vec<String> = came.iter().map(|request| text(&request.json()["type"])).collect();
    types.sort();
    let mut wanted = named.to_vec();
    wanted.sort_unstable();
    assert_eq!(types, wanted);
    let paid = came.iter().map(testkit::receiver::Received::json).find(|body| body["type"] == "fee.paid").unwrap();
    assert_eq!((&paid["data"]["feeId"], &paid["data"]["status"]), (&json!(made["fee"]), &json!("paid")), "{paid}");
}

async fn scopes(world: &World) {
    let tenant = world.tenant("Hill School, scopes").await;
    let id = student(&tenant, "A-1").await;
    for (kind, read, write) in [
        ("student", "students:read", "students:write"),
        ("enrolment", "students:read", "students:write"),
        ("fee", "fees:read", "fees:write"),
        ("payment", "payments:read", "payments:write"),
        ("invoice", "invoices:read", "invoices:write"),
    ] {
        let path = format!("/api/v1/records/{kind}");
        let holder = async |scope: &str| key_of(&tenant, &world.server.client(), json!({"scopes": [scope]})).await.0;
        let (reader, writer) = (holder(read).await, holder(write).await);
        reader.get(&path).await.assert_status(200);
        writer.get(&path).await.assert_problem(403, "insufficient_scope");
        writer.post(&path, &json!({"studentId": id})).await.assert_has_passed(kind);
        reader.post(&path, &json!({"studentId": id})).await.assert_problem(403, "insufficient_scope");
        let stranger = holder("usage:read").await;
        stranger.get(&path).await.assert_problem(403, "insufficient_scope");
    }
}

trait Passed {
    fn assert_has_passed(&self, kind: &str);
}

impl Passed for testkit::http::Response {
    /// Past the scope: made, or judged by the schema (a student has no `studentId`).
    #[track_caller]
    fn assert_has_passed(&self, kind: &str) {
        let wanted = if kind == "student" { 422 } else { 201 };
        assert_eq!(self.status, wanted, "{kind}: {}", self.text());
    }
}

async fn isolation(world: &World) {
    let (ours, theirs) = (world.tenant("Ours, isolation").await, world.tenant("Theirs, isolation").await);
    let id = student(&ours, "A-1").await;
    let stranger = key_of(&theirs, &world.server.client(), json!({})).await.0;
    let path = format!("/api/v1/records/student/{id}");
    stranger.get(&path).await.assert_problem(404, "not_found");
    stranger.patch(&path, &json!({"class": "x"})).await.assert_problem(404, "not_found");
    stranger.delete(&path).await.assert_problem(404, "not_found");
    assert_eq!(native_rows(&stranger.get("/api/v1/records/student").await).len(), 0);
    stranger.post("/api/v1/records/student", &json!({"admissionNumber": "A-1"})).await.assert_status(201);
    let child = stranger.post("/api/v1/records/enrolment", &json!({"studentId": id})).await;
    assert!(matches!(child.status.as_u16(), 404 | 422), "{}", child.text());
    ours.host.get(&path).await.assert_status(200);
}
