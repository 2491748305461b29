//! The page of insurance-leads: management objects, leads, tiers.

use serde_json::{Value, json};
use testkit::receiver::Receiver;

use crate::world::{World, assert_is_problem, assert_signed, lead, received, rows, text};

testkit::engines! {
    async fn a_partner_works_with_leads_and_hears_of_them(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/"), &["lead.*"]).await;

        let made = key.http.post("/api/v1/leads", &lead("Ada")).await.expect(201);
        let ada = made.json();
        let id = text(&ada["id"]);
        assert!(made.header("location").is_some_and(|place| place.ends_with(&id)), "{:?}", made.headers);
        assert_eq!((&ada["firstName"], &ada["status"], &ada["insuranceType"]), (&json!("Ada"), &json!("NEW"), &json!("AUTO")));
        assert!(ada["createdAt"].as_str().unwrap().ends_with('Z') && ada["updatedAt"].is_string(), "{ada}");

        let path = format!("/api/v1/leads/{id}");
        let changed = key.http.put(&path, &json!({"status": "QUALIFIED"})).await.expect(200).json();
        assert_eq!((&changed["status"], &changed["email"]), (&json!("QUALIFIED"), &json!("ada@example.com")));
        key.http.patch(&path, &json!({"notes": "Call back"})).await.assert_status(200);
        assert_eq!(key.http.get(&path).await.expect(200).json()["notes"], "Call back");

        let came = received(&receiver, 3).await;
        let mut types: Vec<&str> = came.iter().map(|request| request.header("x-webhook-event").unwrap()).collect();
        types.sort_unstable();
        assert_eq!(types, ["lead.created", "lead.qualified", "lead.updated"]);
        for request in &came {
            assert_signed(request, &webhook.secret);
            let data = &request.json()["data"];
            assert_eq!((&data["leadId"], &data["firstName"]), (&json!(id), &json!("Ada")), "{data}");
        }

        key.http.delete(&path).await.assert_status(204);
        let gone = key.http.get(&path).await;
        gone.assert_problem(404, "not_found");
        assert_is_problem("a deleted lead", &gone);
    }

    async fn leads_are_filtered_searched_and_paged(world: World) {
        let tenant = world.tenant("Acme").await;
        let other = world.tenant("Other").await;
        let key = tenant.key().await;
        other.key().await.http.post("/api/v1/leads", &lead("Grace")).await.assert_status(201);
        let mut ids = Vec::new();
        for n in 0..25 {
            let mut body = lead(&format!("Name{n}"));
            body["status"] = json!(if n % 5 == 0 { "LOST" } else { "NEW" });
            ids.insert(0, text(&key.http.post("/api/v1/leads", &body).await.expect(201).json()["id"]));
        }
        let get = async |query: &str| key.http.get(&format!("/api/v1/leads{query}")).await.expect(200).json();
        let all = get("").await;
        assert_eq!((rows(&all).len(), &all["pagination"]["limit"], &all["pagination"]["total"]), (20, &json!(20), &json!(25)), "{all}");
        let lost = get("?status=LOST&limit=2&page=2").await;
        assert_eq!((rows(&lost).len(), &lost["pagination"]["total"], &lost["pagination"]["page"]), (2, &json!(5), &json!(2)), "{lost}");
        let found = get("?search=NAME24").await;
        assert_eq!((rows(&found).len(), &rows(&found)[0]["firstName"]), (1, &json!("Name24")), "{found}");
        assert_eq!(rows(&get("?search=grace").await).len(), 0, "another tenant's");
        assert_eq!(rows(&get("?search=%25").await).len(), 0, "a wildcard is an ordinary character");

        // By cursor, newest first, unharmed by what is inserted meanwhile.
        let (mut walked, mut query) = (Vec::new(), "?limit=7".to_owned());
        loop {
            let page = get(&query).await;
            walked.extend(rows(&page).iter().map(|row| text(&row["id"])));
            key.http.post("/api/v1/leads", &lead("Late")).await.assert_status(201);
            match &page["pagination"]["nextCursor"] {
                Value::String(cursor) => query = format!("?limit=7&cursor={cursor}"),
                _ => break,
            }
        }
        assert_eq!(walked, ids);
    }

    async fn management_objects_look_as_the_page_says(world: World) {
        let tenant = world.tenant("Acme").await;
        let body = json!({
            "name": "CRM bridge", "description": "Syncs", "redirectUris": ["https://crm.example.com/back"], "website": "https://crm.example.com",
            "contactEmail": "dev@crm.example.com", "rateLimitTier": "premium", "scopes": ["leads:read", "leads:write"], "metadata": {"plan": 7},
        });
        let made = tenant.host.post("/api/v1/api-clients", &body).await.expect(201);
        let client = made.json();
        let id = text(&client["id"]);
        assert!(id.starts_with("cli_") && made.header("location").is_some_and(|place| place.ends_with(&id)), "{client}");
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&client[name], value, "{name} in {client}");
        }
        assert_eq!((&client["status"], client.get("webhookSecret")), (&json!("active"), None), "{client}");
        assert!(client["clientSecret"].is_string() && client["createdAt"].is_string() && client["updatedAt"].is_string(), "{client}");
        let path = format!("/api/v1/api-clients/{id}");
        assert_eq!(tenant.host.get(&path).await.expect(200).json().get("clientSecret"), None, "shown once");
        for query in [
            "?search=crm",
            "?search=DEV@CRM",
            "?rateLimitTier=premium",
            "?contactEmail=dev@crm.example.com",
            "?status=active&rateLimitTier=premium",
        ] {
            let list = tenant.host.get(&format!("/api/v1/api-clients{query}")).await.expect(200).json();
            assert_eq!(rows(&list).iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&client["id"]], "{query}: {list}");
        }
        let changed = tenant.host.patch(&path, &json!({"name": "Renamed"})).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["contactEmail"]), (&json!("Renamed"), &json!("dev@crm.example.com")));

        let body = json!({"clientId": id, "name": "Production", "scopes": ["leads:read"], "rateLimitOverride": 50, "expiresAt": "2099-01-01T00:00:00.000Z"});
        let key = tenant.host.post("/api/v1/api-keys", &body).await.expect(201).json();
        let (token, key_id) = (text(&key["key"]), text(&key["keyId"]));
        assert!(token.starts_with("ins_live_") && token.starts_with(&format!("{key_id}_")), "{key_id} {token}");
        assert_eq!(
            (&key["name"], &key["status"], &key["scopes"]),
            (&json!("Production"), &json!("active"), &json!(["leads:read"])),
            "{key}"
        );
        assert_eq!(key["expiresAt"], "2099-01-01T00:00:00.000Z");
        let list = tenant.host.get(&format!("{path}/api-keys")).await.expect(200).json();
        assert_eq!((rows(&list).len(), &rows(&list)[0]["id"], rows(&list)[0].get("key")), (1, &key["id"], None), "{list}");
        assert!(!list.to_string().contains(&token));
        let too_much = tenant.host.post("/api/v1/api-keys", &json!({"clientId": id, "name": "More", "scopes": ["quotes:read"]})).await;
        too_much.assert_problem(422, "scope_exceeds_client");

        let partner = world.server.client().bearer(&token);
        partner.get("/api/v1/leads").await.assert_status(200);
        partner.post("/api/v1/leads", &lead("Ada")).await.assert_problem(403, "insufficient_scope");
        tenant.host.delete(&format!("{path}/api-keys/{}", text(&key["id"]))).await.assert_status(204);
        partner.get("/api/v1/leads").await.assert_problem(401, "invalid_credential");
        tenant.host.delete(&path).await.assert_status(204);
        tenant.host.get(&path).await.assert_problem(404, "not_found");
    }

    async fn tiers_and_event_names_are_told_to_any_credential(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_scoped(&[]).await;
        let tiers = key.http.get("/api/v1/rate-limits").await.expect(200).json();
        for (name, minute, hour, day) in [
            ("basic", 60, 1000, 10_000),
            ("standard", 120, 5000, 50_000),
            ("premium", 300, 15_000, 150_000),
            ("enterprise", 600, 50_000, 500_000),
        ] {
            let tier = &tiers["data"][name];
            assert_eq!(
                (&tier["requestsPerMinute"], &tier["requestsPerHour"], &tier["requestsPerDay"]),
                (&json!(minute), &json!(hour), &json!(day)),
                "{tiers}"
            );
        }
        let names = key.http.get("/api/v1/webhook-events").await.expect(200).json();
        for name in ["lead.created", "lead.rejected", "assignment.accepted", "policy.cancelled", "quote.sent", "proposal.rejected"] {
            assert!(rows(&names).contains(&json!(name)), "{name} in {names}");
        }
        assert_eq!(rows(&names).len(), 20);
        let declared = key.http.get("/api/v1/event-types/lead.created").await.expect(200).json();
        assert!(declared["schema"]["required"].as_array().unwrap().contains(&json!("leadId")), "{declared}");
        assert!(declared["example"]["leadId"].is_string(), "{declared}");
        let scopes = key.http.get("/api/v1/scopes").await.expect(200).json();
        assert!(scopes.to_string().contains("leads:delete"), "{scopes}");
        let reset = key.http.get("/api/v1/scopes").await.header("x-ratelimit-reset").unwrap().to_owned();
        assert!(reset.contains('T') && reset.ends_with('Z'), "{reset} is ISO 8601 on this product");
        for path in ["/health/live", "/health/ready", "/docs", "/docs/openapi.json"] {
            world.server.client().get(path).await.assert_status(200);
        }
    }
}
