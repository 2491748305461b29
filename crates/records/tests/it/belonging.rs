//! What a blueprint says of records beyond their schema: parents, states, what is computed, one for each tenant, who sets what.

use kernel::{Kind, TenantScope};
use records::{Act, NewRecord, RecordRef, Records, Sent};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use crate::bed::{Bed, open};

/// The bakery of the documentation, with loaves that orders may have.
fn bakery(bed: &Bed) -> Arc<Records> {
    let page = include_str!("../../../../docs/blueprints.md");
    let text = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect::<Vec<_>>().join("\n");
    open(&bed.store, &bed.ambient, &bed.planner, &blueprint::parse(&text, "docs/blueprints.md").unwrap())
}

fn members(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn new(document: Value) -> NewRecord {
    NewRecord { document: members(document), ..NewRecord::default() }
}

fn patch(document: Value) -> Act {
    Act { sent: Sent::Patch(members(document)), writable: None, set: Map::new(), emits: None, below: None }
}

async fn order(records: &Records, scope: &TenantScope) -> String {
    let kind = Arc::clone(records.resource_type("order").unwrap());
    kind.id_text(&records.create(scope, "order", new(json!({"customer": "Ada"}))).await.unwrap())
}

testkit::engines! {
    /// A parent must be there and be one's own; what is computed follows; children go with their parent.
    async fn parents_and_what_is_computed(bed: Bed) {
        let (records, scope, stranger) = (bakery(&bed), bed.scope(), bed.stranger());
        let parent = order(&records, &scope).await;
        let crumb = records.create(&scope, "crumb", new(json!({"orderId": parent, "grams": 2.5, "pieces": 4}))).await.unwrap();
        assert_eq!((&crumb.document["label"], &crumb.document["weight"]), (&json!("4 of 2.5 g"), &json!(10.0)));
        let changed = records.act(&scope, "crumb", RecordRef::Id(crumb.id), patch(json!({"pieces": 2}))).await.unwrap();
        assert_eq!((&changed.document["label"], &changed.document["weight"]), (&json!("2 of 2.5 g"), &json!(5.0)));
        for (who, id) in [(&scope, "rec_00000000000000000000000000"), (&scope, "nonsense"), (&stranger, parent.as_str())] {
            let refused = records.create(who, "crumb", new(json!({"orderId": id, "grams": 1, "pieces": 1}))).await.unwrap_err();
            assert_eq!((refused.code(), refused.fields()[0].pointer.as_str()), ("validation_failed", "/orderId"), "{id}");
        }
        let forged = records.create(&scope, "crumb", new(json!({"orderId": parent, "grams": 1, "pieces": 1, "label": "x"}))).await.unwrap_err();
        assert_eq!(forged.fields()[0].detail, "is set by the server");
        let mut elsewhere = patch(json!({"pieces": 9}));
        elsewhere.below = Some(("orderId".to_owned(), json!("rec_00000000000000000000000000")));
        let hidden = records.act(&scope, "crumb", RecordRef::Id(crumb.id), elsewhere).await.unwrap_err();
        assert_eq!(hidden.kind(), Kind::NotFound);
        records.delete(&scope, "order", parent.parse().unwrap()).await.unwrap();
        assert_eq!(records.get(&scope, "crumb", RecordRef::Id(crumb.id)).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.count("record_fields").await, 0, "nothing of them is left in the indexes");
    }

    /// A value may follow only what the blueprint says; an act emits its event also when nothing changes.
    async fn states_are_followed(bed: Bed) {
        let (records, scope) = (bakery(&bed), bed.scope());
        let begun = records.create(&scope, "loaf", new(json!({"state": "done"}))).await.unwrap_err();
        assert_eq!(begun.fields()[0].pointer, "/state");
        let loaf = RecordRef::Id(records.create(&scope, "loaf", new(json!({}))).await.unwrap().id);
        let skipped = records.act(&scope, "loaf", loaf.clone(), patch(json!({"state": "done"}))).await.unwrap_err();
        assert_eq!(skipped.code(), "transition_refused");
        let bake = || Act { set: members(json!({"state": "baking"})), emits: Some("loaf.started".parse().unwrap()), ..patch(json!({})) };
        for _ in 0..2 {
            assert_eq!(records.act(&scope, "loaf", loaf.clone(), bake()).await.unwrap().document["state"], "baking");
        }
        assert_eq!(bed.event_types().await, ["loaf.started", "loaf.started"]);
        records.act(&scope, "loaf", loaf.clone(), patch(json!({"state": "burnt"}))).await.unwrap();
        let back = records.act(&scope, "loaf", loaf, patch(json!({"state": "dough"}))).await.unwrap_err();
        assert!(back.detail().contains("nothing may follow"), "{}", back.detail());
    }

    /// There is one, it begins by itself, and it cannot be made or taken away.
    async fn a_singleton_is_there(bed: Bed) {
        let records = bakery(&bed);
        records.set_tenant_names(Arc::new(|_, _| Ok("Hopper Bread".to_owned())));
        let scope = bed.scope();
        let only = records.only(&scope, "bakery").await.unwrap();
        assert_eq!(only.document["title"], "Hopper Bread");
        assert_eq!(records.only(&scope, "bakery").await.unwrap().id, only.id);
        let sent = Act { sent: Sent::Member("opening".to_owned(), json!({"monday": "7 to 12"})), ..patch(json!({})) };
        let changed = records.act(&scope, "bakery", Records::only_ref(), sent).await.unwrap();
        assert_eq!((changed.id, &changed.document["opening"]), (only.id, &json!({"monday": "7 to 12"})));
        assert!(records.resource_type("bakery").unwrap().wire(&changed).get("externalId").is_none());
        assert_eq!(records.create(&scope, "bakery", new(json!({}))).await.unwrap_err().code(), "singleton");
        assert_eq!(records.upsert(&scope, "bakery", "other", Map::new()).await.unwrap_err().code(), "singleton");
        assert_eq!(records.delete(&scope, "bakery", RecordRef::Id(only.id)).await.unwrap_err().code(), "singleton");
        assert_ne!(records.only(&bed.stranger(), "bakery").await.unwrap().id, only.id, "each tenant has its own");
        assert_eq!(records.only(&scope, "order").await.unwrap_err().kind(), Kind::NotFound);
    }

    /// A stamp is set when a member takes a value, and stays.
    async fn stamps_follow_values(bed: Bed) {
        let (records, scope) = (bakery(&bed), bed.scope());
        let id: RecordRef = order(&records, &scope).await.parse().unwrap();
        assert!(!records.get(&scope, "order", id.clone()).await.unwrap().document.contains_key("readyAt"));
        let ready = records.act(&scope, "order", id.clone(), patch(json!({"status": "ready"}))).await.unwrap();
        assert_eq!(ready.document["readyAt"], "2026-01-31T12:00:00.000Z");
        bed.clock.advance(std::time::Duration::from_secs(5));
        let later = records.act(&scope, "order", id, patch(json!({"customer": "Eve"}))).await.unwrap();
        assert_eq!((&later.document["readyAt"], &later.document["changedAt"]), (&json!("2026-01-31T12:00:00.000Z"), &json!("2026-01-31T12:00:05.000Z")));
    }
}
