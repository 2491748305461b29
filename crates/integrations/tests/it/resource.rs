//! Making, changing and deleting integrations.

use kernel::{Caller, Scope};
use serde_json::{Value, json};

use crate::bed::{Bed, PUBLIC};

testkit::engines! {
    /// What is set is shown; a credential is shown nowhere.
    async fn the_life_of_an_integration(bed: Bed) {
        let body = json!({"connector": "hubspot", "name": "Our CRM", "notes": "Ask Ada", "environment": "staging", "enabled": false,
            "config": {"baseUrl": "https://api.hubapi.com"}, "credentials": {"accessToken": "pat-s3cret"}});
        let made = bed.api("POST", "/integrations", Some(body.clone())).await.expect(201);
        assert!(!made.text().contains("s3cret"));
        let location = made.headers["location"].to_str().unwrap().to_owned();
        let made = made.json();
        let id = made["id"].as_str().unwrap();
        assert_eq!(location, format!("/api/v1/integrations/{id}"));
        assert_eq!(made["webhookUrl"], format!("{PUBLIC}/in/integrations/{id}"));
        for name in ["connector", "name", "notes", "environment", "enabled", "config"] {
            assert_eq!(made[name], body[name], "{name}");
        }
        assert_eq!((&made["status"], &made["credentialNames"]), (&json!("connected"), &json!(["accessToken"])));
        let list = bed.api("GET", "/integrations?connector=hubspot", None).await.expect(200).json();
        assert_eq!((&list["data"][0], &list["pagination"]["total"]), (&made, &json!(1)));
        assert_eq!(bed.api("GET", "/integrations?connector=salesforce", None).await.json()["data"], json!([]));
        let sealed: Vec<u8> =
            bed.store.read(Scope::system("test"), |tx| tx.query_one("SELECT credentials FROM integrations", &[], |row| row.get(0))).await.unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("s3cret"), "secrets do not rest in the clear");
        let path = format!("/integrations/{id}");
        let changed = bed.api("PATCH", &path, Some(json!({"notes": null, "enabled": true, "credentials": null}))).await.expect(200).json();
        assert_eq!((&changed["notes"], &changed["enabled"], &changed["name"]), (&Value::Null, &json!(true), &json!("Our CRM")));
        assert_eq!((&changed["status"], &changed["credentialNames"]), (&json!("disconnected"), &json!([])));
        let back = bed.api("PATCH", &path, Some(json!({"credentials": {"accessToken": "new"}, "config": {}}))).await.expect(200).json();
        assert_eq!((&back["status"], &back["config"], &back["statusReason"]), (&json!("connected"), &json!({}), &Value::Null));
        bed.api("DELETE", &path, None).await.expect(204);
        bed.api("GET", &path, None).await.expect(404);
        bed.api("DELETE", &path, None).await.expect(404);
        let expected = ["integration.create", "integration.replace_credentials", "integration.update", "integration.replace_credentials",
            "integration.update", "integration.delete"];
        assert_eq!(bed.audited().await, expected);
    }

    async fn faults_say_where(bed: Bed) {
        let of = |more: Value| {
            let mut body = json!({"connector": "hubspot"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, code, pointer) in [
            (json!({"connector": "nobody"}), "unknown_connector", "/connector"),
            (of(json!({"name": ""})), "validation_failed", "/name"),
            (of(json!({"environment": "moon"})), "validation_failed", "/environment"),
            (of(json!({"colour": 1})), "validation_failed", "/colour"),
            (of(json!({"config": {"baseUrl": 7}})), "validation_failed", "/config/baseUrl"),
            (of(json!({"config": {"colour": "red"}})), "validation_failed", "/config/colour"),
            (of(json!({"credentials": {"password": "x"}})), "validation_failed", "/credentials/password"),
            (of(json!({"credentials": {"accessToken": "a\nb"}})), "validation_failed", "/credentials/accessToken"),
            (of(json!({"oauthTokenId": "otk_01h455vb4pex5vsknk084sn02q"})), "validation_failed", "/oauthTokenId"),
        ] {
            let answer = bed.api("POST", "/integrations", Some(body.clone())).await.expect(422);
            assert_eq!(answer.fault(), (code.to_owned(), pointer.to_owned()), "{body}");
        }
        for address in ["http://10.0.0.1", "ftp://x.example", "http://169.254.169.254/latest", "not a url"] {
            let answer = bed.api("POST", "/integrations", Some(of(json!({"config": {"baseUrl": address}})))).await.expect(422);
            assert_eq!(answer.fault().1, "/config/baseUrl", "{address}");
        }
    }

    /// Someone else's integration is as one that never existed, on every route.
    async fn strangers_see_nothing(bed: Bed) {
        let id = bed.integration(json!({"connector": "hubspot", "credentials": {"accessToken": "x"}})).await;
        for (method, path, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({"enabled": false}))),
            ("DELETE", "", None),
            ("POST", "/test", None),
            ("GET", "/health", None),
            ("GET", "/logs", None),
            ("GET", "/objects", None),
            ("GET", "/objects/contacts", None),
            ("POST", "/objects/contacts/accept", None),
        ] {
            let answer = bed.api_as(bed.stranger(), method, &format!("/integrations/{id}{path}"), body).await.expect(404);
            assert_eq!(answer.fault().0, "not_found", "{method} {path}");
        }
        let preview = json!({"fieldMappings": [{"localField": "a", "remoteField": "email"}], "integrationId": id, "object": "contacts"});
        bed.api_as(bed.stranger(), "POST", "/mappings/preview", Some(preview)).await.expect(404);
        assert_eq!(bed.api_as(bed.stranger(), "GET", "/integrations", None).await.json()["data"], json!([]));
        let nobody = Caller::system("test", Some(bed.tenant));
        assert!(bed.integrations.get(&nobody, id).await.is_ok(), "and it is untouched");
    }

    async fn a_tenant_s_integrations_go_with_it(bed: Bed) {
        bed.integration(json!({"connector": "hubspot", "credentials": {"accessToken": "x"}})).await;
        let theirs = bed.api_as(bed.stranger(), "POST", "/integrations", Some(json!({"connector": "hubspot"}))).await.expect(201).json();
        bed.access.delete_tenant(&Bed::operator(), kernel::IdRef::Id(bed.tenant)).await.unwrap();
        assert_eq!(bed.rows("integrations").await, 1);
        let id = theirs["id"].as_str().unwrap();
        bed.api_as(bed.stranger(), "GET", &format!("/integrations/{id}"), None).await.expect(200);
    }

    async fn the_catalogue_lists_what_there_is(bed: Bed) {
        let listed = bed.api("GET", "/marketplace", None).await.expect(200).json();
        let entry = listed["data"].as_array().unwrap().iter().find(|entry| entry["id"] == "hubspot").unwrap().clone();
        assert_eq!((&entry["category"], &entry["auth"]["type"], &entry["source"]), (&json!("crm"), &json!("oauth2"), &json!("built_in")));
        assert!(entry["objects"].as_array().unwrap().iter().any(|object| object["name"] == "contacts"));
        assert_eq!(bed.api("GET", "/marketplace/hubspot", None).await.expect(200).json(), entry);
        bed.api("GET", "/marketplace/nobody", None).await.expect(404);
    }
}
