//! Making, changing and deleting sources.

use kernel::{Caller, Scope};
use serde_json::{Value, json};

use crate::bed::{Bed, PUBLIC, call_at};
use crate::signing::{generic, github};

testkit::engines! {
    /// What is set is shown; a secret is in the answer that makes it and nowhere else.
    async fn the_life_of_a_source(bed: Bed) {
        let body = json!({"provider": "generic-hmac", "name": "Shop", "description": "Orders", "events": ["order.*"], "filter": {"data.total": {"$gt": 5}},
            "settings": {"header": "X-Sig", "algorithm": "sha512"}, "response": {"status": 202, "contentType": "text/xml", "body": "<ok/>"}});
        let made = bed.api("POST", "", Some(body.clone())).await.expect(201);
        let location = made.headers["location"].to_str().unwrap().to_owned();
        let made = made.json();
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        assert_eq!(location, format!("/api/v1/sources/{id}"));
        assert_eq!(made["url"], format!("{PUBLIC}/in/{id}"));
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&made[name], value, "{name}");
        }
        assert_eq!((&made["enabled"], &made["hasSecret"]), (&json!(true), &json!(true)));
        let shown = bed.api("GET", &format!("/{id}"), None).await.expect(200);
        assert!(!shown.text().contains(secret));
        let list = bed.api("GET", "?limit=1", None).await.expect(200);
        assert_eq!((&list.json()["data"][0], &list.json()["pagination"]["total"]), (&shown.json(), &json!(1)));
        let sealed: Vec<u8> = bed.store.read(Scope::system("test"), |tx| tx.query_one("SELECT secrets FROM sources", &[], |row| row.get(0))).await.unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains(secret), "secrets do not rest in the clear");
        let patch = json!({"name": null, "enabled": false, "events": null, "filter": null, "settings": null, "response": null});
        let changed = bed.api("PATCH", &format!("/{id}"), Some(patch)).await.expect(200).json();
        assert_eq!((&changed["name"], &changed["events"], &changed["settings"], &changed["response"]), (&Value::Null, &json!([]), &json!({}), &Value::Null));
        assert_eq!((&changed["enabled"], &changed["description"], &changed["filter"]), (&json!(false), &json!("Orders"), &Value::Null));
        bed.api("DELETE", &format!("/{id}"), None).await.expect(204);
        bed.api("GET", &format!("/{id}"), None).await.expect(404);
        bed.api("DELETE", &format!("/{id}"), None).await.expect(404);
        assert_eq!(bed.audited().await, ["source.create", "source.update", "source.delete"]);
    }

    /// A secret that is given is not repeated; one of a vendor's making comes later.
    async fn secrets_are_given_or_made(bed: Bed) {
        for (provider, given, made) in [
            ("github", Some("s"), false), ("github", None, true), ("stripe", None, true), ("standard-webhooks", None, true), ("basic", None, true),
            ("sendgrid", None, false),
        ] {
            let answer = bed.api("POST", "", Some(json!({"provider": provider, "secret": given}))).await.expect(201).json();
            assert_eq!(answer["secret"].is_string(), made, "{provider} {given:?}");
            assert_eq!(answer["hasSecret"], json!(given.is_some() || made), "{provider}");
            if provider == "standard-webhooks" {
                assert!(answer["secret"].as_str().unwrap().starts_with("whsec_"));
            }
        }
        let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEh78h1JXTv2X7W9B8BoDr5yv4kL4w/NhAvhY5u4SCCAIZsv3O7Kbw+3RdTcR6utCsgKIfWqsrNGurAQyQ2BugQ==";
        let list = bed.api("GET", "", None).await.json();
        let sendgrid = list["data"].as_array().unwrap().iter().find(|row| row["provider"] == "sendgrid").unwrap()["id"].as_str().unwrap();
        let rotate = async |body| bed.api("POST", &format!("/{sendgrid}/rotate-secret"), Some(body)).await;
        let fault = rotate(json!({})).await;
        assert_eq!((fault.status.as_u16(), &fault.json()["errors"][0]["pointer"]), (422, &json!("/secret")));
        rotate(json!({"secret": "not a key"})).await.expect(422);
        let armoured = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
        assert_eq!(rotate(json!({"secret": armoured})).await.expect(200).json()["secret"], Value::Null);
        assert_eq!(bed.api("GET", &format!("/{sendgrid}"), None).await.json()["hasSecret"], json!(true));
        let patched = bed.api("PATCH", &format!("/{sendgrid}"), Some(json!({"secret": key}))).await.expect(200);
        assert!(!patched.text().contains(key));
    }

    async fn faults_say_where(bed: Bed) {
        for (body, pointer) in [
            (json!({"provider": "gitlab"}), "/provider"),
            (json!({"provider": "github", "colour": 1}), "/colour"),
            (json!({"provider": "github", "secret": ""}), "/secret"),
            (json!({"provider": "github", "secret": "x".repeat(2000)}), "/secret"),
            (json!({"provider": "sendgrid", "secret": "AAAA"}), "/secret"),
            (json!({"provider": "generic-hmac", "secret": "xyz", "settings": {"secretEncoding": "hex"}}), "/secret"),
            (json!({"provider": "github", "events": ["a b"]}), "/events/0"),
            (json!({"provider": "github", "filter": {"status": 1}}), "/filter/status"),
            (json!({"provider": "github", "response": {"status": 302}}), "/response/status"),
            (json!({"provider": "github", "response": {"status": 204, "body": "x"}}), "/response/body"),
            (json!({"provider": "github", "response": {"contentType": "a/b\u{1}"}}), "/response/contentType"),
            (json!({"provider": "github", "settings": {"algorithm": "sha1"}}), "/settings/algorithm"),
            (json!({"provider": "github", "settings": {"colour": 1}}), "/settings/colour"),
            (json!({"provider": "github", "name": ""}), "/name"),
        ] {
            let answer = bed.api("POST", "", Some(body.clone())).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!(pointer)), "{body}");
        }
        let answer = bed.api("POST", "", Some(json!({"provider": "standard-webhooks", "secret": "x"}))).await;
        assert_eq!(answer.json()["code"], "invalid_webhook_secret");
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "not hex"})).await;
        let patch = json!({"settings": {"secretEncoding": "hex"}});
        bed.api("PATCH", &format!("/{id}"), Some(patch)).await.expect(422);
        bed.api("PATCH", &format!("/{id}"), Some(json!({"provider": "github"}))).await.expect(422);
        bed.api("POST", &format!("/{id}/rotate-secret"), Some(json!({"overlapSeconds": 2_592_001}))).await.expect(422);
    }

    /// Another tenant's source is as one that never existed, and so is its quarantine.
    async fn strangers_see_nothing(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        bed.call(&id, &github("wrong", "push", "1", "{}")).await.expect(401);
        let list = bed.api("GET", &format!("/{id}/quarantine"), None).await.json();
        let call = list["data"][0]["id"].as_str().unwrap();
        for (method, path, body) in [
            ("GET", format!("/{id}"), None),
            ("PATCH", format!("/{id}"), Some(json!({"enabled": false}))),
            ("DELETE", format!("/{id}"), None),
            ("POST", format!("/{id}/rotate-secret"), Some(json!({}))),
            ("GET", format!("/{id}/quarantine"), None),
            ("DELETE", format!("/{id}/quarantine"), None),
            ("GET", format!("/{id}/quarantine/{call}"), None),
            ("DELETE", format!("/{id}/quarantine/{call}"), None),
            ("POST", format!("/{id}/quarantine/{call}/release"), None),
        ] {
            bed.api_as(bed.stranger.clone(), method, &path, body).await.expect(404);
        }
        assert_eq!(bed.api_as(bed.stranger.clone(), "GET", "", None).await.json()["data"], json!([]));
        bed.api("GET", &format!("/{id}/quarantine/{call}"), None).await.expect(200);
        // A call belongs to one source.
        let other = bed.source(json!({"provider": "github", "secret": "s"})).await;
        bed.api("POST", &format!("/{other}/quarantine/{call}/release"), None).await.expect(404);
        let nobody = Caller::new(bed.caller().credential().clone(), Some(bed.tenant), std::sync::Arc::from([]), kernel::PermissionSet::NONE);
        bed.api_as(nobody.clone(), "GET", "", None).await.expect(403);
        bed.api_as(nobody, "POST", "", Some(json!({"provider": "github"}))).await.expect(403);
    }

    async fn a_tenant_has_a_hundred_sources(bed: Bed) {
        for _ in 0..100 {
            bed.source(json!({"provider": "github"})).await;
        }
        let answer = bed.api("POST", "", Some(json!({"provider": "github"}))).await.expect(409);
        assert_eq!(answer.json()["code"], "too_many_sources");
        let first = bed.api("GET", "?limit=60", None).await.json();
        let next = first["pagination"]["nextCursor"].as_str().unwrap();
        let rest = bed.api("GET", &format!("?limit=60&cursor={next}"), None).await.json();
        assert_eq!(rest["data"].as_array().unwrap().len(), 40);
    }

    /// What goes, takes everything along; and the address is dead at once.
    async fn sources_go_with_their_tenant(bed: Bed) {
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "s"})).await;
        bed.call(&id, &generic("wrong", "{}")).await.expect(401);
        bed.call(&id, &generic("s", "{}")).await.expect(200);
        let operator = Caller::system("test", None);
        bed.access.delete_tenant(&operator, kernel::IdRef::Id(bed.tenant)).await.unwrap();
        assert_eq!((bed.rows("sources").await, bed.rows("quarantined_calls").await), (0, 0));
        bed.call(&id, &generic("s", "{}")).await.expect(404);
    }

    /// What one node changes, another one knows.
    async fn every_node_knows(bed: Bed) {
        if bed.engine.database().is_none() {
            return;
        }
        let other = bed.second_node().await;
        let id = bed.source(json!({"provider": "generic-hmac", "secret": "s"})).await;
        call_at(&other, &id, &generic("s", "{}")).await.expect(200);
        bed.api("PATCH", &format!("/{id}"), Some(json!({"secret": "t"}))).await.expect(200);
        let soon = std::time::Duration::from_secs(20);
        testkit::wait::until("the other node to learn the secret", soon, async || {
            let new = call_at(&other, &id, &generic("t", "{}")).await;
            (new.status == 200).then_some(())
        })
        .await;
        call_at(&other, &id, &generic("s", "{}")).await.expect(401);
    }
}
