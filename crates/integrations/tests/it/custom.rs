//! Connectors that files describe.

use serde_json::json;
use vendors::acme::{Acme, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::{ACME, Bed};

testkit::engines! {
    /// A manifest becomes a connector of the tenant's, works at once, and each change of it is a version.
    async fn a_manifest_becomes_a_connector(bed: Bed) {
        let double = Double::start(Acme::new(Options { ambient: bed.ambient.clone(), ..Options::new() })).await.unwrap();
        let id = bed.acme(&double.url(), &double.issue().access_token).await;
        let tested = bed.api("POST", &format!("/integrations/{id}/test"), None).await.expect(200).json();
        assert_eq!((&tested["success"], &tested["message"]), (&json!(true), &json!("Ada Acme")));
        let entry = bed.api("GET", "/marketplace/acme-crm", None).await.expect(200).json();
        assert_eq!((&entry["source"], &entry["version"], &entry["settings"][0]["name"]), (&json!("tenant"), &json!("1.0.0"), &json!("region")));
        let changed = ACME.replace("version = \"1.0.0\"", "version = \"1.1.0\"");
        let second = bed.api("POST", "/connectors", Some(json!({ "manifest": changed }))).await.expect(201).json();
        assert_eq!((&second["id"], &second["version"]), (&json!("acme-crm"), &json!(2)));
        let shown = bed.api("GET", "/connectors/acme-crm", None).await.expect(200).json();
        assert_eq!((&shown["manifest"], &shown["about"]["version"]), (&json!(changed), &json!("1.1.0")));
        assert_eq!(bed.api("GET", "/marketplace/acme-crm", None).await.json()["version"], "1.1.0");
        let list = bed.api("GET", "/connectors", None).await.expect(200).json();
        assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["manifest"]), (1, &serde_json::Value::Null));
        assert_eq!(bed.api("DELETE", "/connectors/acme-crm", None).await.expect(409).fault().0, "connector_in_use");
        bed.api("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
        bed.api("DELETE", "/connectors/acme-crm", None).await.expect(204);
        bed.api("GET", "/connectors/acme-crm", None).await.expect(404);
        bed.api("GET", "/marketplace/acme-crm", None).await.expect(404);
    }

    /// A faulty manifest is refused with every fault's line.
    async fn faults_of_a_manifest_are_shown(bed: Bed) {
        let faulty = ACME.replace("[[objects]]", "[[objcts]]").replace("category = \"crm\"", "category = \"crn\"");
        let answer = bed.api("POST", "/connectors", Some(json!({ "manifest": faulty }))).await.expect(422);
        assert_eq!(answer.fault(), ("invalid_connector".to_owned(), "/manifest".to_owned()));
        let text = answer.text();
        assert!(text.contains("line") || text.contains(':'), "{text}");
        assert!(answer.json()["errors"].as_array().unwrap().len() >= 2, "{text}");
        let stolen = ACME.replace("id = \"acme-crm\"", "id = \"hubspot\"");
        assert_eq!(bed.api("POST", "/connectors", Some(json!({ "manifest": stolen }))).await.expect(409).fault().0, "connector_exists");
    }

    /// A tenant's connector is the tenant's only; the operator's is everybody's, and the tenant's own goes before it.
    async fn whose_a_connector_is(bed: Bed) {
        bed.api("POST", "/connectors", Some(json!({ "manifest": ACME }))).await.expect(201);
        bed.api_as(bed.stranger(), "GET", "/marketplace/acme-crm", None).await.expect(404);
        bed.api_as(bed.stranger(), "GET", "/connectors/acme-crm", None).await.expect(404);
        bed.api_as(bed.stranger(), "DELETE", "/connectors/acme-crm", None).await.expect(404);
        let unknown = bed.api_as(bed.stranger(), "POST", "/integrations", Some(json!({"connector": "acme-crm"}))).await.expect(422);
        assert_eq!(unknown.fault().0, "unknown_connector");
        let operators = ACME.replace("version = \"1.0.0\"", "version = \"9.0.0\"");
        bed.api_as(Bed::operator(), "POST", "/connectors", Some(json!({ "manifest": operators }))).await.expect(201);
        let theirs = bed.api_as(bed.stranger(), "GET", "/marketplace/acme-crm", None).await.expect(200).json();
        assert_eq!((&theirs["source"], &theirs["version"]), (&json!("operator"), &json!("9.0.0")));
        assert_eq!(bed.api("GET", "/marketplace/acme-crm", None).await.json()["version"], "1.0.0");
        bed.api_as(bed.stranger(), "POST", "/integrations", Some(json!({"connector": "acme-crm"}))).await.expect(201);
        bed.api_as(bed.stranger(), "DELETE", "/connectors/acme-crm", None).await.expect(404);
        assert_eq!(bed.api_as(Bed::operator(), "DELETE", "/connectors/acme-crm", None).await.expect(409).fault().0, "connector_in_use");
    }
}
