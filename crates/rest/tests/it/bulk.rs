//! Conditions, batch, export and import over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blueprint::model::Operation;
use futures_util::StreamExt as _;
use http::{Method, header};
use http_body_util::BodyExt as _;
use kernel::{Error, Permission};
use serde_json::{Value, json};

use crate::bed::{App, Bed, Product};

const AGENTS: &str = "/api/v1/records/agent";

fn agent(email: &str) -> Value {
    json!({"firstName": "Ada", "lastName": "Byron", "email": email})
}

testkit::engines! {
    /// An ETag is a version: a change that names another is refused, and what the caller has is not sent again.
    async fn conditions_hold(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let made = app.post(AGENTS, agent("a@example.com")).await.expect(201);
        let (one, first) = (made.header("location").to_owned(), made.header("etag").to_owned());
        let got = app.get(&one).await.expect(200);
        assert_eq!(got.header("etag"), first);
        let known = app.with(Method::GET, &one, &[("if-none-match", &format!("\"x\", W/{first}"))], None).await.expect(304);
        assert_eq!((known.header("etag"), known.text.as_str()), (first.as_str(), ""));
        let patch = Some(json!({"agency": "North"}).to_string());
        let second = app.with(Method::PATCH, &one, &[("if-match", &first)], patch.clone()).await.expect(200).header("etag").to_owned();
        assert_ne!(first, second);
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let body = Some(agent("b@example.com").to_string()).filter(|_| method != Method::DELETE);
            let answer = app.with(method, &one, &[("if-match", &first)], body).await.expect(412);
            assert_eq!(answer.json()["code"], "precondition_failed");
        }
        app.with(Method::GET, &one, &[("if-none-match", &first)], None).await.expect(200);
        let bad = app.with(Method::PATCH, &one, &[("if-match", "7")], patch.clone()).await.expect(400);
        assert_eq!(bad.json()["code"], "malformed_condition");
        app.with(Method::PATCH, &one, &[("if-none-match", &first)], patch.clone()).await.expect(400);
        let named = format!("{AGENTS}/ext:crm-1");
        let body = || Some(agent("c@example.com").to_string());
        app.with(Method::PUT, &named, &[("if-match", "*")], body()).await.expect(412);
        app.with(Method::PUT, &named, &[("if-none-match", "*")], body()).await.expect(201);
        app.with(Method::PUT, &named, &[("if-none-match", "*")], body()).await.expect(412);
        app.with(Method::PATCH, &format!("{AGENTS}/ext:no"), &[("if-match", &first)], patch).await.expect(404);
        app.with(Method::DELETE, &one, &[("if-match", &format!("\"x\",{second}"))], None).await.expect(204);
    }

    /// Filters with operators, members to show, totals; what is not understood is refused with its place.
    async fn questions(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        for (email, status) in [("a@example.com", "ACTIVE"), ("b@example.com", "AWAY"), ("c@example.com", "AWAY")] {
            let mut body = agent(email);
            body["status"] = json!(status);
            app.post(AGENTS, body).await.expect(201);
        }
        let emails = async |query: &str| {
            let list = app.get(&format!("{AGENTS}?{query}")).await.expect(200).json();
            list["data"].as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(emails("status=AWAY").await, ["c@example.com", "b@example.com"]);
        assert_eq!(emails("status[ne]=AWAY").await, ["a@example.com"]);
        assert_eq!(emails("status%5Bin%5D=AWAY,ACTIVE&sort=createdAt").await.len(), 3);
        assert_eq!(emails("filter=%7B%22or%22%3A%5B%7B%22status%22%3A%22ACTIVE%22%7D%2C%7B%22email%22%3A%22c%40example.com%22%7D%5D%7D").await, ["c@example.com", "a@example.com"]);
        assert_eq!(emails("createdAt[lte]=2026-01-31T12:00:00Z").await.len(), 3);
        assert_eq!(emails("createdAt[gt]=2026-01-31T12:00:00Z").await.len(), 0);
        let sparse = app.get(&format!("{AGENTS}?fields=email,status&limit=1&total=true")).await.expect(200).json();
        let row = sparse["data"][0].as_object().unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), ["id", "email", "status"]);
        assert_eq!((&sparse["pagination"]["total"], &sparse["pagination"]["page"]), (&json!(3), &Value::Null));
        let cursor = sparse["pagination"]["nextCursor"].as_str().unwrap();
        assert_eq!(app.get(&format!("{AGENTS}?status=AWAY&cursor={cursor}")).await.expect(400).json()["code"], "invalid_cursor");
        for (query, pointer) in [
            ("nonsense=1", "/nonsense"),
            ("firstName=Ada", "/firstName"),
            ("status[like]=x", "/status[like]"),
            ("firstName[gte]=x", "/firstName[gte]"),
            ("fields=email,nope", "/fields"),
            ("fields=", "/fields"),
            ("filter=%7B", "/filter"),
            ("filter=%7B%22firstName%22%3A%22x%22%7D", "/firstName"),
            ("total=perhaps", "/total"),
            ("status=a&status=b", "/status"),
            ("status=a%00", "/status"),
            ("page=1&limit=1000", "/limit"),
            ("sort=agency", "/sort"),
        ] {
            let answer = app.get(&format!("{AGENTS}?{query}")).await.expect(422).json();
            assert_eq!(answer["errors"][0]["pointer"], pointer, "{query}");
        }
        let deep = format!("{}{}{}", "%7B%22not%22%3A".repeat(50), "%7B%7D", "%7D".repeat(50));
        app.get(&format!("{AGENTS}?filter={deep}")).await.expect(422);
        for id in ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "ext:..%2Fx", &"x".repeat(5000), "-1", "%ff"] {
            let answer = app.get(&format!("{AGENTS}/{id}")).await;
            assert!(matches!(answer.status, 404 | 422), "{id}: {} {}", answer.status, answer.text);
        }
    }

    /// Each item of a batch is as if it had come alone.
    async fn batches(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let made = app.post(AGENTS, agent("old@example.com")).await.expect(201);
        let id = made.json()["id"].clone();
        let body = json!({"operations": [
            {"data": agent("a@example.com"), "externalId": "crm-1"},
            {"op": "create", "data": {"email": 7}},
            {"op": "update", "id": id, "data": {"agency": "North"}, "ifMatch": made.header("etag")},
            {"op": "update", "id": id, "data": {"agency": "South"}, "ifMatch": made.header("etag")},
            {"op": "upsert", "externalId": "crm-1", "data": agent("b@example.com")},
            {"op": "replace", "id": "ext:crm-1", "data": agent("c@example.com")},
            {"op": "delete", "id": "ext:crm-1"},
            {"op": "delete", "id": "rec_00000000000000000000000000"},
            {"op": "delete", "id": "../x"},
            {"op": "explode"},
            {"op": "update", "data": {}},
            {"wrong": 1},
            7,
        ]});
        let answer = app.post(&format!("{AGENTS}/batch"), body).await.expect(200).json();
        let statuses: Vec<u64> = answer["data"].as_array().unwrap().iter().map(|item| item["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [201, 422, 200, 412, 200, 200, 204, 404, 404, 422, 422, 422, 422]);
        assert_eq!(answer["summary"], json!({"succeeded": 5, "failed": 8}));
        assert_eq!((&answer["data"][0]["record"]["externalId"], &answer["data"][3]["error"]["code"]), (&json!("crm-1"), &json!("precondition_failed")));
        assert_eq!(answer["data"][9]["error"]["errors"][0]["pointer"], "/op");
        let list = app.get(AGENTS).await.json();
        assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["agency"]), (1, &json!("North")));
        for (body, code) in [
            (json!({}), "validation_failed"),
            (json!({"operations": {}}), "validation_failed"),
            (json!({"operations": [], "more": 1}), "validation_failed"),
            (json!({"operations": vec![json!({"op": "delete", "id": "1"}); 1001]}), "batch_too_large"),
        ] {
            assert_eq!(app.post(&format!("{AGENTS}/batch"), body).await.expect(422).json()["code"], code);
        }
        let reader = App::new(&bed.insurance, Some(bed.key(bed.tenant, &["agents:write"], &[Permission::RecordsRead])));
        reader.post(&format!("{AGENTS}/batch"), json!({"operations": []})).await.expect(403);
        let theirs = bed.stranger(&bed.insurance).post(&format!("{AGENTS}/batch"), json!({"operations": [{"op": "delete", "id": id}]})).await;
        assert_eq!(theirs.expect(200).json()["data"][0]["status"], 404);
        app.get(&format!("{AGENTS}/{}", id.as_str().unwrap())).await.expect(200);
    }

    /// What is exported can be imported, by another tenant too; formulas are texts on the way and themselves in the end.
    async fn exports_come_back(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let leads = "/api/v1/records/lead";
        for (i, name) in ["=1+1", "+x", "-x", "@x", "\t=x", "'=x", "a,\"b\"\r\nc", " é ", "plain"].iter().enumerate() {
            let body = json!({"source": "web", "email": format!("{i}@example.com"), "firstName": name, "lastName": "Byron", "insuranceType": "AUTO",
                "score": i, "metadata": {"a": [1, "=2"]}});
            app.put(&format!("{leads}/ext:crm-{i}"), body).await.expect(201);
        }
        let csv = app.get(&format!("{leads}/export?format=csv")).await.expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(csv.header("content-disposition"), "attachment; filename=\"leads.csv\"");
        let cells: Vec<&str> = csv.text.split([',', '\n']).collect();
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '@', '\t']) && (!cell.starts_with('-') || cell.parse::<f64>().is_ok())), "{}", csv.text);
        let lines = app.get(&format!("{leads}/export?format=ndjson&fields=firstName,email&sort=createdAt")).await.expect(200);
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let rows: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((rows.len(), &rows[0]["firstName"], rows[0].as_object().unwrap().len()), (9, &json!("=1+1"), 3));
        let other = bed.stranger(&bed.insurance);
        let import = async |app: &App, kind: &str, body: &str| {
            app.with(Method::POST, &format!("{leads}/import"), &[(header::CONTENT_TYPE.as_str(), kind)], Some(body.to_owned())).await
        };
        let done = import(&other, "text/csv", &csv.text).await.expect(200).json();
        assert_eq!(done["summary"], json!({"lines": 9, "created": 9, "updated": 0, "failed": 0}), "{done}");
        let whole = async |app: &App| {
            let text = app.get(&format!("{leads}/export?sort=createdAt")).await.expect(200).text;
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).map(|mut row| { row.as_object_mut().unwrap().shift_remove("id"); row }).collect::<Vec<_>>()
        };
        assert_eq!(whole(&other).await, whole(&app).await);
        let again = import(&app, "application/x-ndjson", &app.get(&format!("{leads}/export")).await.text).await.expect(200).json();
        assert_eq!(again["summary"], json!({"lines": 9, "created": 0, "updated": 9, "failed": 0}));
        assert_eq!(app.get(&format!("{leads}?total=true")).await.json()["pagination"]["total"], 9);
        let none = bed.holder(&bed.insurance).get("/api/v1/records/quote/export?format=csv").await.expect(200);
        assert_eq!(none.text.lines().count(), 1);
        for query in ["format=xml", "limit=5", "page=1", "nope=1", "format=csv&format=csv"] {
            app.get(&format!("{leads}/export?{query}")).await.expect(422);
        }
    }

    /// Each line of an import has a fate of its own; a body that is none is refused.
    async fn imports_tell_of_each_line(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let import = async |kind: &str, body: String| {
            app.with(Method::POST, &format!("{AGENTS}/import"), &[(header::CONTENT_TYPE.as_str(), kind)], Some(body)).await
        };
        let lines = [
            agent("a@example.com").to_string(),
            String::new(),
            "{".to_owned(),
            "[1]".to_owned(),
            json!({"email": "x"}).to_string(),
            r#"{"firstName":"A","firstName":"B"}"#.to_owned(),
            json!({"id": "rec_00000000000000000000000000", "firstName": "A", "lastName": "B", "email": "b@example.com"}).to_string(),
        ];
        let done = import("application/x-ndjson; charset=utf-8", lines.join("\n")).await.expect(200).json();
        let told: Vec<(u64, u64)> = done["data"].as_array().unwrap().iter().map(|one| (one["line"].as_u64().unwrap(), one["status"].as_u64().unwrap())).collect();
        assert_eq!(told, [(1, 201), (3, 400), (4, 422), (5, 422), (6, 400), (7, 201)]);
        assert_eq!(done["summary"], json!({"lines": 6, "created": 2, "updated": 0, "failed": 4}));
        let done = import("text/csv", "firstName,lastName,email\r\nA,\"B\nC\",c@example.com\r\nA,B\r\nA,\"B\r\n".to_owned()).await.expect(200).json();
        assert_eq!(done["summary"], json!({"lines": 3, "created": 1, "updated": 0, "failed": 2}), "{done}");
        assert_eq!(app.get(&format!("{AGENTS}?sort=-createdAt&limit=1")).await.json()["data"][0]["lastName"], "B\nC");
        for (kind, body, status, code) in [
            ("application/json", "{}", 415, "unsupported_media_type"),
            ("text/csv", "", 422, "import_columns"),
            ("text/csv", "nope\n1", 422, "import_columns"),
            ("text/csv", "email,email\n1,2", 422, "import_columns"),
        ] {
            assert_eq!(import(kind, body.to_owned()).await.expect(status).json()["code"], code);
        }
        assert_eq!(import("application/x-ndjson", String::new()).await.expect(200).json()["summary"]["lines"], 0);
        let many: String = (0..1050).map(|i| format!("{}\n", agent(&format!("m{i}@example.com")))).collect();
        let done = import("application/x-ndjson", many).await.expect(200).json();
        assert_eq!((done["data"].as_array().unwrap().len(), &done["summary"]["created"]), (1050, &json!(1050)));
    }

    /// Declared endpoints do the same under their own scopes: an item that deletes needs the scope of the endpoint that deletes.
    async fn declared_endpoints_take_many_too(bed: Bed) {
        let mut product = Product { blueprint: bed.insurance.blueprint.clone(), records: bed.insurance.records.clone() };
        let list = product.blueprint.endpoints.iter().find(|one| one.operation == Operation::List && one.resource == "lead").unwrap().clone();
        for (operation, method, path, scope) in [
            (Operation::Batch, "POST", "/leads/batch", "leads:write"),
            (Operation::Export, "GET", "/leads/export", "leads:read"),
            (Operation::Import, "POST", "/leads/import", "leads:write"),
        ] {
            let (method, path, scope) = (method.to_owned(), path.to_owned(), scope.to_owned());
            product.blueprint.endpoints.push(blueprint::model::Endpoint { operation, method, path, scope, ..list.clone() });
        }
        let writer = bed.scoped(&product, &["leads:read", "leads:write"]);
        let lead = |email: &str| json!({"source": "web", "email": email, "firstName": "=A", "lastName": "B", "insuranceType": "AUTO"});
        let items = json!({"operations": [
            {"data": lead("a@example.com"), "externalId": "crm-1"},
            {"op": "delete", "id": "ext:crm-1"},
            {"op": "update", "id": "ext:crm-1", "data": {"status": "HOT"}},
        ]});
        let answer = writer.post("/api/v1/leads/batch", items.clone()).await.expect(200).json();
        let statuses: Vec<u64> = answer["data"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
        assert_eq!((statuses, &answer["data"][1]["error"]["code"]), (vec![201, 403, 200], &json!("insufficient_scope")));
        let csv = writer.get("/api/v1/leads/export?format=csv&fields=firstName,status").await.expect(200).text;
        assert!(csv.starts_with("id,firstName,status\r\nrec_") && csv.ends_with(",'=A,HOT\r\n"), "{csv}");
        let body = "email,source,firstName,lastName,insuranceType\r\nb@example.com,web,A,B,AUTO\r\n".to_owned();
        let told = writer.with(Method::POST, "/api/v1/leads/import", &[("content-type", "text/csv")], Some(body)).await.expect(200).json();
        assert_eq!(told["summary"]["created"], 1);
        let one = "/api/v1/leads/ext:crm-1";
        let tag = writer.get(one).await.expect(200).header("etag").to_owned();
        writer.with(Method::GET, one, &[("if-none-match", &tag)], None).await.expect(304);
        let patch = || Some(json!({"status": "COLD"}).to_string());
        writer.with(Method::PATCH, one, &[("if-match", &tag)], patch()).await.expect(200);
        writer.with(Method::PATCH, one, &[("if-match", &tag)], patch()).await.expect(412);
        let all = bed.holder(&product);
        all.with(Method::DELETE, one, &[("if-match", &tag)], None).await.expect(412);
        assert_eq!(all.post("/api/v1/leads/batch", json!({"operations": [{"op": "delete", "id": "ext:crm-1"}]})).await.json()["data"][0]["status"], 204);
        let reader = bed.scoped(&product, &["leads:read"]);
        reader.post("/api/v1/leads/batch", items).await.expect(403);
        reader.with(Method::POST, "/api/v1/leads/import", &[("content-type", "text/csv")], Some("email".into())).await.expect(403);
        bed.scoped(&product, &["leads:write"]).get("/api/v1/leads/export").await.expect(403);
        assert_eq!(bed.stranger(&product).get("/api/v1/leads/export").await.expect(200).text, "");
    }

    /// An export is read as it is sent: a reader that leaves after the first part ends it, and the log is told how far it came.
    async fn a_reader_that_leaves_ends_the_export(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let lines: String = (0..350).map(|i| format!("{}\n", agent(&format!("m{i}@example.com")))).collect();
        let told = app.with(Method::POST, &format!("{AGENTS}/import"), &[("content-type", "application/x-ndjson")], Some(lines)).await.expect(200);
        assert_eq!(told.json()["summary"]["created"], 350);
        let whole = app.get(&format!("{AGENTS}/export")).await.expect(200).text;
        assert_eq!(whole.lines().count(), 350);
        let response = app.open(&format!("{AGENTS}/export")).await;
        let tally = response.extensions().get::<std::sync::Arc<web::Tally>>().unwrap().clone();
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.iter().filter(|byte| **byte == b'\n').count(), 100);
        let ended = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let seen = ended.clone();
        tally.on_end(move |tally| seen.store(tally.response(), std::sync::atomic::Ordering::SeqCst));
        assert_eq!(ended.load(std::sync::atomic::Ordering::SeqCst), 0);
        drop(body);
        let sent = ended.load(std::sync::atomic::Ordering::SeqCst);
        assert!(sent >= first.len() as u64 && sent < whole.len() as u64, "{sent}");
    }

    /// An import goes no further than its tenant: once it is gone nothing is stored for it, and whoever still sends is told.
    async fn an_import_ends_with_its_tenant(bed: Bed) {
        let is_gone = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_gone);
        bed.insurance.records.set_tenant_holds(Arc::new(move |_, _| match asked.load(Ordering::SeqCst) {
            true => Err(Error::not_found("tenant")),
            false => Ok(()),
        }));
        let app = bed.holder(&bed.insurance);
        // The tenant goes when 150 lines have been sent, the first hundred of which have been stored.
        let lines = futures_util::stream::iter(0..1000).map(move |i| {
            if i == 150 {
                is_gone.store(true, Ordering::SeqCst);
            }
            Ok::<_, std::convert::Infallible>(format!("{}\n", agent(&format!("m{i}@example.com"))))
        });
        let answer = app.stream(&format!("{AGENTS}/import"), "application/x-ndjson", axum::body::Body::from_stream(lines)).await;
        let told = answer.expect(200).json();
        assert_eq!((&told["summary"]["created"], &told["summary"]["stopped"]["code"]), (&json!(100), &json!("not_found")), "{}", told["summary"]);
        assert_eq!(told["data"].as_array().unwrap().len(), 100);
        assert_eq!(app.get(&format!("{AGENTS}?total=true&limit=1")).await.json()["pagination"]["total"], 100);
    }

    /// A partner's own export can be imported by the partner: members that are the operator's to set are in it, and are left out.
    async fn a_partners_own_export_can_be_imported(bed: Bed) {
        let helpdesk = bed.product("helpdesk-reports");
        let (app, host, reports) = (bed.holder(&helpdesk), bed.host(&helpdesk), "/api/v1/records/report");
        let run = "2026-01-31T09:30:00.000Z";
        host.post(reports, json!({"name": "Open tickets", "lastExecutedAt": run})).await.expect(201);
        for (kind, query) in [("application/x-ndjson", ""), ("text/csv", "?format=csv")] {
            let exported = app.get(&format!("{reports}/export{query}")).await.expect(200).text;
            assert!(exported.contains(run), "{exported}");
            let headers = [(header::CONTENT_TYPE.as_str(), kind)];
            let done = app.with(Method::POST, &format!("{reports}/import"), &headers, Some(exported)).await.expect(200).json();
            assert_eq!((&done["summary"]["failed"], &done["summary"]["updated"]), (&json!(0), &json!(1)), "{done}");
        }
        let kept = host.get(reports).await.expect(200).json();
        assert_eq!(kept["data"][0]["lastExecutedAt"], run, "{kept}");
        app.post(reports, json!({"name": "No", "lastExecutedAt": run})).await.expect(422);
    }
}
