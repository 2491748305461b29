//! insurance-leads: plain objects, camelCase, problems.

use http::Method;
use serde_json::{Value, json};

use crate::bed::{Bed, NOON};

fn ada() -> Value {
    json!({"source": "website", "email": "ada@example.com", "firstName": "Ada", "lastName": "Byron", "insuranceType": "AUTO"})
}

testkit::engines! {
    /// Create, get, change, delete, as the page describes them.
    async fn a_leads_life(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let made = app.post("/api/v1/leads", ada()).await.expect(201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("rec_"));
        assert_eq!(made.header("location"), format!("/api/v1/leads/{id}"));
        let expected = json!({
            "id": id, "source": "website", "email": "ada@example.com", "firstName": "Ada", "lastName": "Byron", "insuranceType": "AUTO",
            "status": "NEW", "phone": null, "dateOfBirth": null, "street": null, "city": null, "state": null, "zipCode": null,
            "country": null, "score": null, "priority": null, "campaign": null, "assignedAgentId": null, "notes": null, "metadata": null,
            "createdAt": NOON, "updatedAt": NOON,
        });
        assert_eq!(made.json(), expected);
        assert!(made.text.starts_with(&format!("{{\"id\":\"{id}\",\"source\"")), "the id comes first: {}", made.text);
        let one = format!("/api/v1/leads/{id}");
        assert_eq!(app.get(&one).await.expect(200).json(), expected);
        let list = app.get("/api/v1/leads").await.expect(200).json();
        assert_eq!(list, json!({"data": [expected], "pagination": {"limit": 20, "nextCursor": null, "page": 1, "total": 1}}));
        bed.clock.advance(std::time::Duration::from_secs(1));
        let put = app.put(&one, json!({"status": "QUALIFIED", "score": 87.5})).await.expect(200).json();
        assert_eq!((&put["status"], &put["score"], &put["email"]), (&json!("QUALIFIED"), &json!(87.5), &json!("ada@example.com")));
        assert_eq!((&put["createdAt"], &put["updatedAt"]), (&json!(NOON), &json!("2026-01-31T12:00:01.000Z")));
        let patched = app.patch(&one, json!({"score": null})).await.expect(200).json();
        assert_eq!((&patched["status"], &patched["score"]), (&json!("QUALIFIED"), &Value::Null));
        let gone = app.delete(&one).await.expect(204);
        assert_eq!(gone.text, "");
        let missing = app.get(&one).await.expect(404);
        assert_eq!((missing.header("content-type"), &missing.json()["code"]), ("application/problem+json", &json!("not_found")));
    }

    /// Each fault is the documented problem.
    async fn faults(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let mut wrong = ada();
        wrong["email"] = json!("nobody");
        wrong["colour"] = json!("red");
        let refused = app.post("/api/v1/leads", wrong).await.expect(422).json();
        assert_eq!((&refused["code"], &refused["status"]), (&json!("validation_failed"), &json!(422)));
        let mut pointers: Vec<&str> = refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/colour", "/email"]);
        for (body, status) in [("{", 400), ("[]", 422), ("\"x\"", 422), ("{\"email\":\"\\u0000\"}", 422), ("", 400)] {
            app.send(Method::POST, "/api/v1/leads", Some(body.to_owned())).await.expect(status);
        }
        for path in ["/api/v1/leads/rec_x", "/api/v1/leads/7", "/api/v1/leads/ext:none", "/api/v1/leads/%00", "/api/v1/leads/%FF"] {
            app.get(path).await.expect(404);
        }
        for query in ["limit=0", "limit=101", "limit=x", "page=0", "page=1&page=2", "status=a&status=b", "sort=notes", "search=%00"] {
            let refused = app.get(&format!("/api/v1/leads?{query}")).await.expect(422).json();
            assert_eq!(refused["code"], "validation_failed", "{query}");
        }
        app.get("/api/v1/leads?cursor=x").await.expect(400);
        let big = json!({"source": "x", "email": "a@example.com", "firstName": "A", "lastName": "B", "insuranceType": "AUTO", "metadata": {"a": "x".repeat(300_000)}});
        assert_eq!(app.post("/api/v1/leads", big).await.expect(413).json()["code"], "record_too_large");
        assert_eq!(app.get("/api/v1/leads").await.json()["pagination"]["total"], 0);
    }

    /// Declared filters and the search narrow the list; other parameters are ignored.
    async fn lists(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        for (email, status) in [("a@example.com", "NEW"), ("b@example.com", "HOT"), ("c@example.com", "HOT")] {
            let mut lead = ada();
            (lead["email"], lead["status"], lead["notes"]) = (json!(email), json!(status), json!("x"));
            app.post("/api/v1/leads", lead).await.expect(201);
        }
        let emails = async |query: &str| {
            let list = app.get(&format!("/api/v1/leads?{query}")).await.expect(200).json();
            let emails: Vec<String> = list["data"].as_array().unwrap().iter().map(|lead| lead["email"].as_str().unwrap().to_owned()).collect();
            (emails.join(" "), list["pagination"].clone())
        };
        assert_eq!(emails("status=HOT").await.0, "c@example.com b@example.com");
        assert_eq!(emails("status=HOT&search=B@EX").await.0, "b@example.com");
        assert_eq!(emails("colour=red&notes=nothing").await.0, "c@example.com b@example.com a@example.com");
        assert_eq!(emails("sort=createdAt").await.0, "a@example.com b@example.com c@example.com");
        let (second, pagination) = emails("limit=2&page=2").await;
        assert_eq!((second.as_str(), pagination), ("a@example.com", json!({"limit": 2, "nextCursor": null, "page": 2, "total": 3})));
        let (_, pagination) = emails("limit=2").await;
        let (rest, pagination) = emails(&format!("limit=2&cursor={}", pagination["nextCursor"].as_str().unwrap())).await;
        assert_eq!((rest.as_str(), pagination), ("a@example.com", json!({"limit": 2, "nextCursor": null, "total": 3})));
    }

    /// Every declared route refuses a key without its scope, and does not show one tenant's records to another.
    async fn scopes_and_tenants(bed: Bed) {
        let app = bed.holder(&bed.insurance);
        let id = app.post("/api/v1/leads", ada()).await.expect(201).json()["id"].as_str().unwrap().to_owned();
        let (none, stranger) = (bed.scoped(&bed.insurance, &[]), bed.stranger(&bed.insurance));
        let mut seen = 0;
        for endpoint in &bed.insurance.blueprint.endpoints {
            let path = format!("/api/v1{}", endpoint.path.replace("{id}", &id));
            let body = matches!(endpoint.method.as_str(), "POST" | "PUT" | "PATCH").then(|| "{}".to_owned());
            let method: Method = endpoint.method.parse().unwrap();
            let refused = none.send(method.clone(), &path, body.clone()).await.expect(403).json();
            assert_eq!(refused["code"], "insufficient_scope");
            assert!(refused["detail"].as_str().unwrap().ends_with(&endpoint.scope), "{refused}");
            if endpoint.path.contains("{id}") {
                assert_eq!(stranger.send(method, &path, body).await.expect(404).json()["code"], "not_found");
                seen += 1;
            }
        }
        assert_eq!(seen, 28);
        assert_eq!(stranger.get("/api/v1/leads").await.expect(200).json()["data"], json!([]));
        app.get(&format!("/api/v1/leads/{id}")).await.expect(200);
    }
}
