//! For every route of the served API: another tenant's id is a 404 like that of an id that never existed, a missing scope is a 403, no
//! key is a 401. The routes are read from the OpenAPI document; one that is not in [`cases`] fails the test.

mod cases;
mod fixture;
mod product;

use cases::{Case, Named};
use fixture::Fixture;
use serde_json::Value;
use testkit::http::{Client, Response};

use testkit::{Bed, Engine};

use crate::world::{Contractors, World};

/// A server with a blueprint of the built-in ones, looking for alerts every second.
fn serving(engine: Engine, blueprint: &str) -> World {
    World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", blueprint).set("TRADEWIND_ALERT_INTERVAL", "1"))
}

struct Coaching(World);

impl Bed for Coaching {
    async fn open(engine: Engine) -> Self {
        Self(serving(engine, "call-coaching"))
    }
}

struct Helpdesk(World);

impl Bed for Helpdesk {
    async fn open(engine: Engine) -> Self {
        Self(serving(engine, "helpdesk-reports"))
    }
}

struct School(World);

impl Bed for School {
    async fn open(engine: Engine) -> Self {
        Self(serving(engine, "school-tenants"))
    }
}

/// For other tests: a tenant with one of everything.
pub(crate) struct OneOfEverything(Fixture);

impl OneOfEverything {
    /// Makes it.
    pub(crate) async fn make(world: &World) -> Self {
        Self(Fixture::make(world).await)
    }

    /// The tenant.
    pub(crate) fn tenant(&self) -> &crate::world::Tenant {
        &self.0.a
    }

    /// What the path of a route names, in order; empty for one that names nothing.
    pub(crate) fn ids(&self, method: &str, path: &str) -> Vec<String> {
        cases::of(&self.0.product, method, path).map(|case| self.0.owned(&case.named)).unwrap_or_default()
    }
}

/// A route of the document.
struct Route {
    method: String,
    path: String,
    operation: Value,
}

impl Route {
    fn is_public(&self) -> bool {
        self.operation["security"].as_array().is_some_and(Vec::is_empty)
    }

    fn needs_something(&self) -> bool {
        ["x-required-permission", "x-required-scope"].iter().any(|name| self.operation.get(*name).is_some()) || self.is_operators()
    }

    fn is_operators(&self) -> bool {
        self.operation["x-operator-only"] == true
    }

    async fn call(&self, who: &Client, path: &str, body: Option<&Value>) -> Response {
        let request = who.request(self.method.parse().unwrap(), path);
        match body {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        }
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

async fn routes(world: &World) -> Vec<Route> {
    let document = world.server.client().get("/docs/openapi.json").await.expect(200).json();
    let mut out = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            out.push(Route { method: method.to_uppercase(), path: path.clone(), operation: operation.clone() });
        }
    }
    assert!(out.len() > 40, "only {} routes are documented", out.len());
    out
}

/// The path with `ids` in the places of its parameters.
fn filled(path: &str, ids: &[String]) -> String {
    let mut ids = ids.iter();
    let part = |part: &str| if part.starts_with('{') { ids.next().cloned().unwrap_or_else(|| part.to_owned()) } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A problem without what differs from request to request.
fn comparable(answer: &Response) -> (u16, Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    (answer.status.as_u16(), body)
}

/// All findings, so that one run shows every hole.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }
}

async fn matrix(world: &World) {
    let fixture = Fixture::make(world).await;
    let before = fixture.snapshot().await;
    let mut findings = Findings::default();
    for route in &routes(world).await {
        let Some(case) = cases::of(&fixture.product, &route.method, &route.path) else {
            findings.check(false, || {
                format!(
                    "{route} has no case: add it to cases() in tests/it/tenant_matrix/cases.rs, with what its path names and a good body"
                )
            });
            continue;
        };
        findings
            .check(route.is_public() == matches!(case.named, Named::Public), || format!("{route}: public or not? The case says otherwise"));
        if route.is_public() {
            continue;
        }
        refuse_without_credential(&fixture, route, &case, &mut findings).await;
        refuse_without_scope(&fixture, route, &case, &mut findings).await;
        hide_from_others(&fixture, route, &case, &mut findings).await;
    }
    let after = fixture.snapshot().await;
    findings.check(before == after, || format!("another tenant's calls changed something:\n{before:#}\n{after:#}"));
    assert!(findings.0.is_empty(), "{} findings:\n{}", findings.0.len(), findings.0.join("\n"));
}

async fn refuse_without_credential(fixture: &Fixture, route: &Route, case: &Case, findings: &mut Findings) {
    for ids in [fixture.owned(&case.named), fixture.never(&case.named)] {
        let answer = route.call(&fixture.anyone, &filled(&route.path, &ids), case.body.as_ref()).await;
        findings.check(answer.status == 401, || format!("{route} without a key: {} {}", answer.status, answer.text()));
        findings.check(answer.header("www-authenticate").is_some(), || format!("{route}: a 401 without WWW-Authenticate"));
    }
}

async fn refuse_without_scope(fixture: &Fixture, route: &Route, case: &Case, findings: &mut Findings) {
    if !route.needs_something() {
        return;
    }
    for ids in [fixture.owned(&case.named), fixture.never(&case.named)] {
        let path = filled(&route.path, &ids);
        let answer = route.call(&fixture.scopeless, &path, case.body.as_ref()).await;
        findings.check(answer.status == 403, || format!("{route} without a scope: {} {}", answer.status, answer.text()));
        // Who may not call it learns nothing from a bad body either.
        let answer = route.call(&fixture.scopeless, &path, Some(&serde_json::json!({"nonsense": 1}))).await;
        findings.check(answer.status == 403, || format!("{route} without a scope, bad body: {} {}", answer.status, answer.text()));
    }
}

/// As tenant B, by its key with every scope and by a service key that acts for it.
async fn hide_from_others(fixture: &Fixture, route: &Route, case: &Case, findings: &mut Findings) {
    let callers =
        [("B's key", &fixture.partner_b), ("a service key for B", &fixture.host_b), ("a service key bound to B", &fixture.bound_b)];
    for (who, client) in callers {
        // An unbound service key is the operator, who may see and do what is the operator's.
        if route.is_operators() && who == "a service key for B" {
            continue;
        }
        for (theirs, never) in fixture.strangers(&case.named) {
            let answer = route.call(client, &filled(&route.path, &theirs), case.body.as_ref()).await;
            let unknown = route.call(client, &filled(&route.path, &never), case.body.as_ref()).await;
            // What B may not call at all, or what only the operator may, is refused before anything is looked up.
            let barred = answer.status == 403 && route.needs_something() && who != "a service key for B";
            let hidden = answer.status == 404 || barred;
            findings.check(hidden, || format!("{route} by {who} with A's id: {} {}", answer.status, answer.text()));
            findings.check(comparable(&answer) == comparable(&unknown), || {
                format!("{route} by {who}: A's id is told from one that never existed: {} / {}", answer.text(), unknown.text())
            });
        }
        if matches!(case.named, Named::Nothing) && route.method == "GET" {
            let answer = route.call(client, &route.path, None).await;
            let leaked = fixture.leaked(&answer.text());
            findings.check(leaked.is_none(), || format!("{route} by {who} shows A's {}", leaked.unwrap_or_default()));
        }
    }
}

testkit::engines! {
    async fn no_tenant_reaches_another_under_insurance_leads(world: World) {
        matrix(&world).await;
    }

    async fn no_tenant_reaches_another_under_contractor_network(world: Contractors) {
        matrix(&world.0).await;
    }

    async fn no_tenant_reaches_another_under_call_coaching(world: Coaching) {
        matrix(&world.0).await;
    }

    async fn no_tenant_reaches_another_under_helpdesk_reports(world: Helpdesk) {
        matrix(&world.0).await;
    }

    async fn no_tenant_reaches_another_under_school_tenants(world: School) {
        matrix(&world.0).await;
    }

    /// What reads and writes many records at once shows and changes the caller's own only, whatever ids its items name.
    async fn many_records_at_once_are_closed_too(world: World) {
        use serde_json::json;
        let fixture = Fixture::make(&world).await;
        let before = fixture.snapshot().await;
        let id = fixture.owned(&Named::Path(&[cases::Thing::Record("lead")]))[0].clone();
        let never = fixture.never(&Named::Path(&[cases::Thing::Record("lead")]))[0].clone();
        for client in [&fixture.host_b, &fixture.bound_b] {
            for query in ["format=csv", "format=ndjson", "format=csv&search=a", "format=ndjson&filter=%7B%7D"] {
                let text = client.get(&format!("/api/v1/records/lead/export?{query}")).await.expect(200).text();
                assert_eq!(fixture.leaked(&text), None, "{query}: {text}");
            }
            let item = |id: &str| {
                let data = crate::world::lead("Mallory");
                json!([{"op": "update", "id": id, "data": {"notes": "x"}}, {"op": "replace", "id": id, "data": data}, {"op": "delete", "id": id}])
            };
            let batch = async |id: &str| client.post("/api/v1/records/lead/batch", &json!({"operations": item(id)})).await.expect(200).json();
            let (theirs, unknown) = (batch(&id).await, batch(&never).await);
            assert_eq!((&theirs, &theirs["summary"]), (&unknown, &json!({"succeeded": 0, "failed": 3})));
            assert!(theirs["data"].as_array().unwrap().iter().all(|one| one["status"] == 404), "{theirs}");
            let mut line = crate::world::lead("Mallory");
            line["id"] = json!(id);
            let request = client.request("POST".parse().unwrap(), "/api/v1/records/lead/import");
            let told = request.body("application/x-ndjson", line.to_string()).send().await.expect(200).json();
            assert_eq!(told["summary"]["created"], 1, "{told}");
            assert_ne!(told["data"][0]["id"], json!(id));
        }
        for (method, path) in [("POST", "batch"), ("GET", "export"), ("POST", "import")] {
            let path = format!("/api/v1/records/lead/{path}");
            let request = |client: &Client| client.request(method.parse().unwrap(), &path);
            assert_eq!(request(&fixture.scopeless).send().await.status, 403, "{path}");
            assert_eq!(request(&fixture.anyone).send().await.status, 401, "{path}");
        }
        assert_eq!(before, fixture.snapshot().await);
    }

    /// Ids inside bodies and the host's own ids are as closed as those in paths.
    async fn ids_in_bodies_and_external_ids_are_closed_too(world: World) {
        use serde_json::json;
        let fixture = Fixture::make(&world).await;
        let never = fixture.never(&Named::Path(&[cases::Thing::Client]))[0].clone();
        let mut answers = Vec::new();
        for client in [&fixture.a.client, &never] {
            let key = fixture.host_b.post("/api/v1/api-keys", &json!({"clientId": client, "name": "Theft"})).await;
            assert!(matches!(key.status.as_u16(), 404 | 422), "{} {}", key.status, key.text());
            let event = json!({"type": "lead.created", "data": {"leadId": "1"}, "clientId": client});
            let event = fixture.host_b.post("/api/v1/events", &event).await;
            assert!(matches!(event.status.as_u16(), 404 | 422), "{} {}", event.status, event.text());
            let filtered = fixture.host_b.get(&format!("/api/v1/deliveries?clientId={client}")).await;
            assert_eq!(fixture.leaked(&filtered.text()), None);
            answers.push((comparable(&key), comparable(&event), comparable(&filtered)));
        }
        assert_eq!(answers[0], answers[1]);
        for tenant in [fixture.a.id.clone(), fixture.never(&Named::Path(&[cases::Thing::Tenant]))[0].clone()] {
            let event = json!({"type": "lead.created", "data": {"leadId": "1"}, "tenantId": tenant});
            fixture.bound_b.post("/api/v1/events", &event).await.assert_problem(404, "not_found");
            fixture.bound_b.with("tradewind-tenant", &tenant).get("/api/v1/leads").await.assert_problem(404, "not_found");
            fixture.partner_b.with("tradewind-tenant", &tenant).get("/api/v1/leads").await.assert_problem(404, "not_found");
        }
        let body = crate::world::lead("Ada");
        fixture.a.host.put("/api/v1/records/lead/ext:order-1", &body).await.assert_status(201);
        let theirs = fixture.partner_b.get("/api/v1/leads/ext:order-1").await;
        let never = fixture.partner_b.get("/api/v1/leads/ext:order-2").await;
        assert_eq!((theirs.status.as_u16(), comparable(&theirs)), (404, comparable(&never)));
        let own = fixture.host_b.put("/api/v1/records/lead/ext:order-1", &crate::world::lead("Bob")).await.expect(201).json();
        let first = fixture.a.host.get("/api/v1/leads/ext:order-1").await.expect(200).json();
        assert_eq!((&own["firstName"], &first["firstName"]), (&json!("Bob"), &json!("Ada")));
    }
}
