//! Tokens that others can check.

use access::jose::{Jwk, JwkSet, Jws};
use access::people::Role;
use access::signing_keys::{RotateKeys, rotate};
use serde_json::{Value, json};

use crate::bed::{Bed, ISSUER, text};

fn claims(set: &Value, token: &str, typ: &str) -> Value {
    let read = Jws::read(token).unwrap();
    assert!(read.is_typed(typ));
    let set = JwkSet::read(set).unwrap();
    assert!(set.candidates(read.kid(), read.algorithm()).any(|key: &Jwk| read.is_signed_by(key)), "signed with a published key");
    read.claims().unwrap()
}

testkit::engines! {
    async fn a_signed_token_says_what_it_is_and_is_revoked_at_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        bed.set(&tenant, &app, json!({"tokenFormat": "jwt", "accessTokenSeconds": 120})).await.unwrap();
        let user = bed.person(&tenant, Role::Owner).await;
        let tokens = bed.tokens(&app, &bed.signed_in(user, &tenant, Role::Owner), "leads:read openid").await;
        let token = text(&tokens, "access_token");
        let set = bed.node.get("/.well-known/jwks.json").await.ok();
        let said = claims(&set, token, "at+jwt");
        assert_eq!((&said["iss"], &said["aud"], &said["sub"]), (&json!(ISSUER), &json!(ISSUER), &json!(user)));
        assert_eq!((&said["client_id"], &said["scope"], &said["tenant_id"]), (&json!(app.id), &json!("leads:read openid"), &json!(tenant.id)));
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 120);
        let identity = claims(&set, text(&tokens, "id_token"), "jwt");
        assert_eq!((&identity["sub"], &identity["aud"], &identity["amr"]), (&json!(user), &json!(app.id), &json!(["pwd", "otp"])));
        assert!(bed.node.is_good(token).await);
        assert_eq!(bed.node.introspect(&app, token).await["jti"], said["jti"]);
        // Not one letter may differ, and no other signature of the same claims is the token.
        let (head, _) = token.rsplit_once('.').unwrap();
        assert!(!bed.node.is_good(&format!("{head}.{}", "A".repeat(86))).await && !bed.node.is_good(&format!("{token}A")).await);
        bed.node.post(&app, "/oauth/revoke", &[("token", token)]).await.ok();
        assert!(!bed.node.is_good(token).await);
        assert_eq!(bed.node.introspect(&app, token).await, json!({"active": false}));
        let next = bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        bed.advance(121);
        assert!(!bed.node.is_good(text(&next, "access_token")).await, "its time is over");
    }

    async fn a_rotated_key_signs_after_its_lead(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        bed.set(&tenant, &app, json!({"tokenFormat": "jwt"})).await.unwrap();
        let sign = async || {
            let made = bed.node.token(&app, &[("grant_type", "client_credentials")]).await.ok();
            let token = text(&made, "access_token").to_owned();
            (Jws::read(&token).unwrap().kid().unwrap().to_owned(), token)
        };
        let (first, old) = sign().await;
        let algorithm = access::jose::Algorithm::Es256;
        let next = rotate(&bed.node.store, &bed.operator(), algorithm, RotateKeys { lead_seconds: Some(300) }).await.unwrap();
        assert_eq!(sign().await.0, first);
        let set = bed.node.get("/.well-known/jwks.json").await.ok();
        assert_eq!(set["keys"].as_array().unwrap().iter().map(|key| text(key, "kid")).collect::<Vec<_>>(), [next.kid.as_str(), first.as_str()]);
        bed.advance(300);
        assert_eq!(sign().await.0, next.kid);
        let set = bed.node.get("/.well-known/jwks.json").await.ok();
        claims(&set, &old, "at+jwt");
        bed.advance(2 * 86_400);
        let set = bed.node.get("/.well-known/jwks.json").await.ok();
        assert_eq!(set["keys"].as_array().unwrap().len(), 1, "the one before is over");
        // Another algorithm has its own key at once, and the one before stays published until the operator rotates.
        let other = bed.configured(|config| config.signing_algorithm = access::jose::Algorithm::EdDsa);
        assert_eq!(other.get("/.well-known/jwks.json").await.ok()["keys"].as_array().unwrap().len(), 2);
        assert_eq!(sign().await.0, next.kid);
        let refused = rotate(&bed.node.store, &bed.acting(&tenant), algorithm, RotateKeys { lead_seconds: Some(604_801) }).await;
        assert!(refused.is_err());
    }
}
