//! What each route's path names, and a body that it would accept.

use serde_json::{Value, json};

use crate::world::lead;

/// A thing of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Tenant,
    Client,
    Key,
    Webhook,
    Event,
    Expunge,
    Delivery,
    Replay,
    Source,
    Alert,
    RestEndpoint,
    Job,
    JobSchedule,
    /// A call in its quarantine.
    Call,
    /// A named reader of events.
    Consumer,
    /// A record of this resource type, by the name that its path uses.
    Record(&'static str),
    /// Nobody's: an event type, a tier, a resource type. With a value that exists.
    Shared(&'static str),
}

/// What a path's parameters name, in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// Anyone may call it.
    Public,
    /// A path without a tenant's id.
    Nothing,
    /// Things of a tenant.
    Path(&'static [Thing]),
}

pub(super) struct Case {
    pub(super) named: Named,
    pub(super) body: Option<Value>,
}

/// `(methods, path with {} for each parameter, what they name, body of those methods that take one)`.
type Row = (&'static str, &'static str, Named, Option<Value>);

pub(super) fn of(method: &str, path: &str) -> Option<Case> {
    let shape = shape(path);
    let found = cases().into_iter().find(|(methods, known, ..)| *known == shape && methods.split(' ').any(|one| one == method));
    let takes_body = matches!(method, "POST" | "PUT" | "PATCH");
    found.map(|(_, _, named, body)| Case { named, body: body.filter(|_| takes_body) })
}

/// The path with `{}` in place of each parameter.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

fn cases() -> Vec<Row> {
    let mut rows = access();
    rows.extend(events());
    rows.extend(webhooks());
    rows.extend(sources());
    rows.extend(alerts());
    rows.extend(jobs());
    rows.extend(records());
    rows.extend(graphql());
    rows.extend(declared());
    rows
}

fn access() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    use Thing::{Client, Key, Shared, Tenant};
    let client = json!({"name": "Changed"});
    let imported = json!({"clientId": "cli_00000000000000000000000000", "name": "Key", "hash": "0".repeat(64)});
    vec![
        ("GET", "/health/live", Public, None),
        ("GET", "/health/ready", Public, None),
        ("GET POST", "/api/v1/tenants", Nothing, Some(json!({"name": "One more"}))),
        ("GET PATCH DELETE", "/api/v1/tenants/{}", Path(&[Tenant]), Some(json!({"name": "Changed"}))),
        ("GET POST", "/api/v1/api-clients", Nothing, Some(client.clone())),
        ("GET PUT PATCH DELETE", "/api/v1/api-clients/{}", Path(&[Client]), Some(client)),
        ("POST", "/api/v1/api-clients/{}/rotate-secret", Path(&[Client]), Some(json!({}))),
        ("GET", "/api/v1/api-clients/{}/api-keys", Path(&[Client]), None),
        ("DELETE", "/api/v1/api-clients/{}/api-keys/{}", Path(&[Client, Key]), None),
        ("POST", "/api/v1/api-keys", Nothing, Some(json!({"clientId": "cli_00000000000000000000000000", "name": "Key"}))),
        ("GET PATCH DELETE", "/api/v1/api-keys/{}", Path(&[Key]), Some(json!({"name": "Changed"}))),
        ("POST", "/api/v1/api-keys/{}/rotate", Path(&[Key]), Some(json!({"gracePeriodSeconds": 0}))),
        ("POST", "/api/v1/api-keys/{}/claim", Path(&[Key]), Some(json!({}))),
        ("POST", "/api/v1/api-keys/import", Nothing, Some(imported)),
        ("POST", "/api/v1/api-keys/leaked", Nothing, Some(json!({"leaks": [{"token": "nobody's key"}]}))),
        ("POST", "/api/v1/api-keys/verify", Nothing, Some(json!({"key": "nobody's key"}))),
        ("GET", "/api/v1/whoami", Nothing, None),
        // What tools reach is tried tool by tool in `agents`.
        ("POST", "/mcp", Nothing, Some(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))),
        ("POST", "/secret-scanning/github", Public, None),
        ("GET", "/api/v1/rate-limits", Nothing, None),
        ("PUT", "/api/v1/rate-limits/{}", Path(&[Shared("enterprise")]), Some(json!({"requestsPerMinute": 600}))),
        ("GET", "/api/v1/scopes", Nothing, None),
        ("GET", "/api/v1/request-logs", Nothing, None),
        ("GET", "/api/v1/usage", Nothing, None),
        ("GET", "/api/v1/usage/export", Nothing, None),
        ("GET", "/api/v1/api-clients/{}/usage", Path(&[Client]), None),
        ("GET", "/api/v1/api-clients/{}/quota", Path(&[Client]), None),
        ("GET", "/api/v1/api-keys/{}/quota", Path(&[Key]), None),
        ("GET", "/api/v1/api-clients/{}/dashboard", Path(&[Client]), None),
        ("GET", "/api/v1/api-keys/{}/usage", Path(&[Key]), None),
        ("GET", "/api/v1/audit-log", Nothing, None),
    ]
}

fn events() -> Vec<Row> {
    use Named::{Nothing, Path};
    let event = json!({"type": "lead.created", "data": {"leadId": "1"}});
    vec![
        ("GET POST", "/api/v1/events", Nothing, Some(event.clone())),
        ("POST", "/api/v1/events/batch", Nothing, Some(json!({"events": [event]}))),
        ("GET", "/api/v1/events/{}", Path(&[Thing::Event]), None),
        // The built-in blueprints keep nothing apart: that it is hidden from others is shown in `catalogue`.
        ("GET", "/api/v1/events/quarantine", Nothing, None),
        ("POST", "/api/v1/events/quarantine/release", Nothing, Some(json!({"force": true}))),
        ("GET DELETE", "/api/v1/events/quarantine/{}", Path(&[Thing::Event]), None),
        ("POST", "/api/v1/events/quarantine/{}/release", Path(&[Thing::Event]), Some(json!({"force": true}))),
        ("POST", "/api/v1/events/{}/expunge", Path(&[Thing::Event]), None),
        ("POST", "/api/v1/expunges", Nothing, Some(json!({"path": "data.leadId", "value": "1", "dryRun": true}))),
        ("GET", "/api/v1/expunges/{}", Path(&[Thing::Expunge]), None),
        ("GET", "/api/v1/events/poll", Nothing, None),
        // A stream that is allowed has no end: what it shows is in `readers`.
        ("GET", "/api/v1/events/stream", Path(&[]), None),
        ("GET", "/api/v1/event-consumers", Nothing, None),
        ("DELETE", "/api/v1/event-consumers/{}", Path(&[Thing::Consumer]), None),
        ("GET", "/api/v1/webhook-form", Nothing, None),
        ("GET", "/api/v1/webhook-events", Nothing, None),
        ("GET", "/api/v1/event-types/{}", Path(&[Thing::Shared("lead.created")]), None),
    ]
}

fn webhooks() -> Vec<Row> {
    use Named::{Nothing, Path};
    use Thing::{Client, Delivery, Webhook};
    const OF_CLIENT: Named = Path(&[Client, Webhook]);
    const FLAT: Named = Path(&[Webhook]);
    let hook = || Some(json!({"url": "https://93.184.215.14/", "events": ["*"]}));
    vec![
        ("GET POST", "/api/v1/api-clients/{}/webhooks", Path(&[Client]), hook()),
        ("GET PUT PATCH DELETE", "/api/v1/api-clients/{}/webhooks/{}", OF_CLIENT, hook()),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/test", OF_CLIENT, Some(json!({}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/rotate-secret", OF_CLIENT, Some(json!({"overlapSeconds": 0}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/enable", OF_CLIENT, Some(json!({}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/disable", OF_CLIENT, Some(json!({}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/pause", OF_CLIENT, Some(json!({}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/resume", OF_CLIENT, Some(json!({}))),
        ("GET", "/api/v1/api-clients/{}/webhooks/{}/deliveries", OF_CLIENT, None),
        ("GET PUT PATCH DELETE", "/api/v1/webhooks/{}", FLAT, hook()),
        ("POST", "/api/v1/webhooks/{}/test", FLAT, Some(json!({}))),
        ("POST", "/api/v1/webhooks/{}/rotate-secret", FLAT, Some(json!({"overlapSeconds": 0}))),
        ("POST", "/api/v1/webhooks/{}/enable", FLAT, Some(json!({}))),
        ("POST", "/api/v1/webhooks/{}/disable", FLAT, Some(json!({}))),
        ("POST", "/api/v1/webhooks/{}/pause", FLAT, Some(json!({}))),
        ("POST", "/api/v1/webhooks/{}/resume", FLAT, Some(json!({}))),
        ("GET", "/api/v1/webhooks/{}/deliveries", FLAT, None),
        ("GET", "/api/v1/webhooks/{}/secrets", FLAT, None),
        ("GET", "/api/v1/api-clients/{}/webhooks/{}/secrets", OF_CLIENT, None),
        ("GET", "/api/v1/webhook-keys", Nothing, None),
        ("POST", "/api/v1/webhook-keys/rotate", Nothing, Some(json!({"overlapSeconds": 0}))),
        ("GET", "/.well-known/webhook-keys", Named::Public, None),
        ("GET", "/api/v1/deliveries", Nothing, None),
        ("POST", "/api/v1/transforms/preview", Nothing, Some(json!({"transform": "w => w"}))),
        ("GET", "/api/v1/undelivered", Nothing, None),
        ("GET", "/api/v1/deliveries/{}", Path(&[Delivery]), None),
        ("GET", "/api/v1/deliveries/{}/attempts", Path(&[Delivery]), None),
        ("GET", "/api/v1/deliveries/stats", Nothing, None),
        ("POST", "/api/v1/deliveries/retry", Nothing, Some(json!({"reason": "exhausted"}))),
        ("POST", "/api/v1/deliveries/{}/cancel", Path(&[Delivery]), Some(json!({}))),
        ("GET", "/api/v1/webhooks/{}/stats", FLAT, None),
        ("POST", "/api/v1/webhooks/{}/recover", FLAT, Some(json!({"since": "2026-01-01T00:00:00Z"}))),
        ("POST", "/api/v1/webhooks/{}/replay-missing", FLAT, Some(json!({"from": "2026-01-01T00:00:00Z"}))),
        ("GET", "/api/v1/api-clients/{}/webhooks/{}/stats", OF_CLIENT, None),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/recover", OF_CLIENT, Some(json!({"since": "2026-01-01T00:00:00Z"}))),
        ("POST", "/api/v1/api-clients/{}/webhooks/{}/replay-missing", OF_CLIENT, Some(json!({"from": "2026-01-01T00:00:00Z"}))),
        ("GET", "/api/v1/replays", Nothing, None),
        ("GET", "/api/v1/replays/{}", Path(&[Thing::Replay]), None),
        ("POST", "/api/v1/replays/{}/cancel", Path(&[Thing::Replay]), Some(json!({}))),
        ("POST", "/api/v1/events/{}/replay", Path(&[Thing::Event]), Some(json!({}))),
        ("POST", "/api/v1/events/{}/cancel", Path(&[Thing::Event]), Some(json!({}))),
        ("POST", "/api/v1/deliveries/{}/retry", Path(&[Delivery]), Some(json!({}))),
    ]
}

fn sources() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    use Thing::{Call, Source};
    vec![
        ("GET POST", "/api/v1/sources", Nothing, Some(json!({"provider": "github"}))),
        ("GET PATCH DELETE", "/api/v1/sources/{}", Path(&[Source]), Some(json!({"name": "Changed"}))),
        ("POST", "/api/v1/sources/{}/rotate-secret", Path(&[Source]), Some(json!({"overlapSeconds": 0}))),
        ("GET DELETE", "/api/v1/sources/{}/quarantine", Path(&[Source]), None),
        ("GET DELETE", "/api/v1/sources/{}/quarantine/{}", Path(&[Source, Call]), None),
        ("POST", "/api/v1/sources/{}/quarantine/{}/release", Path(&[Source, Call]), Some(json!({}))),
        ("GET POST", "/in/{}", Public, None),
    ]
}

fn alerts() -> Vec<Row> {
    use Named::{Nothing, Path};
    const ONE: Named = Path(&[Thing::Alert]);
    vec![
        ("GET", "/api/v1/alerts", Nothing, None),
        ("GET", "/api/v1/alerts/{}", ONE, None),
        ("POST", "/api/v1/alerts/{}/acknowledge", ONE, Some(json!({}))),
        ("POST", "/api/v1/alerts/{}/resolve", ONE, Some(json!({}))),
        ("POST", "/api/v1/alerts/{}/mute", ONE, Some(json!({"until": null}))),
        ("GET", "/api/v1/alert-rules", Nothing, None),
        ("PUT", "/api/v1/alert-rules/{}", Path(&[Thing::Shared("expiry")]), Some(json!({"threshold": 7}))),
    ]
}

/// Whose token it is, is nobody's: what the path names decides.
fn jobs() -> Vec<Row> {
    use Named::{Nothing, Path};
    const ONE: Named = Path(&[Thing::Job]);
    let token = "ten_00000000000000000000000000~1~0~work";
    let error = json!({"code": "broken", "message": "It broke."});
    vec![
        ("GET POST", "/api/v1/jobs", Nothing, Some(json!({"type": "work"}))),
        ("POST", "/api/v1/jobs/lease", Nothing, Some(json!({}))),
        ("GET", "/api/v1/jobs/{}", ONE, None),
        ("POST", "/api/v1/jobs/{}/cancel", ONE, Some(json!({}))),
        ("POST", "/api/v1/jobs/{}/heartbeat", ONE, Some(json!({"leaseToken": token}))),
        ("POST", "/api/v1/jobs/{}/complete", ONE, Some(json!({"leaseToken": token}))),
        ("POST", "/api/v1/jobs/{}/fail", ONE, Some(json!({"leaseToken": token, "error": error}))),
        ("GET POST", "/api/v1/job-schedules", Nothing, Some(json!({"type": "work", "cron": "0 6 * * *"}))),
        ("GET PATCH DELETE", "/api/v1/job-schedules/{}", Path(&[Thing::JobSchedule]), Some(json!({"enabled": false}))),
    ]
}

fn records() -> Vec<Row> {
    use Named::{Nothing, Path};
    use Thing::{Record, Shared};
    const ONE: Named = Path(&[Shared("lead"), Record("lead")]);
    let endpoint = json!({"path": "theirs", "method": "GET", "operation": {"type": "list", "resource": "lead"}});
    vec![
        ("GET POST", "/api/v1/records/{}", Path(&[Shared("lead")]), Some(lead("Ada"))),
        ("POST", "/api/v1/records/{}/batch", Path(&[Shared("lead")]), Some(json!({"operations": [{"data": lead("Ada")}]}))),
        ("GET", "/api/v1/records/{}/export", Path(&[Shared("lead")]), None),
        ("POST", "/api/v1/records/{}/import", Path(&[Shared("lead")]), Some(lead("Ada"))),
        ("GET PUT PATCH DELETE", "/api/v1/records/{}/{}", ONE, Some(json!({"email": "ada@example.com"}))),
        // What such endpoints serve is in `rest_endpoints`.
        ("GET POST", "/api/v1/rest-endpoints", Nothing, Some(endpoint)),
        ("GET DELETE", "/api/v1/rest-endpoints/{}", Path(&[Thing::RestEndpoint]), None),
    ]
}

/// What operations reach is tried in `graphql`, type by type.
fn graphql() -> Vec<Row> {
    use Named::Nothing;
    let operation = json!({"query": "{ __typename }"});
    vec![
        ("POST", "/graphql", Nothing, Some(operation.clone())),
        ("POST", "/api/v1/graphql", Nothing, Some(operation)),
        ("GET PUT", "/api/v1/graphql-schema", Nothing, Some(json!({"depthLimit": 10}))),
    ]
}

/// The blueprints' own paths.
fn declared() -> Vec<Row> {
    use Named::{Nothing, Path};
    use Thing::{Key, Record, Webhook};
    let methods = "GET PUT PATCH DELETE";
    vec![
        ("GET POST", "/api/v1/leads", Nothing, Some(lead("Ada"))),
        (methods, "/api/v1/leads/{}", Path(&[Record("lead")]), Some(json!({"notes": "changed"}))),
        ("GET POST", "/api/v1/quotes", Nothing, Some(json!({"leadId": "1", "insuranceType": "AUTO"}))),
        (methods, "/api/v1/quotes/{}", Path(&[Record("quote")]), Some(json!({"notes": "changed"}))),
        ("GET POST", "/api/v1/proposals", Nothing, Some(json!({"leadId": "1"}))),
        (methods, "/api/v1/proposals/{}", Path(&[Record("proposal")]), Some(json!({"notes": "changed"}))),
        ("GET POST", "/api/v1/policies", Nothing, Some(json!({"insuranceType": "AUTO"}))),
        (methods, "/api/v1/policies/{}", Path(&[Record("policy")]), Some(json!({"notes": "changed"}))),
        ("GET POST", "/api/v1/assignments", Nothing, Some(json!({"leadId": "1", "agentId": "2"}))),
        (methods, "/api/v1/assignments/{}", Path(&[Record("assignment")]), Some(json!({"notes": "changed"}))),
        ("GET POST", "/api/v1/agents", Nothing, Some(json!({"firstName": "A", "lastName": "B", "email": "a@example.com"}))),
        (methods, "/api/v1/agents/{}", Path(&[Record("agent")]), Some(json!({"agency": "changed"}))),
        ("GET POST", "/api/v1/customers", Nothing, Some(json!({"firstName": "A", "lastName": "B"}))),
        (methods, "/api/v1/customers/{}", Path(&[Record("customer")]), Some(json!({"notes": "changed"}))),
        ("GET", "/api/partner-api/leads", Nothing, None),
        ("PUT", "/api/partner-api/lead/{}", Path(&[Record("lead")]), Some(json!({"notes": "changed"}))),
        ("GET", "/api/v1/analytics", Nothing, None),
        ("GET", "/api/partner-api/analytics", Nothing, None),
        ("GET", "/api/partner-api/profile", Nothing, None),
        ("GET", "/api/partner-api/powerconfidence-history", Nothing, None),
        ("GET POST", "/api/partner-portal/api-keys", Nothing, Some(json!({"key_name": "Robot"}))),
        ("DELETE", "/api/partner-portal/api-keys/{}", Path(&[Key]), None),
        ("GET", "/api/partner-portal/api-keys/{}/usage", Path(&[Key]), None),
        (
            "GET POST",
            "/api/partner-portal/webhooks",
            Nothing,
            Some(json!({"webhook_url": "https://example.com/hook", "events": ["lead.created"]})),
        ),
        ("DELETE", "/api/partner-portal/webhooks/{}", Path(&[Webhook]), None),
        ("POST", "/api/partner-portal/webhooks/{}/test", Path(&[Webhook]), None),
        ("GET", "/api/partner-portal/webhooks/{}/deliveries", Path(&[Webhook]), None),
    ]
}
