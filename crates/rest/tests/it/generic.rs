//! `/records/{type}`, in the native style under every blueprint.

use kernel::Permission;
use serde_json::{Value, json};

use crate::bed::{App, Bed};

fn agent(email: &str) -> Value {
    json!({"firstName": "Ada", "lastName": "Byron", "email": email})
}

testkit::engines! {
    /// PUT replaces, PATCH merges; a create says where its record is.
    async fn a_records_life(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let mut full = agent("a@example.com");
        full["agency"] = json!("North");
        let made = app.post("/api/v1/records/agent", full).await.expect(201);
        let one = made.header("location").to_owned();
        assert_eq!(one, format!("/api/v1/records/agent/{}", made.json()["id"].as_str().unwrap()));
        let patched = app.patch(&one, json!({"status": "AWAY"})).await.expect(200).json();
        assert_eq!((&patched["status"], &patched["agency"]), (&json!("AWAY"), &json!("North")));
        let replaced = app.put(&one, agent("b@example.com")).await.expect(200).json();
        assert_eq!((&replaced["status"], &replaced["agency"], &replaced["email"]), (&json!("ACTIVE"), &Value::Null, &json!("b@example.com")));
        assert_eq!(app.get(&one).await.expect(200).json(), replaced);
        let list = app.get("/api/v1/records/agent?email=b@example.com&page=1").await.expect(200).json();
        assert_eq!(list, json!({"data": [replaced], "pagination": {"limit": 20, "nextCursor": null, "page": 1, "total": 1}}));
        assert_eq!(app.get("/api/v1/records/agent").await.json()["pagination"], json!({"limit": 20, "nextCursor": null}));
        app.delete(&one).await.expect(204);
        for gone in [app.get(&one).await, app.delete(&one).await, app.patch(&one, json!({})).await, app.put(&one, agent("c@example.com")).await] {
            assert_eq!(gone.expect(404).json()["code"], "not_found");
        }
    }

    /// A PUT on an external id creates once, then replaces; the id serves in place of ours.
    async fn external_ids(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let put = app.put("/api/v1/records/agent/ext:crm-1", agent("a@example.com")).await.expect(201);
        assert_eq!(put.json()["externalId"], "crm-1");
        let again = app.put("/api/v1/records/agent/ext:crm-1", agent("b@example.com")).await.expect(200).json();
        assert_eq!((&again["id"], &again["email"]), (&put.json()["id"], &json!("b@example.com")));
        assert_eq!(app.get("/api/v1/records/agent/ext:crm-1").await.expect(200).json(), again);
        app.patch("/api/v1/records/agent/ext:crm-1", json!({"agency": "North"})).await.expect(200);
        bed.stranger(&bed.insurance).get("/api/v1/records/agent/ext:crm-1").await.expect(404);
        app.put("/api/v1/records/agent/ext:", agent("c@example.com")).await.expect(422);
        app.delete("/api/v1/records/agent/ext:crm-1").await.expect(204);
        app.get("/api/v1/records/agent/ext:crm-1").await.expect(404);
    }

    /// Without the permission nothing is read or written; a type that is not declared is not there.
    async fn needs_permission(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let one = app.post("/api/v1/records/agent", agent("a@example.com")).await.expect(201).header("location").to_owned();
        let reader = App::new(&bed.insurance, Some(bed.key(bed.tenant, &["agents:write"], &[Permission::RecordsRead])));
        reader.get(&one).await.expect(200);
        for refused in [
            reader.post("/api/v1/records/agent", agent("b@example.com")).await,
            reader.put(&one, agent("b@example.com")).await,
            reader.put("/api/v1/records/agent/ext:x", agent("b@example.com")).await,
            reader.patch(&one, json!({})).await,
            reader.delete(&one).await,
            bed.scoped(&bed.insurance, &["agents:read"]).get("/api/v1/records/agent").await,
        ] {
            assert_eq!(refused.expect(403).json()["code"], "insufficient_scope");
        }
        for path in ["/api/v1/records/lorry", "/api/v1/records/agents", "/api/v1/records/lorry/rec_x", "/api/v1/records/agent/rec_x"] {
            app.get(path).await.expect(404);
        }
        assert_eq!(app.get("/api/v1/records/agent?sort=agency").await.expect(422).json()["errors"][0]["pointer"], "/sort");
    }

    /// What could not be kept as it was sent is refused, and nothing is stored.
    async fn a_body_is_read_in_one_way_only(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        for (body, status, code, pointer) in [
            (r#"{"firstName":"A","firstName":"B"}"#, 400, "duplicate_member", "/firstName"),
            (r#"{"firstName":"A","details":{"n":[123456789012345678901]}}"#, 422, "inexact_number", "/details/n/0"),
        ] {
            for (method, path) in [(http::Method::POST, "/api/v1/records/lead"), (http::Method::POST, "/api/v1/leads"), (http::Method::PUT, "/api/v1/records/lead/ext:x")] {
                let answer = app.send(method, path, Some(body.to_owned())).await.expect(status).json();
                assert_eq!((&answer["code"], &answer["errors"][0]["pointer"]), (&json!(code), &json!(pointer)), "{path}");
            }
        }
        assert_eq!(app.get("/api/v1/records/lead").await.json()["data"], json!([]));
    }
}
