//! What stored records have against another blueprint, and what becomes of them under one that they have nothing against.

use blueprint::Blueprint;
use blueprint::model::IdForm;
use kernel::Scope;
use products::Objection;
use serde_json::{Value, json};

use crate::bed::{Bed, insurance, lead, open};

/// The blueprint with another `lead`.
fn changed(change: impl FnOnce(&mut blueprint::model::Resource)) -> Blueprint {
    let mut blueprint = insurance();
    change(blueprint.resources.iter_mut().find(|resource| resource.name == "lead").unwrap());
    blueprint
}

async fn objections(bed: &Bed, new: Blueprint) -> Vec<Objection> {
    let look = move |tx: &mut store::Tx<'_>| records::objections(tx, &insurance(), &new);
    bed.store.read(Scope::system("test"), look).await.unwrap()
}

#[track_caller]
fn only(found: &[Objection], code: &str, words: &[&str]) {
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, code);
    for word in words {
        assert!(found[0].to_string().contains(word), "{word}: {}", found[0]);
    }
}

fn required(name: &'static str, property: Value) -> Blueprint {
    changed(|kind| {
        kind.schema["properties"][name] = property;
        kind.schema["required"].as_array_mut().unwrap().push(name.into());
    })
}

testkit::engines! {
    async fn a_resource_type_goes_only_when_it_is_empty(bed: Bed) {
        let without = || {
            let mut blueprint = insurance();
            blueprint.resources.retain(|resource| resource.name != "lead");
            blueprint
        };
        assert_eq!(objections(&bed, without()).await, vec![]);
        bed.lead("a@example.com", json!({})).await;
        bed.records.create(&bed.stranger(), "lead", lead("b@example.com", json!({}))).await.unwrap();
        only(&objections(&bed, without()).await, "resource_in_use", &["resources[\"lead\"]", "2 records", "/api/v1/records/lead"]);
    }

    async fn a_member_is_narrowed_only_when_no_record_breaks_it(bed: Bed) {
        let shorter = || changed(|kind| kind.schema["properties"]["city"] = json!({"type": "string", "maxLength": 4}));
        let wider = changed(|kind| kind.schema["properties"]["city"] = json!({"type": ["string", "number", "null"], "maxLength": 4000}));
        bed.lead("a@example.com", json!({"city": "Bern"})).await;
        assert_eq!(objections(&bed, shorter()).await, vec![]);
        // More than one batch, and the fault at its end.
        for n in 0..501 {
            bed.lead(&format!("{n}@example.com"), json!({"city": "Bern"})).await;
        }
        let long = bed.lead("b@example.com", json!({"city": "Zürich"})).await;
        only(&objections(&bed, shorter()).await, "records_break_schema", &["1 record breaks", &long.id.to_string(), "/city"]);
        assert_eq!(objections(&bed, wider).await, vec![]);
    }

    /// Without a default no record satisfies it; with one every record gets it, once, and can be found and changed by it.
    async fn a_new_required_member_needs_a_default(bed: Bed) {
        let old = bed.lead("a@example.com", json!({})).await;
        let bare = required("region", json!({"type": "string"}));
        only(&objections(&bed, bare).await, "records_break_schema", &["region", "default"]);
        let mut with_default = required("region", json!({"type": "string", "default": "north"}));
        with_default.resources.iter_mut().find(|resource| resource.name == "lead").unwrap().filters.push("region".into());
        assert_eq!(objections(&bed, with_default.clone()).await, vec![]);
        let records = open(&bed.store, &bed.ambient, &bed.planner, &with_default);
        assert_eq!(records.prepare().await.unwrap(), 1);
        let found = records.get(&bed.scope(), "lead", records::RecordRef::Id(old.id)).await.unwrap();
        assert_eq!((&found.document["region"], found.revision), (&json!("north"), old.revision + 1));
        assert_eq!(found.updated_at, old.updated_at, "nobody changed it");
        let filter = records::Filter::eq("region", records::Operand::Text("north".into()));
        let list = records.list(&bed.scope(), "lead", records::Query { filter, ..Default::default() }).await.unwrap();
        assert_eq!(list.data.len(), 1);
        assert_eq!(records.prepare().await.unwrap(), 0);
    }

    async fn values_become_unique_only_when_they_are(bed: Bed) {
        let unique = || changed(|kind| kind.unique.push("phone".into()));
        bed.lead("a@example.com", json!({"phone": "1"})).await;
        bed.lead("b@example.com", json!({})).await;
        bed.lead("c@example.com", json!({})).await;
        bed.records.create(&bed.stranger(), "lead", lead("a@example.com", json!({"phone": "1"}))).await.unwrap();
        assert_eq!(objections(&bed, unique()).await, vec![], "each tenant has its own, and absent ones are not compared");
        let second = bed.lead("d@example.com", json!({"phone": "1"})).await;
        only(&objections(&bed, unique()).await, "values_not_unique", &["phone", "1 record has", &second.id.to_string()]);
    }

    async fn records_that_have_no_number_cannot_be_named_by_it(bed: Bed) {
        let numbered = || changed(|kind| kind.id_form = IdForm::Integer);
        assert_eq!(objections(&bed, numbered()).await, vec![]);
        bed.lead("a@example.com", json!({})).await;
        only(&objections(&bed, numbered()).await, "records_without_number", &["id_form"]);
    }
}
