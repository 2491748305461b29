//! REST endpoints that tenants declare at run time, against the binary.

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::{Engine, engine, wait};

use crate::two_nodes::second;
use crate::world::{SOON, Tenant, World, lead, rows, text};

const ALL: &str = "/api/v1/rest-endpoints";

/// An open list of leads with a fixed filter.
fn new_leads() -> Value {
    json!({
        "path": "/new-leads", "method": "GET", "scopes": ["leads:read"], "public": false,
        "operation": {"type": "list", "resource": "lead", "query": {"status": "NEW", "sort": "lastName"}},
    })
}

async fn made(tenant: &Tenant, body: &Value) -> Value {
    tenant.host.post(ALL, body).await.expect(201).json()
}

async fn documented(who: &Client) -> Vec<String> {
    let document = who.get("/docs/openapi.json").await.expect(200).json();
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

testkit::engines! {
    /// Made, listed, called, documented, deleted.
    async fn the_life_of_an_endpoint(world: World) {
        let (tenant, other) = (world.tenant("Acme").await, world.tenant("Other").await);
        let key = tenant.key_scoped(&["leads:read"]).await.http;
        for (name, status) in [("Ada", "NEW"), ("Grace", "QUALIFIED")] {
            let mut body = lead(name);
            body["status"] = json!(status);
            tenant.host.post("/api/v1/records/lead", &body).await.assert_status(201);
        }
        let created = tenant.host.post(ALL, &new_leads()).await.expect(201);
        let endpoint = created.json();
        assert_eq!(created.header("location"), Some(format!("{ALL}/{}", text(&endpoint["id"])).as_str()));
        assert!(text(&endpoint["id"]).starts_with("rep_"));
        assert_eq!((&endpoint["path"], &endpoint["url"]), (&json!("/new-leads"), &json!("/api/v1/x/new-leads")));
        assert_eq!(tenant.host.get(&format!("{ALL}/{}", text(&endpoint["id"]))).await.expect(200).json(), endpoint);
        let list = tenant.host.get(ALL).await.expect(200).json();
        assert_eq!((rows(&list), &list["pagination"]["total"]), (&vec![endpoint.clone()], &json!(1)));
        // It answers at once; what it fixes cannot be sent.
        let found = key.get("/api/v1/x/new-leads?status=QUALIFIED&fields=firstName").await.expect(200);
        let found_row = &found.json()["data"];
        assert_eq!((found_row.as_array().unwrap().len(), &found_row[0]["firstName"], &found_row[0]["lastName"]), (1, &json!("Ada"), &Value::Null));
        assert!(found.header("x-ratelimit-limit").is_some());
        // Only for those who hold the scope, of this tenant.
        tenant.key_scoped(&["quotes:read"]).await.http.get("/api/v1/x/new-leads").await.assert_problem(403, "insufficient_scope");
        other.key().await.http.get("/api/v1/x/new-leads").await.assert_problem(404, "not_found");
        world.server.client().get("/api/v1/x/new-leads").await.assert_problem(401, "missing_credential");
        key.post("/api/v1/x/new-leads", &json!({})).await.assert_problem(405, "method_not_allowed");
        key.get("/api/v1/x/new-leads/1").await.assert_problem(404, "not_found");
        // The document of this tenant's credential has it, others' have not.
        let path = "/api/v1/x/new-leads".to_owned();
        assert!(documented(&key).await.contains(&path));
        for without in [&other.key().await.http, &world.server.client()] {
            assert!(!documented(without).await.contains(&path));
        }
        // The calls are logged under its path, the acts in the audit log.
        let logged = wait::until("the call in the request log", SOON, async || {
            let logs = tenant.host.get("/api/v1/request-logs?endpoint=/api/v1/x/new-leads").await.expect(200).json();
            rows(&logs).iter().find(|row| row["status"] == 200).cloned()
        });
        assert_eq!(logged.await["endpoint"], "/api/v1/x/new-leads");
        tenant.host.delete(&format!("{ALL}/{}", text(&endpoint["id"]))).await.assert_status(204);
        key.get("/api/v1/x/new-leads").await.assert_problem(404, "not_found");
        let audit = tenant.host.get("/api/v1/audit-log?limit=100").await.expect(200).text();
        assert!(audit.contains("rest_endpoint.create") && audit.contains("rest_endpoint.delete"), "{audit}");
    }

    /// Every operation, by its method; bodies judged by the endpoint's schema and then by the resource type's.
    async fn every_operation(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await.http;
        let schema = json!({
            "type": "object", "required": ["phone"], "additionalProperties": false,
            "properties": {
                "phone": {"type": "string", "minLength": 3}, "email": {"type": "string"}, "firstName": {"type": "string"},
                "lastName": {"type": "string"}, "source": {"type": "string"}, "insuranceType": {"const": "AUTO"},
            },
        });
        for (path, method, operation, schema) in [
            ("desk/leads", "POST", "create", schema),
            ("desk/leads/{id}", "GET", "get", Value::Null),
            ("desk/leads/{id}", "PATCH", "update", Value::Null),
            ("desk/leads/{id}", "put", "update", Value::Null),
            ("desk/leads/{id}", "DELETE", "delete", Value::Null),
            ("desk/leads/export", "GET", "list", Value::Null),
        ] {
            made(&tenant, &json!({"path": path, "method": method, "schema": schema, "operation": {"type": operation, "resource": "lead"}})).await;
        }
        let mut body = lead("Ada");
        let refused = key.post("/api/v1/x/desk/leads", &body).await.expect(422).json();
        assert_eq!((&refused["code"], &refused["errors"][0]["pointer"]), (&json!("validation_failed"), &json!("/phone")));
        body["phone"] = json!("0311234567");
        body["insuranceType"] = json!("HOME");
        key.post("/api/v1/x/desk/leads", &body).await.assert_problem(422, "validation_failed");
        body["insuranceType"] = json!("AUTO");
        let one = key.with("idempotency-key", "one").post("/api/v1/x/desk/leads", &body).await.expect(201);
        let again = key.with("idempotency-key", "one").post("/api/v1/x/desk/leads", &body).await.expect(201);
        assert_eq!((one.json(), again.header("idempotent-replayed")), (again.json(), Some("true")));
        let id = text(&one.json()["id"]);
        let at = format!("/api/v1/x/desk/leads/{id}");
        assert_eq!(one.header("location"), Some(format!("/api/v1/records/lead/{id}").as_str()));
        assert_eq!(key.get(&at).await.expect(200).json(), one.json());
        assert_eq!(key.patch(&at, &json!({"city": "Bern"})).await.expect(200).json()["city"], "Bern");
        assert_eq!(key.put(&at, &json!({"city": null})).await.expect(200).json()["city"], Value::Null);
        key.patch(&at, &json!({"citty": "Bern"})).await.assert_problem(422, "validation_failed");
        assert_eq!(rows(&key.get("/api/v1/x/desk/leads/export").await.expect(200).json()).len(), 1, "the word is meant, not an id");
        for other in ["/api/v1/x/desk/leads/rec_x", "/api/v1/x/desk/leads/..%2f..%2ftenants", "/api/v1/x/desk//leads", "/api/v1/x/desk/leads/%00"] {
            key.get(other).await.assert_problem(404, "not_found");
        }
        key.delete(&at).await.assert_status(204);
        key.get(&at).await.assert_problem(404, "not_found");
    }

    /// Query parameters are judged by the schema of a GET.
    async fn a_query_is_judged_too(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await.http;
        let schema = json!({
            "type": "object", "required": ["state"], "additionalProperties": false,
            "properties": {"state": {"enum": ["BE", "ZH"]}, "year": {"type": "integer", "description": "Of the report"}},
        });
        made(&tenant, &json!({"path": "by-state", "method": "GET", "schema": schema, "operation": {"type": "list", "resource": "lead"}})).await;
        key.get("/api/v1/x/by-state?state=BE&year=2026&limit=5").await.assert_status(200);
        for (query, pointer) in [("", "/state"), ("?state=GE", "/state"), ("?state=BE&year=soon", "/year"), ("?state=BE&more=1", "/more")] {
            let refused = key.get(&format!("/api/v1/x/by-state{query}")).await.expect(422).json();
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let document = key.get("/docs/openapi.json").await.expect(200).json();
        let named = document["paths"]["/api/v1/x/by-state"]["get"]["parameters"].as_array().unwrap().iter();
        assert!(named.clone().any(|one| one["name"] == "year"), "{document}");
    }

    /// A public endpoint needs no credential, below its tenant's slug; it shows that tenant's records and takes what strangers may send.
    async fn public_endpoints(world: World) {
        let (tenant, other) = (world.tenant("Acme Corp").await, world.tenant("Other").await);
        tenant.host.post("/api/v1/records/lead", &lead("Ada")).await.assert_status(201);
        let list = made(&tenant, &json!({"path": "leads", "method": "GET", "public": true, "operation": {"type": "list", "resource": "lead"}})).await;
        made(&tenant, &json!({"path": "leads", "method": "POST", "public": true, "operation": {"type": "create", "resource": "lead"}})).await;
        made(&tenant, &json!({"path": "own", "method": "GET", "operation": {"type": "list", "resource": "lead"}})).await;
        assert_eq!(list["publicUrl"], "/public/acme-corp/leads");
        let anyone = world.server.client();
        let sent = anyone.post("/public/acme-corp/leads", &lead("Grace")).await.expect(201);
        assert!(sent.header("x-request-id").is_some());
        let seen = anyone.get("/public/acme-corp/leads").await.expect(200).json();
        assert_eq!(rows(&seen).len(), 2);
        assert!(documented(&tenant.key().await.http).await.contains(&"/public/acme-corp/leads".to_owned()));
        for nothing in ["/public/acme-corp/own", "/public/other/leads", "/public/nobody/leads", "/public/acme-corp", "/public/acme-corp/"] {
            anyone.get(nothing).await.assert_problem(404, "not_found");
        }
        let audit = tenant.host.get("/api/v1/audit-log?limit=100").await.expect(200).text();
        assert!(audit.contains("system:public-endpoint"), "{audit}");
        // A tenant that is suspended shows nothing, and one that is renamed is found under its new name only.
        let change = |body: Value| {
            let (operator, path) = (world.operator.clone(), format!("/api/v1/tenants/{}", tenant.id));
            async move { operator.patch(&path, &body).await.assert_status(200) }
        };
        change(json!({"status": "suspended"})).await;
        anyone.get("/public/acme-corp/leads").await.assert_problem(404, "not_found");
        change(json!({"status": "active", "slug": "acme"})).await;
        anyone.get("/public/acme-corp/leads").await.assert_problem(404, "not_found");
        anyone.get("/public/acme/leads").await.assert_status(200);
        assert_eq!(other.host.get(ALL).await.expect(200).json()["data"], json!([]));
        world.operator.delete(&format!("/api/v1/tenants/{}", tenant.id)).await.assert_status(204);
        anyone.get("/public/acme/leads").await.assert_problem(404, "not_found");
    }

    /// Strangers get so many calls a minute; maintenance stops them as it stops partners.
    async fn strangers_are_bounded(world: World) {
        let tenant = world.tenant("Acme").await;
        made(&tenant, &json!({"path": "leads", "method": "GET", "public": true, "operation": {"type": "list", "resource": "lead"}})).await;
        let anyone = world.server.client();
        let switch = |args: &[&str]| assert!(world.server.settings().run(args).status.success());
        switch(&["maintenance", "on"]);
        let stopped = || async { (anyone.get("/public/acme/leads").await.status == 503).then_some(()) };
        wait::until("maintenance", SOON, stopped).await;
        switch(&["maintenance", "off"]);
        let back = || async { (anyone.get("/public/acme/leads").await.status == 200).then_some(()) };
        wait::until("the end of maintenance", SOON, back).await;
        let mut last = None;
        for _ in 0..301 {
            last = Some(anyone.get("/public/acme/leads").await);
        }
        let refused = last.unwrap();
        refused.assert_problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        tenant.key().await.http.get("/api/v1/x/leads").await.assert_status(200);
    }

    async fn what_cannot_be_served_is_refused_with_the_reason(world: World) {
        let tenant = world.tenant("Acme").await;
        let with = |name: &str, value: Value| {
            let mut body = new_leads();
            body[name] = value;
            body
        };
        let query = |query: Value| with("operation", json!({"type": "list", "resource": "lead", "query": query}));
        for (body, pointer, words) in [
            (with("path", json!("")), "/path", "at least one"),
            (with("path", json!("a//b")), "/path", "//"),
            (with("path", json!("../tenants")), "/path", "reserved"),
            (with("path", json!("_hidden")), "/path", "reserved"),
            (with("path", json!("a b")), "/path", "letters"),
            (with("path", json!("a/{name}")), "/path", "{id}"),
            (with("path", json!("a/{id}")), "/path", "placeholder"),
            (with("path", json!("a".repeat(201))), "/path", "200"),
            (with("method", json!("POST")), "/method", "GET"),
            (with("method", json!("TRACE")), "/method", "TRACE"),
            (with("scopes", json!(["leads:raed"])), "/scopes/0", "leads:read"),
            (with("scopes", json!(["leads:read", "leads:read"])), "/scopes/1", "twice"),
            (with("schema", json!({"type": "objekt"})), "/schema", "/type"),
            (with("schema", json!({"$ref": "https://example.com/s.json"})), "/schema", "$defs"),
            (with("schema", json!([])), "/schema", "object"),
            (with("operation", json!({"type": "list", "resource": "leads"})), "/operation/resource", "lead, "),
            (with("operation", json!({"type": "get", "resource": "lead"})), "/path", "{id}"),
            (with("operation", json!({"type": "drop", "resource": "lead"})), "/operation/type", "drop"),
            (with("operation", json!({"type": "list", "resource": "lead", "tenant": "x"})), "/operation/tenant", "unknown"),
            (with("operation", json!({"type": "list"})), "/operation/resource", "missing"),
            (query(json!({"shoeSize": "44"})), "/operation/query/shoeSize", "not a parameter"),
            (query(json!({"sort": "shoeSize"})), "/operation/query/sort", "one of"),
            (query(json!({"limit": "1000"})), "/operation/query/limit", "100"),
            (query(json!({"cursor": "x"})), "/operation/query/cursor", "caller"),
            (with("more", json!(1)), "/more", "unknown"),
            (
                json!({"path": "x/{id}", "method": "DELETE", "public": true, "operation": {"type": "delete", "resource": "lead"}}),
                "/public",
                "anybody",
            ),
        ] {
            let refused = tenant.host.post(ALL, &body).await;
            refused.assert_problem(422, "validation_failed");
            let refused = refused.json();
            let found = refused["errors"].as_array().unwrap().iter().find(|error| error["pointer"] == pointer);
            assert!(found.is_some_and(|error| text(&error["detail"]).contains(words)), "{body}: {refused}");
        }
        made(&tenant, &new_leads()).await;
        for same in ["new-leads", "/new-leads"] {
            tenant.host.post(ALL, &with("path", json!(same))).await.assert_problem(409, "rest_endpoint_exists");
        }
        world.tenant("Other").await.host.post(ALL, &new_leads()).await.assert_status(201);
        let one = |n: usize| with("path", json!(format!("list-{n}")));
        for n in 1..100 {
            tenant.host.post(ALL, &one(n)).await.assert_status(201);
        }
        tenant.host.post(ALL, &one(100)).await.assert_problem(409, "too_many_rest_endpoints");
    }

    /// What a tenant's endpoints say in all is bounded: its documentation is made of it.
    async fn schemas_are_bounded_together(world: World) {
        let tenant = world.tenant("Acme").await;
        let long = |n: usize| {
            let mut body = new_leads();
            body["path"] = json!(format!("list-{n}"));
            body["schema"] = json!({"type": "object", "description": "x".repeat(120_000)});
            body
        };
        for n in 0..8 {
            tenant.host.post(ALL, &long(n)).await.assert_status(201);
        }
        tenant.host.post(ALL, &long(8)).await.assert_problem(409, "rest_endpoints_too_large");
        tenant.host.post(ALL, &new_leads()).await.assert_status(201);
        assert_eq!(rows(&tenant.host.get(ALL).await.expect(200).json()).len(), 9);
    }

    /// Somebody else's endpoint is not there, for any verb; who lacks the permission, or may not do what the endpoint would do, makes none.
    async fn endpoints_are_their_tenants_own(world: World) {
        let (tenant, other) = (world.tenant("A").await, world.tenant("B").await);
        let id = text(&made(&tenant, &new_leads()).await["id"]);
        let at = format!("{ALL}/{id}");
        other.host.get(&at).await.assert_problem(404, "not_found");
        other.host.delete(&at).await.assert_problem(404, "not_found");
        tenant.host.get(&at).await.assert_status(200);
        // No scope of this blueprint grants the permissions.
        let key = tenant.key().await.http;
        for answer in [key.post(ALL, &new_leads()).await, key.get(ALL).await, key.get(&at).await, key.delete(&at).await] {
            answer.assert_problem(403, "insufficient_scope");
        }
        let narrow = |scopes: &str| {
            let made = world.server.settings().run(&["service-key", "create", "--tenant", &tenant.id, "--scopes", scopes]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            world.server.client().bearer(String::from_utf8(made.stdout).unwrap().trim())
        };
        let reading = narrow("endpoints.write,records.read");
        reading.post(ALL, &json!({"path": "a", "method": "GET", "operation": {"type": "list", "resource": "lead"}})).await.assert_status(201);
        let writes = json!({"path": "a", "method": "POST", "operation": {"type": "create", "resource": "lead"}});
        reading.post(ALL, &writes).await.assert_problem(403, "insufficient_scope");
        narrow("endpoints.write,records.write").post(ALL, &writes).await.assert_status(201);
    }
}

#[test]
fn what_is_made_on_one_node_is_served_by_the_others() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let second = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        let there = second.client().bearer(&tenant.key().await.token);
        there.get("/api/v1/x/new-leads").await.assert_problem(404, "not_found");
        let id = text(&made(&tenant, &new_leads()).await["id"]);
        let answers = async |status: u16| (there.get("/api/v1/x/new-leads").await.status == status).then_some(());
        wait::until("the endpoint on the other node", SOON, || answers(200)).await;
        tenant.host.delete(&format!("{ALL}/{id}")).await.assert_status(204);
        wait::until("its end on the other node", SOON, || answers(404)).await;
    });
}
