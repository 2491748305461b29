//! Tokens that a host hands in, and who used them.

use serde_json::json;
use vendors::hubspot::{self, HubSpot};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{Bed, about, id_of, text};
use crate::connecting::called;

testkit::engines! {
    /// What a host already has is used, renewed and replaced as if it had been connected here.
    async fn a_token_that_the_host_has_is_renewed(bed: Bed) {
        let double = Double::start(HubSpot::new(hubspot::Options { ambient: bed.ambient.clone(), ..hubspot::Options::new() })).await.unwrap();
        let issued = double.issue();
        let body = about(&double, json!({
            "userId": "ada", "accessToken": issued.access_token, "refreshToken": issued.refresh_token, "expiresIn": 1800, "scopes": ["oauth"],
            "metadata": {"hub_id": 62515},
        }));
        let reply = bed.api("POST", "/oauth-tokens", Some(body.clone())).await.expect(201);
        let token = reply.json();
        assert_eq!(reply.header("location"), format!("/api/v1/oauth-tokens/{}", text(&token["id"])));
        assert_eq!((&token["account"], &token["renewable"], &token["status"]), (&json!("62515"), &json!(true), &json!("active")));
        let held = bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap();
        assert_eq!((held.generation, called(&held, "/crm/v3/objects/contacts").await), (1, 200));
        let renewed = bed.api("POST", &format!("/oauth-tokens/{}/refresh", text(&token["id"])), None).await.expect(200).json();
        assert_eq!(renewed["status"], "active");
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap().generation, 2);
        let again = bed.api("POST", "/oauth-tokens", Some(body)).await.expect(201).json();
        assert_eq!(again["id"], token["id"], "the same account of the same person");
    }

    async fn without_a_refresh_token_a_person_is_needed_when_it_ends(bed: Bed) {
        let body = json!({"provider": "google", "accessToken": "ya29.x", "expiresIn": 3600});
        let token = bed.api("POST", "/oauth-tokens", Some(body)).await.expect(201).json();
        assert_eq!(token["renewable"], false);
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap().token.reveal(), "ya29.x");
        bed.wait(3601);
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&token)).await.unwrap_err().code(), "oauth_token_reauth_required");
        assert_eq!(bed.token(&text(&token["id"])).await["status"], "reauth_required");
        // Slack's bot tokens do not end by themselves.
        let slack = json!({"provider": "slack", "accessToken": "xoxb-1"});
        let slack = bed.api("POST", "/oauth-tokens", Some(slack)).await.expect(201).json();
        bed.wait(400 * 86_400);
        assert_eq!(bed.vault.held(&bed.scope(), id_of(&slack)).await.unwrap().base_url.as_deref(), Some("https://slack.com/api"));
    }

    async fn what_is_wrong_is_named(bed: Bed) {
        for (body, pointer) in [
            (json!({"provider": "nobody", "accessToken": "x"}), "/provider"),
            (json!({"provider": "google", "accessToken": ""}), "/accessToken"),
            (json!({"provider": "google", "accessToken": "a b"}), "/accessToken"),
            (json!({"provider": "google", "accessToken": "x", "refreshToken": "ä"}), "/refreshToken"),
            (json!({"provider": "google", "accessToken": "x".repeat(17_000)}), "/accessToken"),
            (json!({"provider": "google", "accessToken": "x", "userId": ""}), "/userId"),
            (json!({"provider": "google", "accessToken": "x", "scopes": ["a b"]}), "/scopes/0"),
            (json!({"provider": "google", "accessToken": "x", "expiresIn": 1, "expiresAt": "2026-01-01T00:00:00Z"}), "/expiresIn"),
            (json!({"provider": "google", "accessToken": "x", "clientSecret": "s"}), "/clientId"),
            (json!({"provider": "google", "accessToken": "x", "baseUrl": "http://127.0.0.1:1"}), "/baseUrl"),
            (json!({"provider": "google", "accessToken": "x", "clientId": "c", "baseUrl": "http://127.0.0.1:1/x"}), "/baseUrl"),
            (json!({"provider": "google", "accessToken": "x", "clientId": "c", "definition": {}}), "/definition"),
            (json!({"provider": "custom", "accessToken": "x", "clientId": "c", "definition": {"tokenUrl": "https://x.example"}}), "/definition/authorizeUrl"),
            (json!({"provider": "google", "accessToken": "x", "unknown": 1}), "/unknown"),
        ] {
            let reply = bed.api("POST", "/oauth-tokens", Some(body.clone())).await;
            assert_eq!(reply.status, 422, "{body} {}", reply.text());
            assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{body} {}", reply.text());
        }
        let salesforce = json!({"provider": "salesforce", "accessToken": "x", "loginHost": "acme.lightning.force.com"});
        bed.api("POST", "/oauth-tokens", Some(salesforce)).await.problem(422, "login_host_refused");
        let elsewhere = json!({"provider": "salesforce", "accessToken": "x", "metadata": {"instance_url": "https://evil.example"}});
        bed.api("POST", "/oauth-tokens", Some(elsewhere)).await.problem(422, "api_base_refused");
        let inside = json!({"provider": "custom", "accessToken": "x", "clientId": "c",
            "definition": {"authorizeUrl": "https://x.example", "tokenUrl": "ftp://x.example"}});
        bed.api("POST", "/oauth-tokens", Some(inside)).await.problem(422, "url_scheme");
        bed.api("POST", "/oauth-connections", Some(json!({"provider": "google"}))).await.problem(409, "oauth_app_missing");
        bed.api("GET", "/oauth-tokens?status=sad", None).await.problem(422, "validation_failed");
    }

    async fn uses_are_counted_by_hour_and_user(bed: Bed) {
        let body = json!({"provider": "slack", "accessToken": "xoxb-1"});
        let token = bed.api("POST", "/oauth-tokens", Some(body)).await.expect(201).json();
        let (id, path) = (id_of(&token), format!("/oauth-tokens/{}/uses", text(&token["id"])));
        for _ in 0..3 {
            bed.vault.held(&bed.scope(), id).await.unwrap();
        }
        bed.vault.held(&kernel::TenantScope::system("syncs", bed.tenant), id).await.unwrap();
        bed.vault.flush().await.unwrap();
        bed.wait(3600);
        bed.vault.held(&bed.scope(), id).await.unwrap();
        bed.vault.flush().await.unwrap();
        let uses = bed.api("GET", &path, None).await.expect(200).json();
        let seen: Vec<_> = uses["data"].as_array().unwrap().iter().map(|row| (text(&row["usedBy"]), row["uses"].as_u64().unwrap())).collect();
        assert_eq!(seen, [("system:test".to_owned(), 1), ("system:syncs".to_owned(), 1), ("system:test".to_owned(), 3)]);
        let first = bed.api("GET", &format!("{path}?limit=2"), None).await.expect(200).json();
        let next = bed.api("GET", &format!("{path}?limit=2&cursor={}", text(&first["pagination"]["nextCursor"])), None).await.expect(200).json();
        assert_eq!(next["data"].as_array().unwrap().len(), 1);
        assert!(bed.token(&text(&token["id"])).await["lastUsedAt"].is_string());
        bed.wait(91 * 86_400);
        bed.vault.look_after().await.unwrap();
        assert_eq!(bed.api("GET", &path, None).await.expect(200).json()["data"], json!([]));
    }
}
