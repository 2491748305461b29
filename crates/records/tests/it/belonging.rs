//! What a blueprint says of records beyond their schema: parents, states, what is computed, one for each tenant, who sets what.

use kernel::{Kind, TenantScope};
use records::{Act, Expected, Item, ItemAct, ItemOutcome, NewRecord, Query, RecordRef, Records, Sent, Sort};
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

    /// Children beyond a transaction go before their parent, in steps, with their events; a batch says what to do.
    async fn many_children_go_in_steps(bed: Bed) {
        let (records, scope) = (bakery(&bed).cascading(10), bed.scope());
        let (parent, other) = (order(&records, &scope).await, order(&records, &scope).await);
        let crumb = |parent: &str| new(json!({"orderId": parent, "grams": 1, "pieces": 1}));
        let item = |_| Item { act: ItemAct::Create(crumb(&parent)), expected: Expected::Anything };
        let outcomes = records.batch(&scope, "crumb", (0..33).map(item).collect(), |error| json!(error.code())).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ItemOutcome::Created(_))));
        let stays = records.create(&scope, "crumb", crumb(&other)).await.unwrap();
        let one: RecordRef = parent.parse().unwrap();
        let delete = Item { act: ItemAct::Delete(one.clone()), expected: Expected::Anything };
        let refused = records.batch(&scope, "order", vec![delete], |error| json!([error.code(), error.detail()])).await.unwrap();
        let ItemOutcome::Failed(told) = &refused[0] else { panic!("{refused:?}") };
        assert!(told[0] == "has_children" && told[1].as_str().unwrap().contains("by a request of its own"), "{told}");
        assert_eq!(bed.count("records").await, 36, "a refused item has taken nothing");
        let RecordRef::Id(id) = one else { panic!("orders have ids") };
        let late = records.expecting(Expected::Versions(vec![(id, 7)]));
        assert_eq!(late.delete(&scope, "order", RecordRef::Id(id)).await.unwrap_err().code(), "precondition_failed");
        assert_eq!(bed.count("records").await, 36, "nor has a request about another version");
        records.delete(&scope, "order", RecordRef::Id(id)).await.unwrap();
        assert_eq!(bed.count("records").await, 2);
        records.get(&scope, "crumb", RecordRef::Id(stays.id)).await.unwrap();
        let kind = records.delete(&scope, "order", RecordRef::Id(id)).await.unwrap_err().kind();
        assert_eq!(kind, Kind::NotFound);
    }

    /// The last value of each quarter is a record, made with the first change in it; nothing is kept of what did not change.
    async fn values_are_kept_by_period(bed: Bed) {
        let (records, scope) = (bakery(&bed), bed.scope());
        let heat = |value: Value| patch(json!({"heat": value}));
        let kept = async || {
            let query = Query { sort: Some(Sort { field: "since".into(), descending: false }), ..Query::default() };
            let list = records.list(&scope, "heat", query).await.unwrap();
            list.data.into_iter().map(|record| Value::Object(record.document)).collect::<Vec<_>>()
        };
        for value in [json!(180), json!(200.5), json!(200.5), json!(null)] {
            records.act(&scope, "oven", Records::only_ref(), heat(value)).await.unwrap();
        }
        let first = json!({"since": "2026-01-01", "until": "2026-03-31", "degrees": 201});
        assert_eq!(kept().await, std::slice::from_ref(&first), "the last one, whole as its member wants it");
        records.act(&scope, "oven", Records::only_ref(), heat(json!(150))).await.unwrap();
        bed.clock.advance(std::time::Duration::from_hours(24 * 80));
        records.act(&scope, "oven", Records::only_ref(), heat(json!(170))).await.unwrap();
        records.act(&scope, "oven", Records::only_ref(), heat(json!(190))).await.unwrap();
        let second = json!({"since": "2026-04-01", "until": "2026-06-30", "degrees": 190, "before": 150});
        assert_eq!(kept().await, [json!({"since": "2026-01-01", "until": "2026-03-31", "degrees": 150}), second]);
        assert_eq!(records.list(&bed.stranger(), "heat", Query::default()).await.unwrap().data.len(), 0);
    }

    /// A value may follow only what the blueprint says; an act that is repeated changes nothing and is not told again.
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
        assert_eq!(bed.event_types().await, ["loaf.started"], "the second found it so already");
        let nudge = || Act { set: Map::new(), ..bake() };
        for _ in 0..2 {
            records.act(&scope, "loaf", loaf.clone(), nudge()).await.unwrap();
        }
        assert_eq!(bed.event_types().await.len(), 3, "an act that sets nothing is told each time");
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
