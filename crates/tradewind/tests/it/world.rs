//! A running server and its tenants, made through the public API as a host backend makes them.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::receiver::{Received, Receiver};
use testkit::server::{Server, Settings};
use testkit::{Bed, Engine, wait};
use web::signature::{WebhookSecret, verify_legacy, verify_standard};

/// How long a condition may take to come true on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// How old a signature may be.
const TOLERANCE: i64 = 300;

/// A server, its operator, and the engine below it (dropped last).
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) service_key: String,
    /// Calls with the service key; names no tenant.
    pub(crate) operator: Client,
    pub(crate) engine: Engine,
}

impl World {
    /// With other settings than the usual.
    pub(crate) fn start(engine: Engine, adapt: impl FnOnce(Settings) -> Settings) -> Self {
        let server = adapt(Settings::new(&engine)).start();
        let service_key = server.service_key();
        let operator = server.client().bearer(&service_key);
        Self { server, service_key, operator, engine }
    }

    /// A tenant with one API client, which has every scope of the blueprint.
    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let made = self.operator.post("/api/v1/tenants", &json!({"name": name})).await.expect(201).json();
        let id = text(&made["id"]);
        let host = self.operator.with("tradewind-tenant", &id);
        let client = host.post("/api/v1/api-clients", &json!({"name": format!("{name}'s integration")})).await.expect(201).json();
        let declared = host.get("/api/v1/scopes").await.expect(200).json();
        let scopes = rows(&declared).iter().map(|scope| text(&scope["name"])).collect();
        Tenant { id, host, client: text(&client["id"]), partner: self.server.client(), scopes }
    }
}

/// `insurance-leads`, the default.
impl Bed for World {
    async fn open(engine: Engine) -> Self {
        Self::start(engine, |settings| settings.set("TRADEWIND_ALERT_INTERVAL", "1"))
    }
}

/// `contractor-network`.
pub(crate) struct Contractors(pub(crate) World);

impl Bed for Contractors {
    async fn open(engine: Engine) -> Self {
        Self(World::start(engine, |settings| {
            settings.set("TRADEWIND_BLUEPRINT", "contractor-network").set("TRADEWIND_ALERT_INTERVAL", "1")
        }))
    }
}

/// A tenant and its client.
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) client: String,
    /// Calls with the service key for this tenant.
    pub(crate) host: Client,
    partner: Client,
    scopes: Vec<String>,
}

/// A key of a partner.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) token: String,
    /// The second secret, under a blueprint of dual authentication.
    pub(crate) secret: Option<String>,
    /// Calls with it.
    pub(crate) http: Client,
}

/// A subscription and its secret.
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Tenant {
    /// A key with all the blueprint's scopes and with limits that no test reaches.
    pub(crate) async fn key(&self) -> Key {
        self.key_with(json!({"scopes": self.scopes})).await
    }

    /// A key with these scopes only.
    pub(crate) async fn key_scoped(&self, scopes: &[&str]) -> Key {
        self.key_with(json!({"scopes": scopes})).await
    }

    /// A key with other members in the body.
    pub(crate) async fn key_with(&self, members: Value) -> Key {
        let mut body = json!({"clientId": self.client, "name": "A key", "rateLimitOverride": {"requests": 1_000_000, "window": 1000}});
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        if body["rateLimitOverride"].is_null() {
            body.as_object_mut().unwrap().remove("rateLimitOverride");
        }
        let made = self.host.post("/api/v1/api-keys", &body).await.expect(201).json();
        let token = text(&made["key"]);
        let secret = made["secret"].as_str().map(str::to_owned);
        let http = self.partner.bearer(&token);
        let http = secret.as_ref().map_or_else(|| http.clone(), |secret| http.with("x-api-secret", secret));
        Key { id: text(&made["id"]), http, token, secret }
    }

    /// A webhook of the client.
    pub(crate) async fn webhook(&self, url: &str, events: &[&str]) -> Webhook {
        self.webhook_with(json!({"url": url, "events": events})).await
    }

    /// A webhook with other members in the body.
    pub(crate) async fn webhook_with(&self, body: Value) -> Webhook {
        let path = format!("/api/v1/api-clients/{}/webhooks", self.client);
        let made = self.host.post(&path, &body).await.expect(201).json();
        Webhook { id: text(&made["id"]), secret: text(&made["secret"]) }
    }

    /// Publishes an event with the service key.
    pub(crate) async fn publish(&self, event_type: &str, data: &Value) -> Value {
        self.host.post("/api/v1/events", &json!({"type": event_type, "data": data})).await.expect(202).json()
    }

    /// The one delivery of an event, once `enough` says so.
    pub(crate) async fn delivery(&self, event: &str, enough: impl Fn(&Value) -> bool) -> Value {
        wait::until(&format!("the delivery of {event}"), SOON, || async {
            let list = self.host.get("/api/v1/deliveries?limit=100").await.expect(200).json();
            rows(&list).iter().find(|row| row["eventId"] == event && enough(row)).cloned()
        })
        .await
    }
}

/// What the receiver got, once it is at least `count` requests.
pub(crate) async fn received(receiver: &Receiver, count: usize) -> Vec<Received> {
    wait::until(&format!("{count} deliveries"), SOON, async || (receiver.count() >= count).then(|| receiver.requests())).await
}

/// The string in `value`.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// The rows of a list.
#[track_caller]
pub(crate) fn rows(list: &Value) -> &Vec<Value> {
    list["data"].as_array().unwrap_or_else(|| panic!("no rows in {list}"))
}

/// A lead that satisfies the schema of `insurance-leads`.
pub(crate) fn lead(first_name: &str) -> Value {
    json!({
        "source": "website", "email": format!("{}@example.com", first_name.to_lowercase()),
        "firstName": first_name, "lastName": "Byron", "insuranceType": "AUTO",
    })
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Whether a delivery carries a good Standard Webhooks signature.
#[track_caller]
pub(crate) fn assert_signed(request: &Received, secret: &str) {
    let header = |name: &str| request.header(name).unwrap_or_else(|| panic!("no {name} in {:?}", request.headers));
    let key = WebhookSecret::parse(secret).unwrap();
    let (id, at, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    verify_standard(&[key], id, at, signature, &request.body, now(), TOLERANCE).unwrap();
}

/// Whether a header carries a good legacy signature.
#[track_caller]
pub(crate) fn assert_signed_legacy(request: &Received, header: &str, secret: &str) {
    let signature = request.header(header).unwrap_or_else(|| panic!("no {header} in {:?}", request.headers));
    verify_legacy(secret, signature, &request.body, now(), TOLERANCE).unwrap();
}

/// A documented problem: RFC 9457 with a stable code, and the request's id in body and header. The code.
#[track_caller]
pub(crate) fn assert_is_problem(what: &str, answer: &Response) -> String {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}: {} {}", answer.status, answer.text());
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status.as_u16(), "{what}: {problem}");
    let code = problem["code"].as_str().unwrap_or_default();
    assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{what}: {problem}");
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {member} in {problem}");
    }
    assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"), "{what}: {problem}");
    assert!(problem["requestId"].is_string(), "{what}: {problem}");
    code.to_owned()
}
