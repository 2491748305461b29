//! Endpoints that a blueprint declares without a credential: whose they are, what they show and take, how they are bounded and logged.

use serde_json::{Value, json};
use testkit::{Bed, Engine, wait};

use crate::world::{SOON, World, rows, text};

/// The helpdesk with a desk for everybody.
struct Desk(World);

impl Bed for Desk {
    async fn open(engine: Engine) -> Self {
        let blueprint = format!(
            r#"{}
[[metrics]]
name = "desk"
resource = "ticket"
periods = ["7d"]
figures = [{{ name = "tickets", of = "count" }}]

[[endpoints]]
method = "GET"
path = "/desk/tickets"
operation = "list"
resource = "ticket"
public = true
summary = "The tickets that anybody may see."
total = true

[[endpoints]]
method = "POST"
path = "/desk/tickets"
operation = "create"
resource = "ticket"
public = true
writable = ["subject", "description", "status"]
set = {{ channel = "public" }}

[[endpoints]]
method = "GET"
path = "/desk/tickets/{{id}}"
operation = "get"
resource = "ticket"
public = true
not_found = "No such ticket."
answer = {{ ticket = "$.subject", of = "$path.id" }}

[[endpoints]]
method = "GET"
path = "/desk/tickets/{{id}}/comments"
operation = "list"
resource = "comment"
public = true

[[endpoints]]
method = "GET"
path = "/desk/figures"
operation = {{ type = "metric", metric = "desk" }}
public = true
"#,
            blueprint::text("helpdesk-reports").unwrap(),
        );
        let file = engine.data_dir().join("desk.toml");
        std::fs::write(&file, blueprint).unwrap();
        let file = file.display().to_string();
        Self(World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", &file)))
    }
}

fn ticket(subject: &str) -> Value {
    json!({"subject": subject})
}

testkit::engines! {
    /// Each does what its operation does, for the tenant whose slug the path begins with.
    async fn they_act_for_the_tenant_of_the_path(world: Desk) {
        let (world, anyone) = (&world.0, world.0.server.client());
        let (acme, other) = (world.tenant("Acme Corp").await, world.tenant("Other").await);
        let made = anyone.post("/public/acme-corp/desk/tickets", &ticket("Printer on fire")).await.expect(201);
        let id = text(&made.json()["id"]);
        assert_eq!(made.header("location"), Some(format!("/api/v1/records/ticket/{id}").as_str()));
        assert_eq!((&made.json()["channel"], &made.json()["status"]), (&json!("public"), &json!("open")));
        acme.host.get(&format!("/api/v1/records/ticket/{id}")).await.assert_status(200);
        other.host.get(&format!("/api/v1/records/ticket/{id}")).await.assert_problem(404, "not_found");
        let list = anyone.get("/public/acme-corp/desk/tickets?search=PRINTER&limit=5").await.expect(200).json();
        assert_eq!((&list["data"][0]["id"], &list["pagination"]["total"]), (&json!(id), &json!(1)));
        assert_eq!(rows(&anyone.get("/public/other/desk/tickets").await.expect(200).json()).len(), 0);
        let one = anyone.get(&format!("/public/acme-corp/desk/tickets/{id}")).await.expect(200).json();
        assert_eq!(one, json!({"ticket": "Printer on fire", "of": id}), "the path's own names, without the tenant's");
        acme.host.post("/api/v1/records/comment", &json!({"ticketId": id, "body": "On our way."})).await.assert_status(201);
        let comments = anyone.get(&format!("/public/acme-corp/desk/tickets/{id}/comments")).await.expect(200).json();
        assert_eq!(rows(&comments).len(), 1);
        assert_eq!(anyone.get("/public/acme-corp/desk/figures").await.expect(200).json()["tickets"], 1);
        assert_eq!(anyone.get("/public/other/desk/figures").await.expect(200).json()["tickets"], 0);
        // Another tenant's record is none, in the endpoint's own words; so is every path of nobody.
        for nothing in [format!("/public/other/desk/tickets/{id}"), "/public/acme-corp/desk/tickets/rec_00000000000000000000000000".to_owned()] {
            assert_eq!(anyone.get(&nothing).await.expect(404).json()["detail"], "No such ticket.", "{nothing}");
        }
        for nothing in [format!("/public/other/desk/tickets/{id}/comments"), "/public/nobody/desk/tickets".to_owned(), "/public/acme-corp/desk".to_owned()] {
            anyone.get(&nothing).await.assert_problem(404, "not_found");
        }
        anyone.put("/public/acme-corp/desk/tickets", &ticket("x")).await.assert_problem(405, "method_not_allowed");
        // A key is no way to another tenant's, and none is needed.
        other.key().await.http.get("/public/acme-corp/desk/tickets").await.assert_status(200);
        let audit = acme.host.get("/api/v1/audit-log?limit=100").await.expect(200).text();
        assert!(audit.contains("system:public-endpoint"), "{audit}");
    }

    /// Strangers set neither what is not writable nor what needs a scope, and have no idempotency keys.
    async fn strangers_may_do_what_the_file_says(world: Desk) {
        let (world, anyone) = (&world.0, world.0.server.client());
        let tenant = world.tenant("Acme").await;
        for (more, status, code) in [
            (json!({"priority": "urgent"}), 422, "validation_failed"),
            (json!({"channel": "phone"}), 422, "validation_failed"),
            (json!({"subjct": "x"}), 422, "validation_failed"),
            (json!({"subject": 7}), 422, "validation_failed"),
            (json!({"status": "resolved"}), 403, "insufficient_scope"),
        ] {
            let mut body = ticket("Printer on fire");
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            anyone.post("/public/acme/desk/tickets", &body).await.assert_problem(status, code);
        }
        assert_eq!(rows(&tenant.host.get("/api/v1/records/ticket").await.expect(200).json()).len(), 0);
        for _ in 0..2 {
            let again = anyone.with("idempotency-key", "once").post("/public/acme/desk/tickets", &ticket("Twice")).await.expect(201);
            assert_eq!(again.header("idempotent-replayed"), None);
        }
        assert_eq!(rows(&tenant.host.get("/api/v1/records/ticket").await.expect(200).json()).len(), 2);
    }

    /// Beside those that the tenant declares: the file's goes first, and the document shows both.
    async fn they_stand_beside_the_tenants_own(world: Desk) {
        let (world, anyone) = (&world.0, world.0.server.client());
        let tenant = world.tenant("Acme").await;
        let own = |path: &str| json!({"path": path, "method": "GET", "public": true, "operation": {"type": "list", "resource": "contact"}});
        for path in ["desk/contacts", "desk/tickets"] {
            tenant.host.post("/api/v1/rest-endpoints", &own(path)).await.assert_status(201);
        }
        tenant.host.post("/api/v1/records/ticket", &ticket("Here")).await.assert_status(201);
        anyone.get("/public/acme/desk/contacts").await.assert_status(200);
        assert_eq!(anyone.get("/public/acme/desk/tickets").await.expect(200).json()["data"][0]["subject"], "Here");
        let document = anyone.get("/docs/openapi.json").await.expect(200).json();
        let described = &document["paths"]["/public/{tenant}/desk/tickets"];
        assert_eq!((&described["get"]["security"], &described["post"]["security"]), (&json!([]), &json!([])));
        assert_eq!(described["get"]["summary"], "The tickets that anybody may see.");
        let named = described["get"]["parameters"].as_array().unwrap().iter();
        assert!(named.clone().any(|one| one["name"] == "tenant" && one["in"] == "path"), "{described}");
        let headers = described["post"]["parameters"].as_array().unwrap().iter();
        assert!(headers.clone().all(|one| one["name"] != "Idempotency-Key"), "{described}");
    }

    /// An address has so many calls a minute, together with the tenant's own; maintenance and a suspension close the door; and the tenant sees
    /// in its log who came.
    async fn calls_are_bounded_and_logged(world: Desk) {
        let (world, anyone) = (&world.0, world.0.server.client());
        let (tenant, other) = (world.tenant("Acme").await, world.tenant("Other").await);
        let own = json!({"path": "contacts/{id}", "method": "GET", "public": true, "operation": {"type": "get", "resource": "contact"}});
        tenant.host.post("/api/v1/rest-endpoints", &own).await.assert_status(201);
        anyone.get("/public/acme/contacts/rec_00000000000000000000000000").await.assert_problem(404, "not_found");
        anyone.post("/public/acme/desk/tickets", &ticket("One")).await.assert_status(201);
        let mut last = None;
        for _ in 0..299 {
            last = Some(anyone.get("/public/acme/desk/tickets?token=hidden").await);
        }
        let refused = last.unwrap();
        refused.assert_problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        anyone.get("/public/other/desk/tickets").await.assert_status(200);
        let logged = async |path: &str, status: u16| {
            let at = format!("/api/v1/request-logs?endpoint={path}&limit=100&status={status}");
            wait::until(&format!("{status} of {path} in the log"), SOON, || async {
                let log = tenant.host.get(&at).await.expect(200).json();
                rows(&log).first().cloned()
            })
            .await
        };
        let row = logged("/public/{tenant}/desk/tickets", 201).await;
        assert_eq!((&row["method"], &row["keyId"], &row["clientId"]), (&json!("POST"), &Value::Null, &Value::Null));
        assert!(row["ip"].is_string(), "{row}");
        let limited = logged("/public/{tenant}/desk/tickets", 429).await;
        assert_eq!(limited["errorCode"], "rate_limited", "{limited}");
        assert!(!limited.to_string().contains("hidden"), "{limited}");
        logged("/public/{tenant}/contacts/{id}", 404).await;
        let theirs = other.host.get("/api/v1/request-logs?limit=100").await.expect(200).text();
        assert!(!theirs.contains("contacts"), "another tenant's calls are not in it: {theirs}");
        let change = json!({"status": "suspended"});
        world.operator.patch(&format!("/api/v1/tenants/{}", other.id), &change).await.assert_status(200);
        anyone.get("/public/other/desk/tickets").await.assert_problem(404, "not_found");
        assert!(world.server.settings().run(&["maintenance", "on"]).status.success());
        let stopped = || async { (anyone.get("/public/acme/desk/tickets").await.status == 503).then_some(()) };
        wait::until("maintenance", SOON, stopped).await;
    }

    /// What a tenant's own endpoint hides by fixed `fields`, strangers do not find out by asking about it.
    async fn what_is_hidden_cannot_be_asked_about(world: Desk) {
        let (world, anyone) = (&world.0, world.0.server.client());
        let tenant = world.tenant("Acme").await;
        let made = tenant.host.post("/api/v1/records/ticket", &json!({"subject": "Here", "assigneeId": "top-secret", "priority": "high"})).await;
        let id = text(&made.expect(201).json()["id"]);
        let open = |path: &str, kind: &str, query: Value, schema: Value| {
            json!({"path": path, "method": "GET", "public": true, "schema": schema, "operation": {"type": kind, "resource": "ticket", "query": query}})
        };
        let closed = json!({"type": "object", "additionalProperties": false, "properties": {"priority": {"type": "string"}}});
        for body in [
            open("board", "list", json!({"fields": "subject,priority", "status": "open"}), Value::Null),
            open("board/{id}", "get", json!({"fields": "subject"}), Value::Null),
            open("closed", "list", json!({}), closed),
        ] {
            tenant.host.post("/api/v1/rest-endpoints", &body).await.assert_status(201);
        }
        for (bad, pointer) in [
            (open("x", "list", json!({"fields": "subject", "sort": "-priority"}), Value::Null), "/operation/query/sort"),
            (open("x/{id}", "get", json!({"status": "open"}), Value::Null), "/operation/query"),
        ] {
            let refused = tenant.host.post("/api/v1/rest-endpoints", &bad).await.expect(422).json();
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let at = "/public/acme/board";
        for hidden in [
            "assigneeId=top-secret", "assigneeId%5Bgte%5D=a", "filter=%7B%22assigneeId%22%3A%7B%22gte%22%3A%22a%22%7D%7D",
            "filter=%7B%22not%22%3A%7B%22or%22%3A%5B%7B%22channel%22%3A%22x%22%7D%5D%7D%7D", "search=secret", "sort=dueAt",
        ] {
            anyone.get(&format!("{at}?{hidden}")).await.assert_problem(422, "validation_failed");
        }
        let seen = anyone.get(&format!("{at}?priority=high&sort=-priority&limit=5&assigneeId=")).await;
        assert_eq!(seen.status, 422, "an empty value is one too");
        let first = anyone.get(&format!("{at}?priority=high&sort=-priority&limit=1")).await.expect(200).json();
        assert_eq!((&first["data"][0]["subject"], &first["data"][0]["assigneeId"]), (&json!("Here"), &Value::Null), "{first}");
        assert_eq!(anyone.get(&format!("{at}/{id}")).await.expect(200).json(), json!({"id": id, "subject": "Here"}));
        anyone.get("/public/acme/closed?priority=high&limit=5").await.assert_status(200);
        for refused in ["search=secret", "sort=priority", "total=true", "filter=%7B%22status%22%3A%22open%22%7D", "status=open"] {
            anyone.get(&format!("/public/acme/closed?{refused}")).await.assert_problem(422, "validation_failed");
        }
        // A credential is bound by its scopes, and asks what it may.
        tenant.key().await.http.get("/api/v1/x/board?assigneeId=top-secret").await.assert_status(200);
    }
}
