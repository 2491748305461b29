//! Calls to vendors: credentials, states, the log, health, what is shown.

use connectors::{Call, Fault, Target};
use serde_json::{Value, json};
use vault::NewOauthToken;
use vendors::acme::{self, Acme};
use vendors::hubspot::{HubSpot, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{ACME, Bed};

async fn double(bed: &Bed) -> Double<HubSpot> {
    Double::start(HubSpot::new(Options { ambient: bed.ambient.clone(), ..Options::unlimited() })).await.unwrap()
}

testkit::engines! {
    /// A test says who we are there and shows the call, without the credential.
    async fn a_test_shows_the_call_without_secrets(bed: Bed) {
        let double = double(&bed).await;
        let token = double.issue().access_token;
        let id = bed.hubspot(&double.url(), &token).await;
        let tested = bed.api("POST", &format!("/integrations/{id}/test"), None).await.expect(200);
        assert!(!tested.text().contains(&token));
        let tested = tested.json();
        assert_eq!((&tested["success"], &tested["response"]["status"]), (&json!(true), &json!(200)), "{tested}");
        assert!(tested["request"]["url"].as_str().unwrap().starts_with(&double.url()), "{tested}");
        assert!(!tested["message"].as_str().unwrap().is_empty());
        assert_eq!(bed.audited().await.last().unwrap(), "integration.test");
    }

    /// A credential that the vendor does not take turns the integration's state, and a good one turns it back.
    async fn a_bad_credential_is_seen_and_mended(bed: Bed) {
        let double = double(&bed).await;
        let id = bed.hubspot(&double.url(), "nobody's token").await;
        let path = format!("/integrations/{id}");
        let tested = bed.api("POST", &format!("{path}/test"), None).await.expect(200).json();
        assert_eq!((&tested["success"], &tested["code"], &tested["response"]["status"]), (&json!(false), &json!("vendor_unauthorized"), &json!(401)));
        let shown = bed.shown(id).await;
        assert_eq!(shown["status"], "error");
        assert!(shown["statusReason"].as_str().is_some_and(|reason| !reason.is_empty()));
        let token = double.issue().access_token;
        bed.api("PATCH", &path, Some(json!({"credentials": {"accessToken": token}}))).await.expect(200);
        assert_eq!(bed.api("POST", &format!("{path}/test"), None).await.json()["success"], json!(true));
        assert_eq!((&bed.shown(id).await["status"], &bed.shown(id).await["statusReason"]), (&json!("connected"), &Value::Null));
    }

    async fn without_a_credential_nothing_is_sent(bed: Bed) {
        let double = double(&bed).await;
        let id = bed.integration(json!({"connector": "hubspot", "config": {"baseUrl": double.url()}})).await;
        assert_eq!(bed.shown(id).await["status"], "disconnected");
        let tested = bed.api("POST", &format!("/integrations/{id}/test"), None).await.expect(200).json();
        assert_eq!((&tested["success"], &tested["code"], &tested["request"]), (&json!(false), &json!("vendor_unauthorized"), &Value::Null));
        assert_eq!(double.stand().log.total(), 0);
    }

    /// Every call is in the log and in the counts: who, where to, how it ended.
    async fn calls_are_logged_and_counted(bed: Bed) {
        let double = double(&bed).await;
        let id = bed.hubspot(&double.url(), &double.issue().access_token).await;
        let (connector, session) = bed.integrations.session(&bed.scope(), id).await.unwrap();
        connector.test(&session).await.unwrap();
        for path in ["/crm/v3/objects/contacts?secret=x", "/nothing/here"] {
            session.carrier.send(Call::get(Target::Path(path.to_owned()))).await.unwrap();
        }
        let log = bed.api("GET", &format!("/integrations/{id}/logs"), None).await.expect(200).json();
        let newest = &log["data"][0];
        let members = ["method", "endpoint", "status", "success", "actor"].map(|name| newest[name].clone());
        assert_eq!(members, [json!("GET"), json!("/nothing/here"), json!(404), json!(false), json!("system:test")]);
        assert!(newest["durationMs"].is_u64() && newest["time"].is_string());
        assert!(!log.to_string().contains("secret"), "a query is not logged");
        let bad = bed.api("GET", &format!("/integrations/{id}/logs?success=false"), None).await.json();
        assert_eq!(bad["data"].as_array().unwrap().len(), 1);
        let first = bed.api("GET", &format!("/integrations/{id}/logs?limit=1"), None).await.json();
        let next = first["pagination"]["nextCursor"].as_str().unwrap();
        let second = bed.api("GET", &format!("/integrations/{id}/logs?limit=1&cursor={next}"), None).await.json();
        assert_eq!(second["data"][0], log["data"][1]);
        let health = bed.api("GET", &format!("/integrations/{id}/health"), None).await.expect(200).json();
        let calls = log["data"].as_array().unwrap().len();
        assert_eq!((&health["calls"], &health["failures"], &health["latency"]["answers"]), (&json!(calls), &json!(1), &json!(calls)));
        assert!(health["latency"]["p50Ms"].is_u64() && health["lastSuccessAt"].is_string() && health["lastFailureAt"].is_string());
        assert!(health["errorRate"].as_f64().unwrap() > 0.0);
        bed.api("GET", &format!("/integrations/{id}/health?hours=0"), None).await.expect(422);
        bed.wait(3 * 86_400);
        assert_eq!(bed.api("GET", &format!("/integrations/{id}/health"), None).await.json()["calls"], json!(0));
    }

    /// The log is bounded: the newest thousand calls of an integration.
    async fn the_log_is_bounded(bed: Bed) {
        let double = Double::start(Acme::new(acme::Options { ambient: bed.ambient.clone(), burst: usize::MAX, ..acme::Options::new() })).await.unwrap();
        bed.api("POST", "/connectors", Some(json!({ "manifest": ACME.replace("max = 100", "max = 1000000") }))).await.expect(201);
        let body = json!({"connector": "acme-crm", "config": {"baseUrl": double.url()}, "credentials": {"apiKey": double.issue().access_token}});
        let id = bed.integration(body).await;
        let (_, session) = bed.integrations.session(&bed.scope(), id).await.unwrap();
        for n in 0..1_010 {
            session.carrier.send(Call::get(Target::Path(format!("/nothing/{n}")))).await.unwrap();
        }
        bed.integrations.flush().await;
        assert_eq!(bed.rows("integration_calls").await, 1000);
        let log = bed.api("GET", &format!("/integrations/{id}/logs?limit=1"), None).await.json();
        assert_eq!(log["data"][0]["endpoint"], "/nothing/1009");
        assert_eq!(bed.api("GET", &format!("/integrations/{id}/health"), None).await.json()["calls"], json!(1010));
    }

    /// A credential goes to the account's base and nowhere else.
    async fn calls_stay_with_the_account(bed: Bed) {
        let (double, other) = (double(&bed).await, double(&bed).await);
        let id = bed.hubspot(&double.url(), &double.issue().access_token).await;
        let (_, session) = bed.integrations.session(&bed.scope(), id).await.unwrap();
        let good = Target::Url(format!("{}/crm/v3/objects/contacts", double.url()));
        assert!(session.carrier.send(Call::get(good)).await.is_ok());
        for target in [Target::Url(format!("{}/x", other.url())), Target::Url("https://evil.example/x".into()), Target::Path("@evil.example".into())] {
            let Err(Fault::Refused { code, .. }) = session.carrier.send(Call::get(target.clone())).await else { panic!("{target:?}") };
            assert_eq!(code, "address_refused");
        }
        assert_eq!(other.stand().log.total(), 0);
    }

    async fn what_is_switched_off_has_no_session(bed: Bed) {
        let id = bed.integration(json!({"connector": "hubspot", "enabled": false, "credentials": {"accessToken": "x"}})).await;
        let Err(error) = bed.integrations.session(&bed.scope(), id).await else { panic!() };
        assert_eq!(error.code(), "integration_disabled");
    }

    /// A token of the vault is renewed when the vendor does not take it any more, and tells which account it is.
    async fn tokens_of_the_vault_are_renewed(bed: Bed) {
        let double = double(&bed).await;
        let issued = double.issue();
        let token = NewOauthToken {
            client_id: Some("double-client".into()),
            client_secret: Some("double-secret".into()),
            base_url: Some(double.url()),
            ..serde_json::from_value(json!({"provider": "hubspot", "accessToken": issued.access_token, "refreshToken": issued.refresh_token,
                "account": "62515"})).unwrap()
        };
        let token = bed.vault.create(&bed.caller(), token).await.unwrap();
        let body = json!({"connector": "hubspot", "config": {"baseUrl": double.url()}, "oauthTokenId": token.id});
        let id = bed.integration(body).await;
        assert_eq!(bed.api("POST", &format!("/integrations/{id}/test"), None).await.expect(200).json()["success"], json!(true));
        assert_eq!(bed.shown(id).await["account"], "62515");
        double.stand().faults.add(vendors::faults::Fault::parse("unauthorized,times=1").unwrap());
        let tested = bed.api("POST", &format!("/integrations/{id}/test"), None).await.expect(200).json();
        assert_eq!(tested["success"], json!(true), "{tested}");
        assert!(!tested.to_string().contains(&issued.access_token));
        let other = json!({"connector": "salesforce", "oauthTokenId": token.id});
        assert_eq!(bed.api("POST", "/integrations", Some(other)).await.expect(422).fault().1, "/oauthTokenId");
        let theirs = json!({"connector": "hubspot", "oauthTokenId": token.id});
        assert_eq!(bed.api_as(bed.stranger(), "POST", "/integrations", Some(theirs)).await.expect(422).fault().1, "/oauthTokenId");
    }
}
