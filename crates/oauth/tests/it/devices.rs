//! Devices without a browser.

use access::people::Role;
use kernel::{Credential, PageRequest};
use oauth::consents::AppFilter;
use oauth::requests::Approval;
use serde_json::{Value, json};

use crate::bed::{App, Bed, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn television(bed: &Bed) -> (access::tenants::Tenant, App) {
    let tenant = bed.tenant("Acme").await;
    let app = bed.public_app(&tenant, &["leads:read", "leads:write"]).await;
    bed.set(&tenant, &app, json!({"grantTypes": [GRANT, "refresh_token"]})).await.unwrap();
    (tenant, app)
}

async fn begin(bed: &Bed, app: &App) -> Value {
    bed.node.post(app, "/oauth/device_authorization", &[("scope", "leads:read leads:write openid")]).await.ok()
}

async fn poll(bed: &Bed, app: &App, begun: &Value) -> crate::bed::Answer {
    bed.node.token(app, &[("grant_type", GRANT), ("device_code", text(begun, "device_code"))]).await
}

testkit::engines! {
    async fn a_person_allows_a_device(bed: Bed) {
        let (tenant, app) = television(&bed).await;
        let begun = begin(&bed, &app).await;
        assert_eq!((&begun["expires_in"], &begun["interval"]), (&json!(600), &json!(5)));
        assert_eq!(text(&begun, "verification_uri_complete"), format!("https://api.example/portal/device?user_code={}", text(&begun, "user_code")));
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "authorization_pending"));
        // Too soon: from now on five seconds longer, which is remembered.
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "slow_down"));
        bed.advance(6);
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "slow_down"));
        bed.advance(16);
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "authorization_pending"));

        let user = bed.person(&tenant, Role::Owner).await;
        let who = bed.signed_in(user, &tenant, Role::Owner);
        let typed = text(&begun, "user_code").to_lowercase().replace('-', " ");
        let seen = bed.node.oauth.device_request(&typed, None).await.unwrap();
        assert_eq!((seen.app.name.as_str(), seen.scopes.len()), ("Phone", 3));
        let approval = Approval { scopes: Some(vec!["leads:read".into(), "openid".into()]), remember: false };
        bed.node.oauth.answer_device(&who, &bed.signed(), &typed, None, Some(approval.clone())).await.unwrap();
        let again = bed.node.oauth.answer_device(&who, &bed.signed(), &typed, None, Some(approval)).await;
        assert_eq!(again.unwrap_err().code(), "not_found", "it is answered once");
        assert_eq!(bed.audited().await, ["grant.create"]);

        let tokens = poll(&bed, &app, &begun).await.ok();
        assert_eq!(text(&tokens, "scope"), "leads:read openid");
        assert!(tokens["id_token"].is_string());
        let holder = bed.node.holder(text(&tokens, "access_token")).await.unwrap();
        assert_eq!(holder.credential, Credential::OAuthToken { client: app.id, user: Some(user) });
        bed.node.refresh(&app, text(&tokens, "refresh_token")).await.ok();
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "invalid_grant"), "it is redeemed once");
    }

    async fn what_a_device_was_allowed_is_withdrawn(bed: Bed) {
        let (tenant, app) = television(&bed).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        let allowed = async || {
            let begun = begin(&bed, &app).await;
            bed.node.oauth.answer_device(&who, &bed.signed(), text(&begun, "user_code"), None, Some(Approval::default())).await.unwrap();
            begun
        };
        let tokens = poll(&bed, &app, &allowed().await).await.ok();
        let waiting = allowed().await;
        let list = async || bed.node.oauth.list_consents(&who, &AppFilter::default(), PageRequest::default()).await.unwrap().data;
        let apps = list().await;
        assert_eq!((apps.len(), apps[0].remembered, apps[0].scopes.len()), (1, false, 3));
        bed.node.oauth.withdraw_consent(&who, apps[0].id).await.unwrap();
        assert!(!bed.node.is_good(text(&tokens, "access_token")).await);
        assert_eq!(bed.node.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant"));
        assert_eq!(poll(&bed, &app, &waiting).await.error(), (400, "access_denied"), "what it had not fetched yet as well");
        assert!(list().await.is_empty());
    }

    async fn a_person_refuses_a_device(bed: Bed) {
        let (tenant, app) = television(&bed).await;
        let begun = begin(&bed, &app).await;
        let who = bed.signed_in(bed.person(&tenant, Role::Viewer).await, &tenant, Role::Viewer);
        bed.node.oauth.answer_device(&who, &bed.signed(), text(&begun, "user_code"), None, None).await.unwrap();
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "access_denied"));
        // Nobody allows more than is theirs.
        let begun = begin(&bed, &app).await;
        let more = Approval { scopes: Some(vec!["leads:write".into()]), remember: false };
        let refused = bed.node.oauth.answer_device(&who, &bed.signed(), text(&begun, "user_code"), None, Some(more)).await;
        assert_eq!(refused.unwrap_err().code(), "validation_failed");
        bed.advance(600);
        assert_eq!(poll(&bed, &app, &begun).await.error(), (400, "expired_token"));
        assert_eq!(bed.node.oauth.device_request(text(&begun, "user_code"), None).await.unwrap_err().code(), "not_found");
        bed.advance(3600);
        bed.node.oauth.sweep().await.unwrap();
        assert_eq!(bed.count("oauth_devices").await, 0);
    }

    async fn codes_are_for_their_client_and_not_to_be_guessed(bed: Bed) {
        let (tenant, app) = television(&bed).await;
        let other = bed.public_app(&tenant, &["leads:read"]).await;
        assert_eq!(bed.node.post(&other, "/oauth/device_authorization", &[]).await.error(), (400, "unauthorized_client"));
        bed.set(&tenant, &other, json!({"grantTypes": [GRANT]})).await.unwrap();
        let begun = begin(&bed, &app).await;
        assert_eq!(poll(&bed, &other, &begun).await.error(), (400, "invalid_grant"));
        let from = Some("192.0.2.7".parse().unwrap());
        for _ in 0..10 {
            assert_eq!(bed.node.oauth.device_request("BBBB-BBBB", from).await.unwrap_err().code(), "not_found");
        }
        let refused = bed.node.oauth.device_request(text(&begun, "user_code"), from).await.unwrap_err();
        assert_eq!((refused.code(), refused.wait().is_some()), ("too_many_attempts", true));
        assert!(bed.node.oauth.device_request(text(&begun, "user_code"), Some("192.0.2.8".parse().unwrap())).await.is_ok());
        // Of many polls at once one gets the tokens.
        let who = bed.signed_in(bed.person(&tenant, Role::Owner).await, &tenant, Role::Owner);
        bed.node.oauth.answer_device(&who, &bed.signed(), text(&begun, "user_code"), None, Some(Approval::default())).await.unwrap();
        let (a, b, c) = tokio::join!(poll(&bed, &app, &begun), poll(&bed, &app, &begun), poll(&bed, &app, &begun));
        assert_eq!([a, b, c].iter().filter(|answer| answer.status == 200).count(), 1);
    }
}
