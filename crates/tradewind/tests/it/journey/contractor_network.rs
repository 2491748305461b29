//! The page of contractor-network: `success` envelopes, snake_case, integer ids, its own texts, bare payloads.

use serde_json::{Value, json};
use testkit::receiver::Receiver;

use crate::world::{Contractors, Tenant, assert_signed_legacy, now, received};

/// A match, made by the marketplace's own backend.
async fn matched(tenant: &Tenant, first: &str, status: &str) -> Value {
    let body = json!({
        "contractor_id": 92, "match_score": 87.5, "status": status, "engagement_stage": "new", "first_name": first, "last_name": "Hopper",
        "email": "grace@example.com", "phone": "+1 555 0100", "company_name": "Hopper Roofing", "revenue_tier": "1M-5M",
    });
    tenant.host.post("/api/v1/records/lead", &body).await.expect(201).json()
}

fn refused(text: &str) -> Value {
    json!({"success": false, "error": text})
}

testkit::engines! {
    async fn a_partner_lists_its_leads(world: Contractors) {
        let (tenant, other) = (world.0.tenant("Acme").await, world.0.tenant("Other").await);
        let key = tenant.key_with(json!({"rateLimitOverride": null, "scopes": ["read:leads"]})).await;
        matched(&other, "Foreign", "active").await;
        for n in 0..53 {
            matched(&tenant, &format!("Name{n}"), if n % 10 == 0 { "lost" } else { "active" }).await;
        }
        let get = async |query: &str| key.http.get(&format!("/api/partner-api/leads{query}")).await.expect(200);
        let first = get("").await;
        let body = first.json();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["success", "data", "pagination"]);
        assert_eq!((&body["success"], &body["pagination"]), (&json!(true), &json!({"page": 1, "limit": 50, "total": 53})));
        let leads = body["data"].as_array().unwrap();
        assert_eq!(
            (leads.len(), &leads[0]["first_name"], &leads[49]["first_name"]),
            (50, &json!("Name52"), &json!("Name3")),
            "newest first"
        );
        let row = &leads[0];
        assert!(row["id"].is_i64(), "{row}");
        for (member, value) in [
            ("contractor_id", json!(92)),
            ("match_score", json!(87.5)),
            ("status", json!("active")),
            ("engagement_stage", json!("new")),
            ("last_name", json!("Hopper")),
            ("email", json!("grace@example.com")),
            ("phone", json!("+1 555 0100")),
            ("company_name", json!("Hopper Roofing")),
            ("revenue_tier", json!("1M-5M")),
        ] {
            assert_eq!(row[member], value, "{member} in {row}");
        }
        for member in ["last_contact_date", "next_follow_up_date", "created_at"] {
            assert!(row.get(member).is_some(), "{member} in {row}");
        }
        let second = get("?page=2").await.json();
        assert_eq!((second["data"].as_array().unwrap().len(), &second["pagination"]), (3, &json!({"page": 2, "limit": 50, "total": 53})));
        let lost = get("?status=lost&limit=2").await.json();
        assert_eq!((lost["data"].as_array().unwrap().len(), &lost["pagination"]), (2, &json!({"page": 1, "limit": 2, "total": 6})));
        assert_eq!(get("?search=nAmE52").await.json()["pagination"]["total"], 1);
        assert_eq!(get("?search=HOPPER%20roof").await.json()["pagination"]["total"], 53);
        assert_eq!(
            get("?search=foreign").await.json(),
            json!({"success": true, "data": [], "pagination": {"page": 1, "limit": 50, "total": 0}})
        );

        assert_eq!(first.header("x-ratelimit-limit"), Some("1000"));
        assert_eq!(first.header("x-ratelimit-remaining"), Some("999"));
        let reset: i64 = first.header("x-ratelimit-reset").unwrap().parse().unwrap();
        assert!((now()..=now() + 3601).contains(&reset), "{reset} is in Unix seconds within the hour");
    }

    async fn a_partner_changes_a_lead_and_hears_of_it(world: Contractors) {
        let (tenant, other) = (world.0.tenant("Acme").await, world.0.tenant("Other").await);
        let key = tenant.key().await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/tpx"), &["lead.updated", "lead.converted"]).await;
        matched(&tenant, "Grace", "active").await;
        let list = key.http.get("/api/partner-api/leads").await.expect(200).json();
        let (before, id) = (list["data"][0].clone(), list["data"][0]["id"].as_i64().unwrap());

        let path = format!("/api/partner-api/lead/{id}");
        let change = json!({"engagement_stage": "contacted", "next_follow_up_date": "2030-05-01T09:00:00.000Z", "notes": "Monday"});
        let answer = key.http.put(&path, &change).await.expect(200).json();
        assert_eq!(answer["success"], true);
        let after = &answer["data"];
        assert_eq!(
            (&after["id"], &after["engagement_stage"], &after["notes"]),
            (&json!(id), &json!("contacted"), &json!("Monday")),
            "{after}"
        );
        assert!(before["last_contact_date"].is_null() && after["last_contact_date"].is_string(), "{before} {after}");
        assert!(after["updated_at"].as_str().unwrap() >= after["created_at"].as_str().unwrap(), "{after}");
        assert_eq!(after["last_contact_date"], after["updated_at"], "both are set to now");
        let cleared = key.http.put(&path, &json!({"next_follow_up_date": null, "status": "converted"})).await.expect(200).json();
        assert!(cleared["data"]["next_follow_up_date"].is_null(), "{cleared}");

        let came = received(&receiver, 2).await;
        let mut types: Vec<&str> = came.iter().map(|request| request.header("x-tpx-event").unwrap()).collect();
        types.sort_unstable();
        assert_eq!(types, ["lead.converted", "lead.updated"]);
        for request in &came {
            assert_signed_legacy(request, "x-tpx-signature", &webhook.secret);
            let body = request.json();
            assert_eq!(
                (&body["first_name"], body.get("data"), body.get("type")),
                (&json!("Grace"), None, None),
                "the bare payload: {body}"
            );
            assert_eq!(body["lead_id"], json!(id.to_string()), "{body}");
        }

        let not_found = refused("Lead not found or access denied");
        let stranger = other.key().await;
        for (who, path) in
            [(&stranger, path.clone()), (&key, "/api/partner-api/lead/999999".to_owned()), (&key, "/api/partner-api/lead/x".to_owned())]
        {
            let answer = who.http.put(&path, &json!({"notes": "mine"})).await.expect(404);
            assert_eq!(answer.json(), not_found, "{path}");
        }
        assert_eq!(key.http.get("/api/partner-api/leads").await.expect(200).json()["data"][0]["notes"], "Monday");
    }

    async fn refusals_have_the_pages_texts(world: Contractors) {
        let tenant = world.0.tenant("Acme").await;
        let key = tenant.key_scoped(&["read:leads"]).await;
        matched(&tenant, "Grace", "active").await;
        let leads = "/api/partner-api/leads";
        let anyone = world.0.server.client();
        let missing = refused("API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.");
        assert_eq!(anyone.get(leads).await.expect(401).json(), missing);
        assert_eq!(anyone.with("authorization", "Basic dTpw").get(leads).await.expect(401).json(), missing);
        let invalid = refused("Invalid API key");
        let mut bent = key.token.clone();
        bent.pop();
        for token in ["nonsense", bent.as_str(), "tpx_live_000000000000_0000000000000000000000000000000000000000000000000"] {
            assert_eq!(anyone.bearer(token).get(leads).await.expect(401).json(), invalid, "{token}");
        }
        let revoked = tenant.key().await;
        revoked.http.get(leads).await.assert_status(200);
        tenant.host.delete(&format!("/api/v1/api-keys/{}", revoked.id)).await.assert_status(204);
        assert_eq!(revoked.http.get(leads).await.expect(401).json(), invalid);
        let scope = refused("Insufficient permissions. Required scope: write:leads");
        assert_eq!(key.http.put("/api/partner-api/lead/1", &json!({"notes": "x"})).await.expect(403).json(), scope);
        let elsewhere = tenant.key_with(json!({"allowedIps": ["203.0.113.0/24"]})).await;
        assert_eq!(elsewhere.http.get(leads).await.expect(403).json(), refused("IP address not whitelisted"));
        let here = tenant.key_with(json!({"allowedIps": ["127.0.0.0/8"]})).await;
        here.http.get(leads).await.assert_status(200);
        let writer = tenant.key().await;
        let id = writer.http.get(leads).await.expect(200).json()["data"][0]["id"].as_i64().unwrap();
        let path = format!("/api/partner-api/lead/{id}");
        for bad in [json!({"status": "won"}), json!({"first_name": "Eve"}), json!({"nonsense": 1}), json!({"notes": 5}), json!([])] {
            let answer = writer.http.put(&path, &bad).await.expect(400).json();
            assert_eq!((&answer["success"], answer["error"].is_string()), (&json!(false), true), "{bad}: {answer}");
            assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
        }
    }

    async fn keys_have_the_default_scopes_and_limits(world: Contractors) {
        let tenant = world.0.tenant("Acme").await;
        let key = tenant.host.post("/api/v1/api-keys", &json!({"clientId": tenant.client, "name": "Default"})).await.expect(201).json();
        assert_eq!(key["scopes"], json!(["read:leads", "read:analytics"]));
        assert!(key["key"].as_str().unwrap().starts_with("tpx_live_"), "{key}");
        let tiers = tenant.host.get("/api/v1/rate-limits").await.expect(200).json();
        assert_eq!(tiers["data"]["default"]["requestsPerHour"], 1000, "{tiers}");
    }

    async fn a_test_delivery_is_the_bare_test_payload(world: Contractors) {
        let tenant = world.0.tenant("Acme").await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        let answer = tenant.host.post(&format!("/api/v1/webhooks/{}/test", webhook.id), &json!({})).await;
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.text());
        let came = received(&receiver, 1).await.remove(0);
        assert_signed_legacy(&came, "x-tpx-signature", &webhook.secret);
        assert_eq!(came.header("x-tpx-event"), Some("test.webhook"));
        let body = came.json();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["test", "message", "timestamp"], "{body}");
        assert_eq!(body["test"], true);
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
        for path in ["/api/docs", "/api/docs/openapi.json"] {
            world.0.server.client().get(path).await.assert_status(200);
        }
    }
}
