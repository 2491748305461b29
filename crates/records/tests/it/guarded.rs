//! Members with a scope of their own: whoever lacks it changes them by no way, and is not kept from anything else.

use std::sync::Arc;

use kernel::{Caller, Credential, Error, Kind, Permission, PermissionSet, TenantScope};
use records::{Act, Expected, Item, ItemAct, ItemOutcome, NewRecord, Record, RecordRef, Records, Sent};
use serde_json::{Map, Value, json};

use crate::bed::{Bed, members, open};

fn desk(bed: &Bed) -> Arc<Records> {
    open(&bed.store, &bed.ambient, &bed.planner, &blueprint::load("helpdesk-reports").unwrap())
}

/// A key with these scopes and permissions.
fn key(bed: &Bed, scopes: &[&str], permissions: &[Permission]) -> TenantScope {
    let credential = Credential::Key { key: bed.ambient.id(), client: bed.ambient.id() };
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Caller::new(credential, Some(bed.tenant), scopes, permissions.iter().copied().collect::<PermissionSet>()).tenant_scope().unwrap()
}

fn ticket(more: Value) -> Map<String, Value> {
    let mut document = members(json!({"subject": "Printer on fire"}));
    document.extend(members(more));
    document
}

fn new(document: Map<String, Value>) -> NewRecord {
    NewRecord { document, ..NewRecord::default() }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(done: Result<T, Error>, pointer: &str) {
    let error = done.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.fields()[0].pointer.as_str()), (Kind::Forbidden, "insufficient_scope", pointer));
}

fn problem(error: &Error) -> Value {
    json!(error.code())
}

fn act(patch: Value, set: Value) -> Act {
    Act { sent: Sent::Patch(members(patch)), writable: None, set: members(set), emits: None, below: None }
}

async fn status(records: &Records, bed: &Bed, record: &Record) -> Value {
    records.get(&bed.scope(), "ticket", RecordRef::Id(record.id)).await.unwrap().document["status"].clone()
}

testkit::engines! {
    async fn no_way_to_write_sets_a_guarded_value(bed: Bed) {
        let (records, writer) = (desk(&bed), key(&bed, &["tickets:write"], &[]));
        let open = records.create(&writer, "ticket", new(ticket(json!({})))).await.unwrap();
        let (one, resolved) = (RecordRef::Id(open.id), || ticket(json!({"status": "resolved"})));
        let patch = || members(json!({"status": "resolved"}));
        assert_refused(records.create(&writer, "ticket", new(resolved())).await, "/status");
        assert_refused(records.update(&writer, "ticket", one.clone(), patch(), None).await, "/status");
        assert_refused(records.replace(&writer, "ticket", one.clone(), resolved()).await, "/status");
        assert_refused(records.upsert(&writer, "ticket", "crm-1", resolved()).await, "/status");
        assert_refused(records.act(&writer, "ticket", one.clone(), act(json!({"status": "resolved"}), json!({}))).await, "/status");
        let items = [
            ItemAct::Create(new(resolved())),
            ItemAct::Update(one.clone(), patch(), None),
            ItemAct::Replace(one.clone(), resolved()),
            ItemAct::Upsert("crm-2".to_owned(), resolved()),
            ItemAct::Put(one.clone(), None, resolved()),
        ];
        let items = items.into_iter().map(|act| Item { act, expected: Expected::Anything }).collect();
        for outcome in records.batch(&writer, "ticket", items, problem).await.unwrap() {
            assert_eq!(outcome, ItemOutcome::Failed(json!("insufficient_scope")));
        }
        assert_eq!(status(&records, &bed, &open).await, "open");
        // Everything else is as it was: other values of the member, other members.
        let pending = records.update(&writer, "ticket", one.clone(), members(json!({"status": "pending", "priority": "high"})), None).await;
        assert_eq!(pending.unwrap().document["status"], "pending");
        // An endpoint that sets it by itself is what its own scope opens; and so is the scope, the permission, and the host.
        let set = records.act(&writer, "ticket", one.clone(), act(json!({}), json!({"status": "resolved"}))).await.unwrap();
        assert_eq!(set.document["status"], "resolved");
        for who in [key(&bed, &["tickets:resolve"], &[]), key(&bed, &[], &[Permission::RecordsWrite]), bed.scope()] {
            records.update(&bed.scope(), "ticket", one.clone(), members(json!({"status": "open"})), None).await.unwrap();
            let done = records.update(&who, "ticket", one.clone(), patch(), None).await.unwrap();
            assert_eq!(done.document["status"], "resolved");
        }
        assert_refused(records.create(&bed.scope().holding_nothing(), "ticket", new(resolved())).await, "/status");
    }

    async fn what_is_there_may_be_sent_back(bed: Bed) {
        let (records, writer) = (desk(&bed), key(&bed, &["tickets:write", "reports:write"], &[]));
        let done = records.create(&bed.scope(), "ticket", new(ticket(json!({"status": "resolved"})))).await.unwrap();
        let mut whole = done.document.clone();
        whole.shift_remove("resolvedAt");
        whole.insert("priority".to_owned(), json!("low"));
        let replaced = records.replace(&writer, "ticket", RecordRef::Id(done.id), whole).await.unwrap();
        assert_eq!((&replaced.document["status"], &replaced.document["priority"]), (&json!("resolved"), &json!("low")));
        // A member that is guarded whatever its value stays, if it is not sent with a whole record.
        let report = json!({"name": "Weekly", "schedule": "0 6 * * 1"});
        let report = records.create(&bed.scope(), "report", new(members(report))).await.unwrap();
        let one = RecordRef::Id(report.id);
        let renamed = records.replace(&writer, "report", one.clone(), members(json!({"name": "Every week"}))).await.unwrap();
        assert_eq!((&renamed.document["name"], &renamed.document["schedule"]), (&json!("Every week"), &json!("0 6 * * 1")));
        for change in [json!({"schedule": null}), json!({"schedule": "0 7 * * *"})] {
            assert_refused(records.update(&writer, "report", one.clone(), members(change), None).await, "/schedule");
        }
        assert_refused(records.create(&writer, "report", new(members(json!({"name": "A", "schedule": "0 6 * * *"})))).await, "/schedule");
        records.create(&writer, "report", new(members(json!({"name": "A"})))).await.unwrap();
        let planner = key(&bed, &["reports:schedule"], &[]);
        let sent = Act { sent: Sent::Member("schedule".to_owned(), Value::Null), ..act(json!({}), json!({})) };
        let cleared = records.act(&planner, "report", one, sent).await.unwrap();
        assert!(cleared.document.get("schedule").is_none_or(Value::is_null), "{cleared:?}");
    }
}
