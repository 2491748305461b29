//! What a token says, and its end.

use access::people::Role;
use access::service_keys::{NewServiceKey, create};
use serde_json::json;

use crate::bed::{App, Bed, ISSUER, encoded, text};

const INACTIVE: &str = r#"{"active":false}"#;

testkit::engines! {
    async fn a_client_asks_about_its_own(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, other) = (bed.app(&tenant, &["leads:read"]).await, bed.app(&tenant, &["leads:read"]).await);
        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read openid").await;
        let told = bed.node.introspect(&app, text(&tokens, "access_token")).await;
        let expected = [
            ("active", json!(true)), ("scope", json!("leads:read openid")), ("client_id", json!(app.id)), ("sub", json!(user)),
            ("iss", json!(ISSUER)), ("aud", json!(ISSUER)), ("token_type", json!("Bearer")), ("tenant_id", json!(tenant.id)),
            ("iat", json!(1_760_000_000)), ("exp", json!(1_760_003_600)),
        ];
        for (member, value) in expected {
            assert_eq!(told[member], value, "{member}: {told}");
        }
        let refresh = bed.node.introspect(&app, text(&tokens, "refresh_token")).await;
        assert_eq!((&refresh["active"], &refresh["sub"]), (&json!(true), &json!(user)));
        for token in ["access_token", "refresh_token"] {
            let answer = bed.node.post(&other, "/oauth/introspect", &[("token", text(&tokens, token))]).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, INACTIVE), "another client's {token}");
        }
        for nonsense in ["x", "twa_live_0123456789ab_x", &"y".repeat(3000)] {
            assert_eq!(bed.node.introspect(&app, nonsense).await, json!({"active": false}));
        }
        assert_eq!(bed.node.introspect(&app, app.secret.as_deref().unwrap()).await, json!({"active": false}), "a secret is no token");
        let next = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        assert_eq!(bed.node.introspect(&app, text(&tokens, "refresh_token")).await, json!({"active": false}), "it is used up");
        bed.advance(3600);
        assert_eq!(bed.node.introspect(&app, text(&next, "access_token")).await, json!({"active": false}));
    }

    async fn the_host_asks_about_any_of_its_tenants(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let app = bed.app(&tenant, &["leads:read"]).await;
        let tokens = bed.node.token(&app, &[("grant_type", "client_credentials")]).await.ok();
        let form = encoded(&[("token", text(&tokens, "access_token"))]);
        let key = async |tenant: Option<String>| create(&bed.node.store, NewServiceKey { tenant, ..NewServiceKey::default() }).await.unwrap().key;
        let ask = async |key: &str| bed.node.post_raw("/oauth/introspect", Some(&format!("Bearer {key}")), &form).await;
        assert_eq!(ask(key(None).await.reveal()).await.ok()["active"], true);
        assert_eq!(ask(key(Some(tenant.id.to_string())).await.reveal()).await.ok()["sub"], json!(app.id));
        assert_eq!(ask(key(Some(other.id.to_string())).await.reveal()).await.text, INACTIVE);
        assert_eq!(ask(text(&tokens, "access_token")).await.error(), (401, "invalid_client"), "a token proves nothing here");
        assert_eq!(bed.node.post_raw("/oauth/introspect", None, &form).await.error(), (401, "invalid_client"));
        let public = bed.public_app(&tenant, &["leads:read"]).await;
        assert_eq!(bed.node.post(&public, "/oauth/introspect", &[("token", "x")]).await.error(), (401, "invalid_client"));
    }

    /// RFC 7009.
    async fn a_revoked_token_is_refused_at_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (app, other) = (bed.app(&tenant, &["leads:read"]).await, bed.app(&tenant, &["leads:read"]).await);
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let revoke = async |app: &App, token: &str| bed.node.post(app, "/oauth/revoke", &[("token", token)]).await.status.as_u16();
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        assert!(bed.node.is_good(access).await);
        assert_eq!(revoke(&other, access).await, 200);
        assert_eq!(revoke(&other, refresh).await, 200);
        assert!(bed.node.is_good(access).await, "another client's request ends nothing");
        assert_eq!((revoke(&app, access).await, revoke(&app, access).await, revoke(&app, "nonsense").await), (200, 200, 200));
        assert!(!bed.node.is_good(access).await);
        let next = bed.node.refresh(&app, refresh).await.ok();
        assert_eq!(revoke(&app, text(&next, "refresh_token")).await, 200);
        assert!(!bed.node.is_good(text(&next, "access_token")).await, "a refresh token takes its family along");
        assert_eq!(bed.node.refresh(&app, text(&next, "refresh_token")).await.error(), (400, "invalid_grant"));
    }
}
