//! Tokens for another token.

use access::people::Role;
use serde_json::{Value, json};

use crate::bed::{App, Bed, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn exchange(bed: &Bed, app: &App, token: &str, more: &[(&str, &str)]) -> crate::bed::Answer {
    let mut form = vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    form.extend(more);
    bed.node.token(app, &form).await
}

async fn backend(bed: &Bed, tenant: &access::tenants::Tenant, scopes: &[&str]) -> App {
    let app = bed.app(tenant, scopes).await;
    bed.set(tenant, &app, json!({"grantTypes": [GRANT, "client_credentials"]})).await.unwrap();
    app
}

testkit::engines! {
    async fn what_comes_of_it_is_narrower_and_ends_with_it(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read", "leads:write", "quotes:read"]).await;
        let backend = backend(&bed, &tenant, &["leads:read", "quotes:read"]).await;
        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read leads:write openid").await;
        let shown = text(&tokens, "access_token");
        bed.advance(3000);
        let made = exchange(&bed, &backend, shown, &[]).await.ok();
        // The client's ceiling and the token's, and no longer than the token.
        assert_eq!((text(&made, "scope"), &made["expires_in"], text(&made, "issued_token_type")), ("leads:read", &json!(600), ACCESS_TOKEN));
        assert!(made.get("refresh_token").is_none() && made.get("id_token").is_none());
        let said: Value = bed.node.introspect(&backend, text(&made, "access_token")).await;
        assert_eq!((said["sub"].clone(), said["act"].clone()), (json!(user), json!({"sub": backend.id, "act": {"sub": app.id}})));
        for beyond in ["leads:write", "quotes:read", "openid"] {
            assert_eq!(exchange(&bed, &backend, shown, &[("scope", beyond)]).await.error(), (400, "invalid_scope"), "{beyond}");
        }
        bed.node.post(&app, "/oauth/revoke", &[("token", text(&tokens, "refresh_token"))]).await.ok();
        assert!(!bed.node.is_good(text(&made, "access_token")).await);
        assert_eq!(exchange(&bed, &backend, shown, &[]).await.error(), (400, "invalid_grant"));
    }

    async fn not_everybody_may_and_not_for_every_token(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let app = bed.app(&tenant, &["leads:read"]).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let tokens = bed.tokens(&app, &who, "leads:read").await;
        let shown = text(&tokens, "access_token");
        assert_eq!(exchange(&bed, &app, shown, &[]).await.error(), (400, "unauthorized_client"));
        let stranger = backend(&bed, &other, &["leads:read"]).await;
        assert_eq!(exchange(&bed, &stranger, shown, &[]).await.error(), (400, "invalid_grant"), "another tenant's data");
        let public = bed.public_app(&tenant, &["leads:read"]).await;
        bed.set(&tenant, &public, json!({"grantTypes": [GRANT]})).await.unwrap();
        assert_eq!(exchange(&bed, &public, shown, &[]).await.error(), (400, "unauthorized_client"));
        let good = backend(&bed, &tenant, &["leads:read"]).await;
        for (name, value) in [("actor_token", "x"), ("audience", "x"), ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")] {
            assert_eq!(exchange(&bed, &good, shown, &[(name, value)]).await.error(), (400, "invalid_request"), "{name}");
        }
        assert_eq!(exchange(&bed, &good, text(&tokens, "refresh_token"), &[]).await.error(), (400, "invalid_grant"));
        assert_eq!(exchange(&bed, &good, shown, &[("resource", "https://evil.example/")]).await.error(), (400, "invalid_target"));
        exchange(&bed, &good, shown, &[("resource", "https://api.example/mcp")]).await.ok();
    }
}
