//! Credentials stay where they were given for.

use kernel::Scope;
use serde_json::{Value, json};
use vault::OauthApp;
use vendors::acme::{Acme, Options};
use vendors::hubspot::{self, HubSpot};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{ACME, Bed};

async fn acme(bed: &Bed) -> Double<Acme> {
    Double::start(Acme::new(Options { ambient: bed.ambient.clone(), ..Options::new() })).await.unwrap()
}

async fn hubspot(bed: &Bed) -> Double<HubSpot> {
    Double::start(HubSpot::new(hubspot::Options { ambient: bed.ambient.clone(), ..hubspot::Options::unlimited() })).await.unwrap()
}

async fn tested(bed: &Bed, path: &str) -> (Value, Value) {
    let tested = bed.api("POST", &format!("{path}/test"), None).await.expect(200).json();
    (tested["success"].clone(), tested["code"].clone())
}

fn bound() -> (String, String) {
    ("credentials_bound".to_owned(), "/config/baseUrl".to_owned())
}

testkit::engines! {
    /// Another address needs the credentials again; a name does not.
    async fn sealed_credentials_do_not_move(bed: Bed) {
        let (ours, other) = (acme(&bed).await, acme(&bed).await);
        let id = bed.acme(&ours.url(), &ours.issue().access_token).await;
        let path = format!("/integrations/{id}");
        for config in [json!({"baseUrl": other.url()}), json!({}), json!({"baseUrl": ours.url().replace("127.0.0.1", "127.0.0.2")})] {
            let refused = bed.api("PATCH", &path, Some(json!({ "config": config }))).await.expect(422);
            assert_eq!(refused.fault(), bound(), "{config}");
        }
        assert_eq!(tested(&bed, &path).await, (json!(true), Value::Null));
        bed.api("PATCH", &path, Some(json!({"name": "n", "config": {"baseUrl": format!("{}/", ours.url())}}))).await.expect(200);
        assert_eq!(other.stand().log.total(), 0);
        let moved = json!({"config": {"baseUrl": other.url()}, "credentials": {"apiKey": other.issue().access_token}});
        bed.api("PATCH", &path, Some(moved)).await.expect(200);
        assert_eq!(tested(&bed, &path).await, (json!(true), Value::Null));
        let back = bed.api("PATCH", &path, Some(json!({"config": {"baseUrl": ours.url()}}))).await.expect(422);
        assert_eq!(back.fault(), bound());
        bed.api("PATCH", &path, Some(json!({"config": {"baseUrl": ours.url()}, "credentials": null}))).await.expect(200);
    }

    /// A manifest's next version does not get the credentials that were given for the one before.
    async fn a_new_manifest_takes_no_credentials_along(bed: Bed) {
        let (ours, other) = (acme(&bed).await, acme(&bed).await);
        let manifest = |base: String| json!({"manifest": ACME.replace("https://{config.region}.acme.example", &base)});
        bed.api("POST", "/connectors", Some(manifest(ours.url()))).await.expect(201);
        let id = bed.integration(json!({"connector": "acme-crm", "credentials": {"apiKey": ours.issue().access_token}})).await;
        let path = format!("/integrations/{id}");
        assert_eq!(tested(&bed, &path).await, (json!(true), Value::Null));
        bed.api("POST", "/connectors", Some(manifest(other.url()))).await.expect(201);
        assert_eq!(tested(&bed, &path).await, (json!(false), json!("credentials_bound")));
        assert_eq!(other.stand().log.total(), 0);
        assert_eq!(bed.shown(id).await["status"], "error");
        bed.api("PATCH", &path, Some(json!({"name": "renamed"}))).await.expect(200);
        bed.api("PATCH", &path, Some(json!({"credentials": {"apiKey": other.issue().access_token}}))).await.expect(200);
        assert_eq!(tested(&bed, &path).await, (json!(true), Value::Null));
    }

    /// A token of the vault goes to its own API, whatever the configuration says.
    async fn a_token_stays_with_its_vendor(bed: Bed) {
        let (ours, other) = (hubspot(&bed).await, hubspot(&bed).await);
        let app: OauthApp =
            serde_json::from_value(json!({"clientId": "double-client", "clientSecret": "double-secret", "baseUrl": ours.url()})).unwrap();
        bed.vault.put_provider(&Bed::operator(), "hubspot", app).await.unwrap();
        let token = json!({"provider": "hubspot", "accessToken": ours.issue().access_token});
        let token = bed.vault.create(&bed.caller(), serde_json::from_value(token).unwrap()).await.unwrap();
        let body = |base: String| json!({"connector": "hubspot", "config": {"baseUrl": base}, "oauthTokenId": token.id});
        let refused = ("token_base_refused".to_owned(), "/config/baseUrl".to_owned());
        assert_eq!(bed.api("POST", "/integrations", Some(body(other.url()))).await.expect(422).fault(), refused);
        let id = bed.integration(body(ours.url())).await;
        let path = format!("/integrations/{id}");
        assert_eq!(tested(&bed, &path).await, (json!(true), Value::Null));
        let moved = json!({"config": {"baseUrl": other.url()}});
        assert_eq!(bed.api("PATCH", &path, Some(moved.clone())).await.expect(422).fault(), refused);
        // What was stored before there was the rule is judged when a call is made.
        let (scope, config) = (Scope::system("test"), moved["config"].to_string());
        let store = |tx: &mut store::Tx<'_>| tx.exec("UPDATE integrations SET config = ?1", &[config.into()]).map(drop);
        bed.store.write(scope, store).await.unwrap();
        assert_eq!(tested(&bed, &path).await, (json!(false), json!("token_base_refused")));
        assert_eq!(other.stand().log.total(), 0);
    }

    /// What a connector could not work with is refused when it is written.
    async fn settings_are_checked_when_they_are_written(bed: Bed) {
        for (config, pointer) in [
            (json!({"baseUrl": "https://api.hubapi.com/?x=1"}), "/config/baseUrl"),
            (json!({"baseUrl": "https://api.hubapi.com/#x"}), "/config/baseUrl"),
            (json!({"apiVersion": "moon"}), "/config/apiVersion"),
            (json!({"timeZone": "Moon/Base"}), "/config/timeZone"),
            (json!({"lookbackSeconds": "soon"}), "/config/lookbackSeconds"),
        ] {
            let refused = bed.api("POST", "/integrations", Some(json!({"connector": "hubspot", "config": config}))).await.expect(422);
            assert_eq!(refused.fault(), ("validation_failed".to_owned(), pointer.to_owned()), "{config}");
        }
    }
}
