//! Clients that register themselves.

use access::service_keys::{NewServiceKey, create};
use oauth::registrations::Registration;
use serde_json::json;

use crate::bed::{App, Bed, CALLBACK, Node, text};

fn strangers(bed: &Bed, home: &access::tenants::Tenant) -> Node {
    bed.configured(|config| {
        config.registration = Registration::Open;
        config.registration_tenant = Some(kernel::IdRef::Id(home.id));
        config.registration_scopes = Some(vec!["leads:read".into()]);
    })
}

testkit::engines! {
    async fn who_may_register_is_the_operators_to_say(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let body = json!({"redirect_uris": [CALLBACK], "client_name": "Mine"});
        let off = bed.configured(|config| config.registration = Registration::Off);
        assert_eq!(off.json("POST", "/oauth/register", None, &body).await.status, 403);
        assert!(off.oauth.metadata().get("registration_endpoint").is_none() && bed.node.oauth.metadata().get("registration_endpoint").is_some());
        assert_eq!(bed.node.json("POST", "/oauth/register", None, &body).await.error(), (401, "invalid_token"));
        let bound = NewServiceKey { tenant: Some(tenant.id.to_string()), ..NewServiceKey::default() };
        let key = create(&bed.node.store, bound).await.unwrap().key;
        let made = bed.node.json("POST", "/oauth/register", Some(key.reveal()), &body).await;
        assert_eq!((made.status.as_u16(), made.headers["cache-control"].to_str().unwrap()), (201, "no-store"));
        let client = bed.node.oauth.client_settings(&bed.acting(&tenant), text(&made.body, "client_id").parse().unwrap()).await.unwrap();
        assert!(client.registered);
        let narrow = NewServiceKey { tenant: Some(tenant.id.to_string()), permissions: Some(vec!["clients.read".into()]), ..NewServiceKey::default() };
        let narrow = create(&bed.node.store, narrow).await.unwrap().key;
        assert_eq!(bed.node.json("POST", "/oauth/register", Some(narrow.reveal()), &body).await.status, 403);
        assert_eq!(bed.node.json("POST", "/oauth/register", Some("tws_live_x"), &body).await.status, 401);
    }

    async fn a_strangers_client_acts_for_people_only(bed: Bed) {
        let home = bed.tenant("Registered").await;
        let open = strangers(&bed, &home);
        let machine = json!({"grant_types": ["client_credentials"]});
        assert_eq!(open.json("POST", "/oauth/register", None, &machine).await.error(), (400, "invalid_client_metadata"));
        let made = open.json("POST", "/oauth/register", None, &json!({"redirect_uris": [CALLBACK], "scope": "leads:read leads:write openid"})).await;
        assert_eq!((made.status.as_u16(), text(&made.body, "scope")), (201, "leads:read openid"));
        let app = App { id: text(&made.body, "client_id").parse().unwrap(), secret: made.body["client_secret"].as_str().map(str::to_owned) };
        assert_eq!(open.token(&app, &[("grant_type", "client_credentials")]).await.error(), (400, "unauthorized_client"));
        for bad in ["http://evil.example/cb", "https://a.example/#f", "javascript:x", "not a uri"] {
            let answer = open.json("POST", "/oauth/register", None, &json!({"redirect_uris": [bad]})).await;
            assert_eq!(answer.error(), (400, "invalid_redirect_uri"), "{bad}");
        }
        assert_eq!(open.json("POST", "/oauth/register", None, &json!({"redirect_uris": [CALLBACK], "client_name": ""})).await.error(), (400, "invalid_client_metadata"));
    }

    async fn a_registration_is_its_clients_to_manage(bed: Bed) {
        let home = bed.tenant("Registered").await;
        let open = strangers(&bed, &home);
        let made = open.json("POST", "/oauth/register", None, &json!({"redirect_uris": [CALLBACK], "client_name": "One"})).await.body;
        let other = open.json("POST", "/oauth/register", None, &json!({"redirect_uris": [CALLBACK]})).await.body;
        let (token, path) = (text(&made, "registration_access_token"), format!("/oauth/register/{}", text(&made, "client_id")));
        assert_eq!(text(&made, "registration_client_uri"), format!("https://api.example{path}"));
        let read = open.json("GET", &path, Some(token), &json!(null)).await.ok();
        assert_eq!((text(&read, "client_name"), read.get("client_secret")), ("One", None));
        for wrong in [None, Some("x"), Some(text(&other, "registration_access_token"))] {
            assert_eq!(open.json("GET", &path, wrong, &json!(null)).await.error(), (401, "invalid_token"));
        }
        let next = json!({"redirect_uris": ["https://app.example/other"], "client_name": "Two", "scope": "leads:read leads:write"});
        let changed = open.json("PUT", &path, Some(token), &next).await.ok();
        assert_eq!((text(&changed, "client_name"), text(&changed, "scope")), ("Two", "leads:read"), "nothing that it did not have");
        let more = json!({"redirect_uris": [CALLBACK], "grant_types": ["client_credentials"]});
        assert_eq!(open.json("PUT", &path, Some(token), &more).await.error(), (400, "invalid_client_metadata"));
        let public = json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
        assert_eq!(open.json("PUT", &path, Some(token), &public).await.error(), (400, "invalid_client_metadata"));
        assert_eq!(open.json("DELETE", &path, Some(token), &json!(null)).await.status, 204);
        assert_eq!(open.json("GET", &path, Some(token), &json!(null)).await.error(), (401, "invalid_token"));
    }
}
