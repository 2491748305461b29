//! What a vendor's account has: fields, proposals, drift.

use connectors::{Call, Target};
use serde_json::{Value, json};
use vendors::hubspot::{HubSpot, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::Bed;

testkit::engines! {
    async fn objects_are_described_and_mappings_proposed(bed: Bed) {
        let double = Double::start(HubSpot::new(Options { ambient: bed.ambient.clone(), ..Options::unlimited() })).await.unwrap();
        let id = bed.hubspot(&double.url(), &double.issue().access_token).await;
        let objects = bed.api("GET", &format!("/integrations/{id}/objects"), None).await.expect(200).json();
        assert!(objects["data"].as_array().unwrap().iter().any(|object| object["name"] == "contacts"));
        let path = format!("/integrations/{id}/objects/contacts");
        let described = bed.api("GET", &format!("{path}?resourceType=lead"), None).await.expect(200).json();
        assert_eq!((&described["object"], &described["drift"]), (&json!("contacts"), &Value::Null));
        let proposed = described["proposedMappings"].as_array().unwrap();
        let of = |ours: &str| proposed.iter().find(|one| one["localField"] == ours).unwrap_or_else(|| panic!("{ours} in {proposed:?}"));
        assert_eq!((&of("email")["remoteField"], &of("email")["key"]), (&json!("email"), &json!(true)));
        assert_eq!((&of("firstName")["remoteField"], &of("lastName")["remoteField"]), (&json!("firstname"), &json!("lastname")));
        let preview = json!({"fieldMappings": proposed, "records": [{"email": " a@b.co ", "firstName": "Ada"}]});
        let preview = bed.api("POST", "/mappings/preview", Some(preview)).await.expect(200).json();
        assert_eq!((&preview["records"][0]["email"], &preview["problems"]), (&json!("a@b.co"), &json!([])), "what is proposed works");
        bed.api("GET", &format!("{path}?resourceType=nothing"), None).await.expect(422);
        bed.api("GET", &format!("/integrations/{id}/objects/nothings"), None).await.expect(404);
    }

    /// A field that is new, or gone, is told until somebody says that it is well.
    async fn drift_is_told_until_it_is_accepted(bed: Bed) {
        let double = Double::start(HubSpot::new(Options { ambient: bed.ambient.clone(), ..Options::unlimited() })).await.unwrap();
        let id = bed.hubspot(&double.url(), &double.issue().access_token).await;
        let path = format!("/integrations/{id}/objects/contacts");
        let first = bed.api("GET", &path, None).await.expect(200).json();
        assert_eq!(first["drift"], Value::Null);
        bed.wait(60);
        let (_, session) = bed.integrations.session(&bed.scope(), id).await.unwrap();
        let body = json!({"name": "shoe_size", "label": "Shoe size", "type": "number", "fieldType": "number", "groupName": "contactinformation"});
        let made = session.carrier.send(Call::post(Target::Path("/crm/v3/properties/contacts".into()), body)).await.unwrap();
        assert!(made.status.is_success(), "{made:?}");
        let drifted = bed.api("GET", &path, None).await.expect(200).json();
        assert_eq!(drifted["drift"], json!({"added": ["shoe_size"], "removed": [], "changed": []}));
        assert_eq!(drifted["acceptedAt"], first["acceptedAt"]);
        let accepted = bed.api("POST", &format!("{path}/accept"), None).await.expect(200).json();
        assert_eq!(accepted["drift"], Value::Null);
        assert_eq!(bed.api("GET", &path, None).await.json()["drift"], Value::Null);
    }

    async fn a_vendor_that_is_down_is_a_gateway_s_error(bed: Bed) {
        let double = Double::start(HubSpot::new(Options { ambient: bed.ambient.clone(), ..Options::unlimited() })).await.unwrap();
        let id = bed.hubspot(&double.url(), "nobody's").await;
        let answer = bed.api("GET", &format!("/integrations/{id}/objects/contacts"), None).await.expect(409);
        assert_eq!(answer.fault().0, "vendor_unauthorized");
        let url = double.url();
        drop(double);
        let gone = bed.hubspot(&url, "x").await;
        let tested = bed.api("POST", &format!("/integrations/{gone}/test"), None).await.expect(200).json();
        assert_eq!((&tested["success"], &tested["code"]), (&json!(false), &json!("vendor_unavailable")));
    }
}
