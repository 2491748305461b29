//! Records by id and by value, the schema, who we are.

use connectors::{Connector as _, Fault, FieldKind};
use serde_json::{Value, json};
use vendors::stand::Vendor as _;

use super::stage::{Stage, names, stage};

async fn find(stage: &Stage, field: &str, value: Value) -> Result<Vec<String>, Fault> {
    let found = stage.connector.find(&stage.session, "Lead", field, &value, &names(["LastName"])).await?;
    Ok(found.into_iter().map(|record| record.id).collect())
}

#[tokio::test]
async fn records_are_read_by_ids_of_either_length_past_an_index_that_lags() {
    let stage = stage(json!({}));
    stage.fault("index-lag,ms=60000");
    let (one, two) = (stage.lead("One"), stage.lead("Two"));
    let gone = stage.lead("Gone");
    stage.org.delete("Lead", &gone, false).unwrap();
    let purged = stage.lead("Purged");
    stage.org.delete("Lead", &purged, true).unwrap();
    let unknown = "00Q5g0000009999";
    let found = stage
        .get(
            "Lead",
            &[&one[..15], &two, &two.to_lowercase(), &gone, &purged, unknown, "nonsense", "' OR 1=1"],
            &names(["lastname", "City"]),
        )
        .await;
    let shown: Vec<_> = found.iter().map(|record| (record.id.as_str(), &record.fields["lastname"], &record.fields["City"])).collect();
    assert_eq!(shown, [(one.as_str(), &json!("One"), &Value::Null), (two.as_str(), &json!("Two"), &Value::Null)]);
    assert!(found.iter().all(|record| record.modified_at.is_some() && !record.deleted));
}

#[tokio::test]
async fn a_merged_record_says_where_it_went() {
    let stage = stage(json!({}));
    for object in ["Lead", "Contact", "Account"] {
        let fields = |name: &str| match object {
            "Account" => json!({"Name": name}),
            "Lead" => json!({"LastName": name, "Company": "C"}),
            _ => json!({"LastName": name}),
        };
        let master = stage.org.add(object, &fields("Kept")).unwrap();
        let loser = stage.org.add(object, &fields("Gone")).unwrap();
        stage.org.merge(object, &master, &loser).unwrap();
        let found = stage.get(object, &[&loser, &master], &names(["Id"])).await;
        assert_eq!((found.len(), &found[0].id, found[0].deleted), (2, &master, false));
        assert_eq!((&found[1].id, found[1].deleted, found[1].merged_into.as_ref()), (&loser, true, Some(&master)));
    }
    // Opportunities cannot be merged and have no field for it: what is gone is gone.
    let opportunity = json!({"Name": "O", "StageName": "Prospecting", "CloseDate": "2027-01-15"});
    let id = stage.org.add("Opportunity", &opportunity).unwrap();
    stage.org.delete("Opportunity", &id, false).unwrap();
    assert_eq!(stage.get("Opportunity", &[&id], &names(["Name"])).await, []);
}

#[tokio::test]
async fn fields_of_other_records_are_read_by_id_too() {
    let stage = stage(json!({}));
    let account = stage.org.add("Account", &json!({"Name": "Acme"})).unwrap();
    let contact = stage.org.add("Contact", &json!({"LastName": "L", "AccountId": account})).unwrap();
    let found = stage.get("Contact", &[&contact], &names(["Account.Name"])).await;
    assert_eq!(found[0].fields["Account.Name"], "Acme");
}

#[tokio::test]
async fn an_external_id_is_found_at_once_and_another_field_by_the_index() {
    let stage = stage(json!({}));
    let add = |name: &str, key: Value| {
        stage.org.add("Lead", &json!({"LastName": name, "Company": "C", "Email": "e@example.com", "External_Id__c": key}))
    };
    let other = add("Other", Value::Null).unwrap();
    stage.fault("index-lag,ms=60000");
    let id = add("Keyed", json!("k/1 ?#'ä")).unwrap();
    assert_eq!(find(&stage, "External_Id__c", json!("k/1 ?#'ä")).await, Ok(vec![id.clone()]));
    assert_eq!(find(&stage, "External_Id__c", json!("none")).await, Ok(vec![]));
    assert_eq!(find(&stage, "Email", json!("E@example.com")).await, Ok(vec![other.clone()]), "the index does not know the new one");
    stage.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(find(&stage, "Email", json!("e@example.com")).await, Ok(vec![other, id]));
    // A custom field that is no external id.
    assert_eq!(find(&stage, "Score__c", json!(5)).await, Ok(vec![]));
    assert!(matches!(find(&stage, "Nope__c", json!("x")).await, Err(Fault::Refused { code, .. }) if code == "INVALID_FIELD"));
    assert!(matches!(find(&stage, "Email = '' OR Email", json!("x")).await, Err(Fault::Refused { .. })));
    for n in 0..15 {
        stage.org.add("Lead", &json!({"LastName": n.to_string(), "Company": "Many"})).unwrap();
    }
    stage.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(find(&stage, "Company", json!("Many")).await.unwrap().len(), 10);
}

#[tokio::test]
async fn many_values_are_looked_up_in_one_call() {
    let stage = stage(json!({}));
    stage.org.seed_leads(500);
    let values: Vec<_> =
        (0..100).map(|n| json!(format!("LEAD{}@example.com", n * 7))).chain([json!(null), json!(["x"]), json!("no'body")]).collect();
    let fields = names(["Email"]);
    let found = stage.connector.find_any(&stage.session, "Lead", "Email", &values, &fields).await.unwrap();
    assert_eq!((found.len(), stage.org.stand().log.total()), (72, 1));
    assert!(found.iter().all(|record| {
        values.contains(&json!(record.fields["Email"].as_str().unwrap().to_uppercase().replace("EXAMPLE.COM", "example.com")))
    }));
    assert!(stage.connector.makes_once("Lead", "External_Id__c") && !stage.connector.makes_once("Lead", "Email"));
}

#[tokio::test]
async fn the_schema_is_what_the_org_says_today() {
    let stage = stage(json!({}));
    stage.org.add_field("Lead", "Region__c picklist 40 =North|South").unwrap();
    let schema = stage.connector.describe(&stage.session, "lead").await.unwrap();
    assert_eq!(schema.object, "Lead");
    let field = |name: &str| schema.fields.iter().find(|field| field.name == name).unwrap();
    assert!(field("LastName").required && field("Company").required && !field("FirstName").required);
    assert!(field("SystemModstamp").read_only && !field("Email").read_only);
    assert!(field("External_Id__c").unique && field("External_Id__c").custom && !field("Email").unique);
    assert_eq!((field("Region__c").kind, &field("Region__c").options), (FieldKind::Choice, &names(["North", "South"])));
    for (name, kind) in [
        ("Email", FieldKind::Email),
        ("Phone", FieldKind::Phone),
        ("AnnualRevenue", FieldKind::Money),
        ("NumberOfEmployees", FieldKind::Number),
        ("HasOptedOutOfEmail", FieldKind::Boolean),
        ("CreatedDate", FieldKind::DateTime),
        ("OwnerId", FieldKind::Reference),
        ("Description", FieldKind::Text),
    ] {
        assert_eq!(field(name).kind, kind, "{name}");
    }
    stage.org.remove_field("Lead", "Region__c").unwrap();
    let schema = stage.connector.describe(&stage.session, "Lead").await.unwrap();
    assert!(!schema.fields.iter().any(|field| field.name == "Region__c"));
    assert!(matches!(stage.connector.describe(&stage.session, "Nothing__c").await, Err(Fault::NotFound { .. })));
}

#[tokio::test]
async fn the_test_says_who_we_are_and_the_version_is_a_setting() {
    let stage = stage(json!({"apiVersion": "65.0", "pageSize": "500", "allowDuplicates": "false"}));
    let who = stage.connector.test(&stage.session).await.unwrap();
    assert_eq!(who, "ada@double.invalid at the organisation 00D5g0000000001EAA");
    assert_eq!(stage.carrier.notes.count("/services/data/v65.0"), 1);
    let told = stage.carrier.notes.told.lock().unwrap().clone();
    assert_eq!((told[0].window, told[0].limit, told[0].remaining), ("daily", Some(1_000_000), Some(999_999)));

    // Without the scope for names the ids do.
    stage.fault("scope-removed,path=/userinfo");
    let who = stage.connector.test(&stage.session).await.unwrap();
    assert_eq!(who, "user 0055g0000000001AAA at the organisation 00D5g0000000001EAA");
}

#[tokio::test]
async fn a_version_that_is_not_served_names_those_that_are() {
    let stage = stage(json!({"apiVersion": 99}));
    let Err(Fault::Refused { code, message, field }) = stage.connector.test(&stage.session).await else { panic!() };
    assert_eq!((code.as_str(), field.as_deref()), ("UNSUPPORTED_API_VERSION", Some("apiVersion")));
    assert!(message.contains("v60.0 to v67.0"), "{message}");
    for config in
        [json!({"apiVersion": "newest"}), json!({"pageSize": 5}), json!({"overlapSeconds": -1}), json!({"allowDuplicates": "yes"})]
    {
        let stage = super::stage::stage(config.clone());
        assert!(
            matches!(stage.connector.test(&stage.session).await, Err(Fault::Refused { code, .. }) if code == "INVALID_CONFIG"),
            "{config}"
        );
        assert_eq!(stage.org.stand().log.total(), 0);
    }
}
