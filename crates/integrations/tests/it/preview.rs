//! Previews of mappings.

use serde_json::json;
use vendors::hubspot::{HubSpot, Options};
use vendors::stand::{Double, Vendor as _};

use crate::bed::Bed;

testkit::engines! {
    async fn records_are_mapped_and_problems_named(bed: Bed) {
        let input = json!({
            "fieldMappings": [
                {"localField": "email", "remoteField": "Email", "transformer": "v => v.trim().toLowerCase()", "bidirectional": true},
                {"localField": "name", "remoteField": "LastName", "validate": {"required": true}},
            ],
            "records": [{"email": " A@B.co", "name": "Ada"}, {"email": 7}],
        });
        let preview = bed.api("POST", "/mappings/preview", Some(input)).await.expect(200).json();
        assert_eq!(preview["records"], json!([{"Email": "a@b.co", "LastName": "Ada"}, {}]));
        let problems: Vec<(u64, &str, &str)> = preview["problems"].as_array().unwrap().iter()
            .map(|one| (one["record"].as_u64().unwrap(), one["rule"].as_str().unwrap(), one["field"].as_str().unwrap())).collect();
        assert_eq!(problems, [(1, "javascript", "Email"), (1, "required", "LastName")]);
        assert_eq!(preview["warnings"][0]["field"], "/fieldMappings/0/transformer");
    }

    async fn the_other_way_gives_records_of_ours(bed: Bed) {
        let input = json!({
            "direction": "to_local",
            "fieldMappings": [
                {"localField": "address.city", "remoteField": "City"},
                {"localField": "tier", "remoteField": "Tier", "bidirectional": false, "default": "basic"},
            ],
            "records": [{"City": "Bonn"}],
        });
        let preview = bed.api("POST", "/mappings/preview", Some(input)).await.expect(200).json();
        assert_eq!(preview["records"], json!([{"address": {"city": "Bonn"}, "tier": "basic"}]));
    }

    async fn a_faulty_mapping_is_refused_with_places(bed: Bed) {
        for (field, pointer) in [
            (json!({"localField": "a", "remoteField": "A", "transformer": "shout"}), "/fieldMappings/0/transformer"),
            (json!({"localField": "a", "remoteField": "A", "transformer": "v => {"}), "/fieldMappings/0/transformer"),
            (json!({"localField": "a"}), "/fieldMappings/0/remoteField"),
        ] {
            let answer = bed.api("POST", "/mappings/preview", Some(json!({"fieldMappings": [field], "records": [{}]}))).await.expect(422);
            assert_eq!(answer.fault(), ("invalid_mapping".to_owned(), pointer.to_owned()));
        }
        let neither = json!({"fieldMappings": [{"localField": "a", "remoteField": "A"}]});
        assert_eq!(bed.api("POST", "/mappings/preview", Some(neither)).await.expect(422).fault().1, "/records");
        let many: Vec<_> = (0..101).map(|_| json!({})).collect();
        let many = json!({"fieldMappings": [{"localField": "a", "remoteField": "A"}], "records": many});
        assert_eq!(bed.api("POST", "/mappings/preview", Some(many)).await.expect(422).fault().1, "/records");
    }

    /// A mapping is tried on the vendor's own records.
    async fn an_integration_s_records_are_mapped(bed: Bed) {
        let double = Double::start(HubSpot::new(Options { ambient: bed.ambient.clone(), ..Options::unlimited() })).await.unwrap();
        for name in ["ann", "bob", "cyd"] {
            double.add("contacts", &json!({"email": format!("{name}@example.com"), "firstname": name})).unwrap();
        }
        let id = bed.hubspot(&double.url(), &double.issue().access_token).await;
        let input = json!({
            "fieldMappings": [{"localField": "email", "remoteField": "email"}, {"localField": "name", "remoteField": "firstname", "toLocal": "title"}],
            "integrationId": id, "object": "contacts", "limit": 2,
        });
        let preview = bed.api("POST", "/mappings/preview", Some(input)).await.expect(200).json();
        assert_eq!(preview["records"], json!([{"email": "ann@example.com", "name": "Ann"}, {"email": "bob@example.com", "name": "Bob"}]));
        assert_eq!(preview["sources"][0]["firstname"], "ann");
        assert_eq!(preview["problems"], json!([]));
    }
}
