//! What each route's path names, and a body that it would accept.

use serde_json::{Value, json};

use super::product::Product;
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
    OauthToken,
    OauthConnection,
    Integration,
    Sync,
    SyncRun,
    Conflict,
    /// A connector that it described.
    Connector,
    Alert,
    RestEndpoint,
    Job,
    JobSchedule,
    /// A member of it.
    Member,
    /// An invitation into it.
    Invitation,
    /// A call in its quarantine.
    Call,
    /// A named reader of events.
    Consumer,
    /// A record of this resource type, by the name that its path uses.
    Record(&'static str),
    /// Nobody's: an event type, a tier, a resource type. With a value that exists.
    Shared(&'static str),
    /// The resource type, the event type, and the record that the product is tried with.
    MainType,
    MainEvent,
    Main,
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

pub(super) fn of(product: &Product, method: &str, path: &str) -> Option<Case> {
    let shape = shape(path);
    let found = cases(product).into_iter().find(|(methods, known, ..)| *known == shape && methods.split(' ').any(|one| one == method));
    let takes_body = matches!(method, "POST" | "PUT" | "PATCH");
    found.map(|(_, _, named, body)| Case { named, body: body.filter(|_| takes_body) })
}

/// The path with `{}` in place of each parameter.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

fn cases(product: &Product) -> Vec<Row> {
    let mut rows = access();
    rows.extend(events(product));
    rows.extend(webhooks());
    rows.extend(sources());
    rows.extend(vault());
    rows.extend(integrations());
    rows.extend(syncs());
    rows.extend(alerts());
    rows.extend(jobs());
    rows.extend(records(product));
    rows.extend(graphql());
    rows.extend(oauth());
    rows.extend(people());
    rows.extend(oauth_extensions());
    rows.extend(declared());
    rows.extend(declared_elsewhere());
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

fn events(product: &Product) -> Vec<Row> {
    use Named::{Nothing, Path};
    let (name, member) = product.event;
    let event = json!({"type": name, "data": {member: "1"}});
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
        ("POST", "/api/v1/expunges", Nothing, Some(json!({"path": format!("data.{member}"), "value": "1", "dryRun": true}))),
        ("GET", "/api/v1/expunges/{}", Path(&[Thing::Expunge]), None),
        ("GET", "/api/v1/events/poll", Nothing, None),
        // A stream that is allowed has no end: what it shows is in `readers`.
        ("GET", "/api/v1/events/stream", Path(&[]), None),
        ("GET", "/api/v1/event-consumers", Nothing, None),
        ("DELETE", "/api/v1/event-consumers/{}", Path(&[Thing::Consumer]), None),
        ("GET", "/api/v1/webhook-form", Nothing, None),
        ("GET", "/api/v1/webhook-events", Nothing, None),
        ("GET", "/api/v1/event-types/{}", Path(&[Thing::MainEvent]), None),
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

fn vault() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    use Thing::{OauthConnection, OauthToken, Shared};
    const TOKEN: Named = Path(&[OauthToken]);
    let connection = json!({"provider": "slack", "clientId": "c", "clientSecret": "s"});
    vec![
        ("GET", "/api/v1/oauth-providers", Nothing, None),
        ("GET PUT DELETE", "/api/v1/oauth-providers/{}", Path(&[Shared("slack")]), Some(json!({"clientId": "c"}))),
        ("POST", "/api/v1/oauth-connections", Nothing, Some(connection)),
        ("GET", "/api/v1/oauth-connections/{}", Path(&[OauthConnection]), None),
        ("GET POST", "/api/v1/oauth-tokens", Nothing, Some(json!({"provider": "slack", "accessToken": "x"}))),
        ("GET DELETE", "/api/v1/oauth-tokens/{}", TOKEN, None),
        ("POST", "/api/v1/oauth-tokens/{}/refresh", TOKEN, None),
        ("POST", "/api/v1/oauth-tokens/{}/reconnect", TOKEN, None),
        ("GET", "/api/v1/oauth-tokens/{}/uses", TOKEN, None),
        // What a callback brings is its authority: hostile ones are tried in the crate's own tests.
        ("GET DELETE", "/oauth/callback", Public, None),
        ("GET", "/oauth/reconnect/{}", Public, None),
    ]
}

fn integrations() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    use Thing::{Connector, Integration, Shared};
    const ONE: Named = Path(&[Integration]);
    const OBJECT: Named = Path(&[Integration, Shared("contacts")]);
    let preview = json!({"fieldMappings": [{"localField": "a", "remoteField": "A"}], "records": [{"a": 1}]});
    vec![
        ("GET POST", "/api/v1/integrations", Nothing, Some(json!({"connector": "hubspot"}))),
        ("GET PATCH DELETE", "/api/v1/integrations/{}", ONE, Some(json!({"name": "Changed"}))),
        ("POST", "/api/v1/integrations/{}/test", ONE, None),
        ("GET", "/api/v1/integrations/{}/health", ONE, None),
        ("GET", "/api/v1/integrations/{}/logs", ONE, None),
        ("GET", "/api/v1/integrations/{}/objects", ONE, None),
        ("GET", "/api/v1/integrations/{}/objects/{}", OBJECT, None),
        ("POST", "/api/v1/integrations/{}/objects/{}/accept", OBJECT, None),
        ("POST", "/api/v1/mappings/preview", Nothing, Some(preview)),
        ("GET", "/api/v1/marketplace", Nothing, None),
        ("GET", "/api/v1/marketplace/{}", Path(&[Shared("hubspot")]), None),
        ("GET POST", "/api/v1/connectors", Nothing, Some(json!({"manifest": "id = 1"}))),
        ("GET DELETE", "/api/v1/connectors/{}", Path(&[Connector]), None),
        ("POST", "/in/integrations/{}", Public, None),
        ("POST", "/in/providers/{}", Public, None),
    ]
}

fn syncs() -> Vec<Row> {
    use Named::{Nothing, Path};
    const SYNC: Named = Path(&[Thing::Sync]);
    const RUN: Named = Path(&[Thing::SyncRun]);
    const CONFLICT: Named = Path(&[Thing::Conflict]);
    let new = json!({"integrationId": "int_01k2x3v7m8e1r9q0s5t6w7y8za", "fieldMappings": [{"localField": "a", "remoteField": "A"}]});
    let pick = json!({"recordIds": []});
    vec![
        ("GET POST", "/api/v1/sync-configs", Nothing, Some(new)),
        ("GET PATCH DELETE", "/api/v1/sync-configs/{}", SYNC, Some(json!({"name": "Changed"}))),
        ("POST", "/api/v1/sync-configs/{}/run", SYNC, Some(json!({"dryRun": true}))),
        ("GET", "/api/v1/sync-configs/{}/runs", SYNC, None),
        ("GET", "/api/v1/sync-configs/{}/errors", SYNC, None),
        ("POST", "/api/v1/sync-configs/{}/retry", SYNC, Some(pick.clone())),
        ("POST", "/api/v1/sync-configs/{}/skip", SYNC, Some(pick)),
        ("GET", "/api/v1/sync-runs", Nothing, None),
        ("GET", "/api/v1/sync-runs/{}", RUN, None),
        ("GET", "/api/v1/sync-runs/{}/log", RUN, None),
        ("GET", "/api/v1/sync-runs/{}/errors", RUN, None),
        ("GET", "/api/v1/sync-runs/{}/deletions", RUN, None),
        ("POST", "/api/v1/sync-runs/{}/cancel", RUN, None),
        ("POST", "/api/v1/sync-runs/{}/approve", RUN, None),
        ("POST", "/api/v1/sync-runs/{}/reject", RUN, None),
        ("GET", "/api/v1/conflicts", Nothing, None),
        ("GET", "/api/v1/conflicts/{}", CONFLICT, None),
        ("POST", "/api/v1/conflicts/{}/resolve", CONFLICT, Some(json!({"choose": "local"}))),
        ("POST", "/api/v1/conflicts/resolve", Nothing, Some(json!({"choose": "local", "ids": []}))),
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

fn records(product: &Product) -> Vec<Row> {
    use Named::{Nothing, Path};
    const MANY: Named = Path(&[Thing::MainType]);
    const ONE: Named = Path(&[Thing::MainType, Thing::Main]);
    let endpoint = json!({"path": "theirs", "method": "GET", "operation": {"type": "list", "resource": product.record}});
    let body = || product.body();
    vec![
        ("GET POST", "/api/v1/records/{}", MANY, Some(body())),
        ("POST", "/api/v1/records/{}/batch", MANY, Some(json!({"operations": [{"data": body()}]}))),
        ("GET", "/api/v1/records/{}/export", MANY, None),
        ("POST", "/api/v1/records/{}/import", MANY, Some(body())),
        ("GET PUT PATCH DELETE", "/api/v1/records/{}/{}", ONE, Some(product.change())),
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

/// The paths of the products that are about calls and about tickets.
fn declared_elsewhere() -> Vec<Row> {
    use Named::{Nothing, Path};
    use Thing::{Job, Record};
    const COMPANY: Named = Path(&[Record("company")]);
    const REPORT: Named = Path(&[Record("report")]);
    let call = json!({"companyId": "rec_00000000000000000000000000", "agentId": "rec_00000000000000000000000000", "transcript": "Hello."});
    vec![
        ("GET", "/api/partner/v1/health", Nothing, None),
        ("GET", "/api/partner/v1/companies", Nothing, None),
        ("POST", "/api/partner/v1/companies/create", Nothing, Some(json!({"name": "Acme"}))),
        ("POST", "/api/partner/v1/companies/batch", Nothing, Some(json!({"operations": [{"data": {"name": "Acme"}}]}))),
        ("GET", "/api/partner/v1/companies/{}", COMPANY, None),
        ("PUT", "/api/partner/v1/companies/{}/questionnaire", COMPANY, Some(json!({"why": "because"}))),
        ("GET", "/api/partner/v1/companies/{}/agents", COMPANY, None),
        ("POST", "/api/partner/v1/companies/{}/agents/create", COMPANY, Some(json!({"name": "Ada"}))),
        ("POST", "/api/partner/v1/companies/{}/agents/batch", COMPANY, Some(json!({"operations": [{"data": {"name": "Ada"}}]}))),
        ("GET", "/api/partner/v1/agents/{}", Path(&[Record("agent")]), None),
        ("GET", "/api/partner/v1/agents/{}/performance", Path(&[Record("agent")]), None),
        ("POST", "/api/partner/v1/calls/analyze", Nothing, Some(call.clone())),
        ("POST", "/api/partner/v1/calls/batch", Nothing, Some(json!({"operations": [{"data": call}]}))),
        ("GET", "/api/partner/v1/calls", Nothing, None),
        ("GET", "/api/partner/v1/calls/export", Nothing, None),
        ("GET", "/api/partner/v1/calls/{}", Path(&[Record("call")]), None),
        ("GET", "/api/partner/v1/jobs/{}/status", Path(&[Job]), None),
        ("GET", "/api/partner/v1/insights", Nothing, None),
        ("GET", "/api/partner/v1/statistics", Nothing, None),
        ("POST", "/api/partner/v1/simulations/trigger", Nothing, Some(json!({"turns": 3}))),
        ("GET", "/api/partner/v1/simulations/jobs/{}", Path(&[Job]), None),
        ("GET POST", "/api/v1/tickets/{}/comments", Path(&[Record("ticket")]), Some(json!({"body": "Hello."}))),
        ("POST", "/api/v1/tickets/{}/resolve", Path(&[Record("ticket")]), Some(json!({}))),
        ("POST", "/api/v1/reports/{}/execute", REPORT, Some(json!({}))),
        ("POST", "/api/v1/reports/{}/export", REPORT, Some(json!({}))),
        ("PUT", "/api/v1/reports/{}/schedule", REPORT, Some(json!("0 6 * * *"))),
    ]
}

/// What is a person's own is closed to every key, whosever it is: that people see only their own is shown in the crate's tests.
fn people() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    use Thing::{Invitation, Member, Shared};
    const OWN_SESSION: Named = Path(&[Shared("ses_00000000000000000000000000")]);
    const OWN_PASSKEY: Named = Path(&[Shared("psk_00000000000000000000000000")]);
    let attestation = json!({"id": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "attestationObject": "AA"}});
    vec![
        ("GET POST", "/api/v1/users", Nothing, Some(json!({"email": "new@example.com"}))),
        ("GET PATCH DELETE", "/api/v1/users/{}", Path(&[Member]), Some(json!({"name": "Changed"}))),
        ("GET", "/api/v1/users/{}/memberships", Path(&[Member]), None),
        ("GET DELETE", "/api/v1/users/{}/sessions", Path(&[Member]), None),
        ("POST", "/api/v1/users/{}/reset-link", Path(&[Member]), None),
        ("GET POST", "/api/v1/members", Nothing, Some(json!({"email": "new@example.com", "role": "viewer"}))),
        ("GET PATCH DELETE", "/api/v1/members/{}", Path(&[Member]), Some(json!({"role": "viewer"}))),
        ("GET POST", "/api/v1/invitations", Nothing, Some(json!({"email": "new@example.com", "role": "viewer"}))),
        ("GET DELETE", "/api/v1/invitations/{}", Path(&[Invitation]), None),
        ("POST", "/api/v1/invitations/{}/resend", Path(&[Invitation]), None),
        ("POST", "/api/v1/portal-sessions", Nothing, Some(json!({"email": "new@example.com", "role": "viewer"}))),
        ("GET PATCH", "/api/v1/me", Nothing, Some(json!({"name": "Changed"}))),
        ("GET DELETE", "/api/v1/me/sessions", Nothing, None),
        ("DELETE", "/api/v1/me/sessions/{}", OWN_SESSION, None),
        ("GET", "/api/v1/me/security", Nothing, None),
        ("PUT", "/api/v1/me/password", Nothing, Some(json!({"newPassword": "a quiet harbour at dawn"}))),
        ("POST", "/api/v1/me/reauthenticate", Nothing, Some(json!({"password": "x"}))),
        ("POST DELETE", "/api/v1/me/totp", Nothing, None),
        ("POST", "/api/v1/me/totp/confirm", Nothing, Some(json!({"code": "123456"}))),
        ("POST", "/api/v1/me/recovery-codes", Nothing, None),
        ("GET", "/api/v1/me/passkeys", Nothing, None),
        ("POST", "/api/v1/me/passkeys", Nothing, Some(json!({"credential": attestation}))),
        ("POST", "/api/v1/me/passkeys/options", Nothing, None),
        ("PATCH DELETE", "/api/v1/me/passkeys/{}", OWN_PASSKEY, Some(json!({"name": "Changed"}))),
        ("POST", "/api/v1/me/reauthenticate/options", Nothing, None),
        ("GET", "/api/v1/me/identities", Nothing, None),
        ("DELETE", "/api/v1/me/identities/{}", Path(&[Shared("oidc")]), None),
        ("POST", "/api/v1/sign-in/passkey/options", Public, None),
        ("POST", "/api/v1/sign-in/passkey", Public, None),
    ]
}

/// The authorization server. What proves itself in its own way is public to the gate.
fn oauth() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    vec![
        ("GET POST", "/oauth/authorize", Public, None),
        ("POST", "/oauth/par", Public, None),
        ("POST", "/oauth/token", Public, None),
        ("POST", "/oauth/introspect", Public, None),
        ("POST", "/oauth/revoke", Public, None),
        ("GET", "/.well-known/oauth-authorization-server", Public, None),
        ("GET", "/.well-known/openid-configuration", Public, None),
        ("GET", "/.well-known/oauth-protected-resource", Public, None),
        ("GET", "/.well-known/oauth-protected-resource/{}", Public, None),
        ("GET PUT", "/api/v1/api-clients/{}/oauth", Path(&[Thing::Client]), Some(json!({"audience": "own"}))),
        ("GET", "/api/v1/authorized-apps", Nothing, None),
        // Only people make them: that others' are hidden is shown in the crate's own tests.
        ("DELETE", "/api/v1/authorized-apps/{}", Path(&[Thing::Shared("cns_00000000000000000000000000")]), None),
    ]
}

/// What proves itself in its own way is public to the gate.
fn oauth_extensions() -> Vec<Row> {
    use Named::{Nothing, Path, Public};
    vec![
        ("GET", "/.well-known/jwks.json", Public, None),
        ("GET", "/api/v1/signing-keys", Nothing, None),
        ("POST", "/api/v1/signing-keys/rotate", Nothing, Some(json!({"leadSeconds": 600}))),
        // Only access tokens of people see something; whom they see is tried in `oauth`.
        ("GET POST", "/oauth/userinfo", Path(&[]), None),
        ("POST", "/oauth/device_authorization", Public, None),
        ("POST", "/oauth/register", Public, None),
        ("GET PUT DELETE", "/oauth/register/{}", Public, None),
    ]
}
