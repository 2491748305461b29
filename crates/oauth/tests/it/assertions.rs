//! Clients that sign.

use serde_json::{Value, json};

use crate::bed::{App, Bed, ISSUER};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

testkit::engines! {
    async fn a_client_that_signs_shows_no_secret(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app = bed.app(&tenant, &["leads:read"]).await;
        let (signer, other) = (bed.signer(), bed.signer());
        let settings = json!({"tokenEndpointAuthMethod": "private_key_jwt", "jwks": {"keys": [signer.public()]}});
        bed.set(&tenant, &app, settings).await.unwrap();
        let id = app.id.to_string();
        let now = bed.signed().at.seconds();
        let claims = |jti: &str| json!({"iss": id, "sub": id, "aud": ISSUER, "exp": now + 60, "jti": jti});
        let ask = async |assertion: &str, more: &[(&str, &str)]| {
            let mut form = vec![("grant_type", "client_credentials"), ("client_assertion", assertion), ("client_assertion_type", TYPE)];
            form.extend(more);
            bed.node.post_raw("/oauth/token", None, &crate::bed::encoded(&form)).await
        };
        let first = signer.sign("JWT", &claims("one")).unwrap();
        let token = ask(&first, &[]).await.ok();
        assert!(bed.node.is_good(token["access_token"].as_str().unwrap()).await);
        assert_eq!(ask(&first, &[]).await.error(), (401, "invalid_client"), "it is good once");
        // Also with the client's id beside it; not with another's, not with a secret, not by another key.
        ask(&signer.sign("JWT", &claims("two")).unwrap(), &[("client_id", &id)]).await.ok();
        let next = signer.sign("JWT", &claims("three")).unwrap();
        assert_eq!(ask(&next, &[("client_id", "cli_01jd3m9x7efd2v5k8q0r4tnwye")]).await.error(), (401, "invalid_client"));
        assert_eq!(ask(&next, &[("client_secret", "x")]).await.error(), (400, "invalid_request"));
        assert_eq!(ask(&other.sign("JWT", &claims("four")).unwrap(), &[]).await.error(), (401, "invalid_client"));
        // The secret that the client was made with proves nothing any more.
        assert_eq!(bed.node.token(&app, &[("grant_type", "client_credentials")]).await.error(), (401, "invalid_client"));
        // One whose time is over was never used, and is refused all the same.
        bed.advance(180);
        assert_eq!(ask(&signer.sign("JWT", &claims("five")).unwrap(), &[]).await.error(), (401, "invalid_client"));
    }

    async fn a_client_by_secret_does_not_sign(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let app: App = bed.app(&tenant, &["leads:read"]).await;
        let (signer, id) = (bed.signer(), app.id.to_string());
        let claims: Value = json!({"iss": id, "sub": id, "aud": ISSUER, "exp": bed.signed().at.seconds() + 60, "jti": "a"});
        let assertion = signer.sign("JWT", &claims).unwrap();
        let form = [("grant_type", "client_credentials"), ("client_assertion", assertion.as_str()), ("client_assertion_type", TYPE)];
        assert_eq!(bed.node.post_raw("/oauth/token", None, &crate::bed::encoded(&form)).await.error(), (401, "invalid_client"));
        let wrong = [("grant_type", "client_credentials"), ("client_assertion", assertion.as_str()), ("client_assertion_type", "saml")];
        assert_eq!(bed.node.post_raw("/oauth/token", None, &crate::bed::encoded(&wrong)).await.error(), (401, "invalid_client"));
    }
}
