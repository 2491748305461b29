//! Who a client is, how it proves it, and what it may.

use std::time::Duration;

use access::clients::RotateClientSecret;
use access::people::Role;
use kernel::IdRef;
use serde_json::json;

use crate::bed::{App, Bed, encoded, text};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

testkit::engines! {
    async fn a_client_acts_for_its_own_tenant(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let tokens = bed.node.token(&app, &[GRANT, ("scope", "leads:read")]).await.ok();
        assert!(tokens.get("refresh_token").is_none(), "the secret gets the next one");
        let holder = bed.node.holder(text(&tokens, "access_token")).await.unwrap();
        assert_eq!((holder.tenant, holder.client, holder.scopes.to_vec()), (Some(tenant.id), Some(app.id), vec!["leads:read".to_owned()]));
        let all = bed.node.token(&app, &[GRANT]).await.ok();
        assert_eq!(text(&all, "scope"), "leads:read leads:write");
        assert_eq!(bed.node.token(&app, &[GRANT, ("scope", "leads:delete")]).await.error(), (400, "invalid_scope"));
        assert_eq!(bed.node.token(&app, &[GRANT, ("scope", "openid")]).await.error(), (400, "invalid_scope"), "nobody signs in");
        let public = bed.public_app(&tenant, &["leads:read"]).await;
        assert_eq!(bed.node.token(&public, &[GRANT]).await.error(), (400, "unauthorized_client"));
        for grant in ["password", "implicit", "authorization_code2", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
            assert_eq!(bed.node.token(&app, &[("grant_type", grant)]).await.error(), (400, "unsupported_grant_type"), "{grant}");
        }
    }

    /// RFC 9700 §4.10, §2.5: nobody passes for a client without its proof.
    async fn every_bad_proof_looks_the_same(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, public) = (bed.app(&tenant, &["leads:read"]).await, bed.public_app(&tenant, &["leads:read"]).await);
        let other = bed.app(&tenant, &["leads:read"]).await;
        let mut seen = std::collections::HashSet::new();
        for bad in [
            App { id: app.id, secret: other.secret.clone() },
            App { id: app.id, secret: None },
            App { id: app.id, secret: Some(String::new()) },
            App { id: app.id, secret: Some("x".repeat(5000)) },
            App { id: public.id, secret: app.secret.clone() },
            App { id: kernel::Ambient::system().id(), secret: app.secret.clone() },
        ] {
            let answer = bed.node.token(&bad, &[GRANT]).await;
            assert_eq!(answer.error(), (401, "invalid_client"));
            assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"oauth\"");
            seen.insert(answer.text);
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        let secret = app.secret.clone().unwrap();
        let id = app.id.to_string();
        let posted = encoded(&[GRANT, ("client_id", &id), ("client_secret", &secret)]);
        bed.node.post_raw("/oauth/token", None, &posted).await.ok();
        let both = bed.node.post(&app, "/oauth/token", &[GRANT, ("client_secret", &secret)]).await;
        assert_eq!(both.error(), (400, "invalid_request"), "one proof, not two");
        bed.set(&tenant, &app, json!({"tokenEndpointAuthMethod": "client_secret_basic"})).await.unwrap();
        assert_eq!(bed.node.post_raw("/oauth/token", None, &posted).await.error(), (401, "invalid_client"));
        bed.node.token(&app, &[GRANT]).await.ok();
    }

    async fn an_old_secret_works_until_its_overlap_is_over(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let old = bed.app(&tenant, &["leads:read"]).await;
        let rotate = async |seconds| {
            let how = RotateClientSecret { overlap_seconds: seconds };
            bed.node.access.rotate_client_secret(&bed.acting(&tenant), IdRef::Id(old.id), how).await
        };
        bed.node.token(&old, &[GRANT]).await.ok();
        let new = App { id: old.id, secret: rotate(60).await.unwrap().client_secret };
        bed.node.token(&old, &[GRANT]).await.ok();
        bed.node.token(&new, &[GRANT]).await.ok();
        bed.advance(60);
        assert_eq!(bed.node.token(&old, &[GRANT]).await.error(), (401, "invalid_client"));
        let newest = App { id: old.id, secret: rotate(0).await.unwrap().client_secret };
        assert_eq!(bed.node.token(&new, &[GRANT]).await.error(), (401, "invalid_client"), "at once");
        bed.node.token(&newest, &[GRANT]).await.ok();
        assert_eq!(rotate(2_592_001).await.unwrap_err().code(), "validation_failed");
    }

    /// An application in a browser gets its tokens from its own pages only.
    async fn pages_of_the_client_read_the_answer(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let input = json!({"name": "Page", "scopes": ["leads:read"], "allowedOrigins": ["https://app.example"]});
        let app = bed.make(&tenant, input).await;
        let own = bed.node.token_from(&app, "https://app.example", &[GRANT]).await;
        assert_eq!((own.status.as_u16(), own.headers["access-control-allow-origin"].to_str().unwrap()), (200, "https://app.example"));
        let other = bed.node.token_from(&app, "https://evil.example", &[GRANT]).await;
        assert!(other.status == 200 && other.headers.get("access-control-allow-origin").is_none());
        let refused = bed.node.token_from(&app, "https://app.example", &[("grant_type", "password")]).await;
        assert_eq!((refused.error(), refused.headers["vary"].to_str().unwrap()), ((400, "unsupported_grant_type"), "Origin"));
    }

    async fn settings_follow_their_rules(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, public) = (bed.app(&tenant, &["leads:read"]).await, bed.public_app(&tenant, &["leads:read"]).await);
        let usual = serde_json::to_value(bed.node.oauth.client_settings(&bed.acting(&tenant), IdRef::Id(app.id)).await.unwrap()).unwrap();
        assert_eq!(usual["grantTypes"], json!(["authorization_code", "refresh_token", "client_credentials"]));
        assert_eq!((&usual["audience"], &usual["accessTokenSeconds"], &usual["updatedAt"]), (&json!("any"), &json!(3600), &json!(null)));
        for (client, bad, pointer) in [
            (&public, json!({"grantTypes": ["authorization_code", "client_credentials"]}), "/grantTypes/1"),
            (&public, json!({"tokenEndpointAuthMethod": "client_secret_basic"}), "/tokenEndpointAuthMethod"),
            (&app, json!({"tokenEndpointAuthMethod": "none"}), "/tokenEndpointAuthMethod"),
            (&app, json!({"tokenEndpointAuthMethod": "private_key_jwt"}), "/tokenEndpointAuthMethod"),
            (&app, json!({"accessTokenSeconds": 59}), "/accessTokenSeconds"),
            (&app, json!({"refreshTokenSeconds": 31_536_001}), "/refreshTokenSeconds"),
        ] {
            let error = bed.set(&tenant, client, bad.clone()).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", pointer), "{bad}");
        }
        let set = bed.set(&tenant, &app, json!({"audience": "own", "accessTokenSeconds": 60})).await.unwrap();
        assert_eq!((&set["audience"], &set["accessTokenSeconds"]), (&json!("own"), &json!(60)));
        let stranger = bed.tenant("Other").await;
        assert_eq!(bed.set(&stranger, &app, json!({})).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.node.oauth.client_settings(&bed.acting(&stranger), IdRef::Id(app.id)).await.unwrap_err().code(), "not_found");
    }

    async fn what_a_client_may_bounds_what_its_tokens_open(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write"]).await;
        let tokens = bed.node.token(&app, &[GRANT]).await.ok();
        let token = text(&tokens, "access_token");
        let narrow = |scopes: &[&str]| access::clients::UpdateClient {
            scopes: web::Patch::Value(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..Default::default()
        };
        bed.node.access.update_client(&bed.acting(&tenant), IdRef::Id(app.id), narrow(&["leads:read"])).await.unwrap();
        assert_eq!(bed.node.holder(token).await.unwrap().scopes.to_vec(), ["leads:read"], "tokens that are out follow");
        bed.node.access.delete_client(&bed.acting(&tenant), IdRef::Id(app.id)).await.unwrap();
        assert!(!bed.node.is_good(token).await);
        assert_eq!(bed.node.token(&app, &[GRANT]).await.error(), (401, "invalid_client"));
        assert_eq!(bed.count("oauth_clients").await, 0);
    }

    /// The limits of a client's tokens are counted as one, whatever their number; those for another tenant's data apart.
    async fn fresh_tokens_give_no_fresh_limits(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let app = bed.app(&tenant, &["leads:read"]).await;
        let limit_of = async |token: &str| bed.node.holder(token).await.unwrap().limit_id.to_string();
        let (one, two) = (bed.node.token(&app, &[GRANT]).await.ok(), bed.node.token(&app, &[GRANT]).await.ok());
        assert_eq!(limit_of(text(&one, "access_token")).await, limit_of(text(&two, "access_token")).await);
        let who = bed.signed_in(bed.person(&other, Role::Owner).await, &other, Role::Owner);
        let theirs = bed.tokens(&app, &who, "leads:read").await;
        assert_ne!(limit_of(text(&one, "access_token")).await, limit_of(text(&theirs, "access_token")).await);
    }

    /// RFC 9700 §4.13: whether a secret is nearly right takes no other time than whether it is quite wrong.
    #[allow(clippy::disallowed_methods, reason = "what is measured is how long it takes")]
    async fn a_nearly_right_secret_takes_as_long_as_a_wrong_one(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let secret = app.secret.clone().unwrap();
        let nearly = App { id: app.id, secret: Some(format!("{}x", &secret[..secret.len() - 1])) };
        let wrong = App { id: app.id, secret: Some("x".repeat(secret.len())) };
        let mut times: [Vec<Duration>; 2] = Default::default();
        for round in 0..400 {
            let begun = std::time::Instant::now();
            bed.node.token(if round % 2 == 0 { &nearly } else { &wrong }, &[GRANT]).await;
            times[round % 2].push(begun.elapsed());
        }
        let [nearly, wrong] = times.map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64()
        });
        let ratio = nearly / wrong;
        assert!((0.5..2.0).contains(&ratio), "medians differ by {ratio}");
    }
}
