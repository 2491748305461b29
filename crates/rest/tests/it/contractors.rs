//! contractor-network: `{"success": …}` around everything, snake_case, integer ids, its own texts.

use serde_json::{Value, json};

use crate::bed::{App, Bed, NOON};

async fn lead(app: &App, members: Value) -> i64 {
    app.post("/api/v1/records/lead", members).await.expect(201).json()["id"].as_i64().unwrap()
}

fn error(text: &str) -> Value {
    json!({"success": false, "error": text})
}

testkit::engines! {
    /// A list and a change answer exactly as the page says.
    async fn reads_and_updates(bed: Bed) {
        let app = bed.holder(&bed.contractors);
        let id = lead(&app, json!({"contractor_id": 92, "match_score": 87.5, "first_name": "Grace", "company_name": "Hopper Roofing"})).await;
        let mut expected = json!({
            "id": id, "contractor_id": 92, "match_score": 87.5, "status": "active", "engagement_stage": null, "last_contact_date": null,
            "next_follow_up_date": null, "first_name": "Grace", "last_name": null, "email": null, "phone": null,
            "company_name": "Hopper Roofing", "revenue_tier": null, "notes": null, "created_at": NOON, "updated_at": NOON,
        });
        let list = app.get("/api/partner-api/leads").await.expect(200);
        assert_eq!(list.json(), json!({"success": true, "data": [expected], "pagination": {"page": 1, "limit": 50, "total": 1}}));
        assert_eq!(list.header("content-type"), "application/json");
        bed.clock.advance(std::time::Duration::from_secs(1));
        let later = "2026-01-31T12:00:01.000Z";
        let change = json!({"status": "converted", "engagement_stage": "won", "next_follow_up_date": "2026-02-01", "notes": "Call"});
        for (name, value) in change.as_object().unwrap() {
            expected[name] = value.clone();
        }
        (expected["last_contact_date"], expected["updated_at"]) = (json!(later), json!(later));
        let put = app.put(&format!("/api/partner-api/lead/{id}"), change).await.expect(200);
        assert_eq!(put.json(), json!({"success": true, "data": expected}));
        let cleared = app.put(&format!("/api/partner-api/lead/{id}"), json!({"next_follow_up_date": null})).await.expect(200).json();
        assert_eq!((&cleared["data"]["next_follow_up_date"], &cleared["data"]["notes"]), (&Value::Null, &json!("Call")));
    }

    /// Newest first; the total counts all matches; the search looks in three members, whatever the case.
    async fn lists(bed: Bed) {
        let app = bed.holder(&bed.contractors);
        for (first, last, company, status) in
            [("Ann", "Lee", "Roofs", "active"), ("Bob", "Ann", "Doors", "lost"), ("Cid", "Poe", "ANNEX", "active"), ("Dan", "Doe", "Tiles", "active")]
        {
            lead(&app, json!({"first_name": first, "last_name": last, "company_name": company, "status": status, "email": "ann@example.com"})).await;
        }
        let names = async |query: &str| {
            let list = app.get(&format!("/api/partner-api/leads?{query}")).await.expect(200).json();
            let names: Vec<String> = list["data"].as_array().unwrap().iter().map(|lead| lead["first_name"].as_str().unwrap().to_owned()).collect();
            (names.join(" "), list["pagination"].clone())
        };
        assert_eq!(names("").await, ("Dan Cid Bob Ann".into(), json!({"page": 1, "limit": 50, "total": 4})));
        assert_eq!(names("search=aNN").await.0, "Cid Bob Ann");
        assert_eq!(names("search=ann&status=active&limit=1&page=2").await, ("Ann".into(), json!({"page": 2, "limit": 1, "total": 2})));
        // A cursor is no parameter of this product.
        assert_eq!(names("cursor=x").await.0, "Dan Cid Bob Ann");
    }

    /// Every error has the product's form and its texts.
    async fn errors(bed: Bed) {
        let app = bed.holder(&bed.contractors);
        let id = lead(&app, json!({"first_name": "Grace"})).await;
        let one = format!("/api/partner-api/lead/{id}");
        let hidden = error("Lead not found or access denied");
        for path in ["/api/partner-api/lead/999", "/api/partner-api/lead/x", "/api/partner-api/lead/01", "/api/partner-api/lead/ext:a"] {
            let answer = app.put(path, json!({"notes": "x"})).await.expect(404);
            assert_eq!((answer.json(), answer.header("content-type")), (hidden.clone(), "application/json"));
        }
        assert_eq!(bed.stranger(&bed.contractors).put(&one, json!({"notes": "x"})).await.expect(404).json(), hidden);
        let status = app.put(&one, json!({"status": "won"})).await.expect(400).json();
        assert_eq!(status, error("status must be one of \"active\", \"converted\", \"lost\""));
        for (body, expected) in [
            (json!({"first_name": "X"}), "first_name cannot be set here"),
            (json!({"colour": 1}), "colour is not a known field"),
            (json!({"id": 5}), "id is set by the server"),
            (json!({"last_contact_date": null}), "last_contact_date is set by the server"),
        ] {
            assert_eq!(app.put(&one, body).await.expect(400).json(), error(expected));
        }
        app.get("/api/partner-api/leads?limit=0").await.expect(400);
        app.get("/api/partner-api/leads?limit=101").await.expect(400);
        let reader = bed.scoped(&bed.contractors, &["read:leads"]);
        reader.get("/api/partner-api/leads").await.expect(200);
        let refused = reader.put(&one, json!({"notes": "x"})).await.expect(403).json();
        assert_eq!(refused, error("Insufficient permissions. Required scope: write:leads"));
        let nobody = App::new(&bed.contractors, None);
        assert_eq!(nobody.get("/api/partner-api/leads").await.expect(401).json()["success"], false);
    }
}

/// The server does not start with an endpoint that nothing in it serves.
#[test]
fn what_nobody_serves_is_told() {
    let blueprint = blueprint::load("contractor-network").unwrap();
    let told = rest::unserved(&blueprint, &[]);
    assert_eq!(told.len(), blueprint.endpoints.len());
    assert_eq!(told[0], "GET /api/partner-api/leads is declared, and nothing in this program serves it");
}
