//! Many at once: batch and export; and changes that expect a version.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Error, Kind, RecordId, RequestSlot, Scope, TenantScope};
use records::{Expected, Filter, Item, ItemAct, ItemOutcome, NewRecord, Operand, Query, RecordRef, Sort};
use serde_json::{Value, json};

use crate::bed::{Bed, lead, members};

fn problem(error: &Error) -> Value {
    json!({"code": error.code(), "pointer": error.fields().first().map(|field| field.pointer.clone())})
}

fn item(act: ItemAct) -> Item {
    Item { act, expected: Expected::Anything }
}

fn create(email: &str) -> Item {
    item(ItemAct::Create(lead(email, json!({}))))
}

fn code(outcome: &ItemOutcome) -> &str {
    match outcome {
        ItemOutcome::Created(_) => "created",
        ItemOutcome::Changed(_) => "changed",
        ItemOutcome::Deleted(_) => "deleted",
        ItemOutcome::Failed(problem) => problem["code"].as_str().unwrap(),
    }
}

async fn run(bed: &Bed, items: Vec<Item>) -> Vec<String> {
    let outcomes = bed.records.batch(&bed.scope(), "lead", items, problem).await.unwrap();
    outcomes.iter().map(|outcome| code(outcome).to_owned()).collect()
}

testkit::engines! {
    /// Each item has its own fate: what fails leaves nothing, what follows sees what came before, and events are those of what happened.
    async fn each_item_has_its_own_fate(bed: Bed) {
        let old = bed.lead("old@example.com", json!({})).await;
        let theirs = bed.records.create(&bed.stranger(), "lead", lead("x@example.com", json!({}))).await.unwrap();
        let patch = |value: Value| ItemAct::Update(RecordRef::Id(old.id), members(value), None);
        let whole = |email: &str| lead(email, json!({})).document;
        let items = vec![
            create("a@example.com"),
            create("a@example.com"),
            create("nobody"),
            item(patch(json!({"city": "Bern"}))),
            item(patch(json!({"email": "a@example.com"}))),
            item(ItemAct::Update(RecordRef::Id(theirs.id), members(json!({"city": "Bern"})), None)),
            item(ItemAct::Delete(RecordRef::Id(theirs.id))),
            item(ItemAct::Upsert("crm-1".into(), whole("b@example.com"))),
            item(ItemAct::Upsert("crm-1".into(), whole("c@example.com"))),
            item(ItemAct::Upsert("no good".into(), whole("d@example.com"))),
            item(ItemAct::Replace("ext:crm-1".parse().unwrap(), whole("e@example.com"))),
            item(ItemAct::Put(RecordRef::Id(bed.ambient.id()), None, whole("f@example.com"))),
            item(ItemAct::Faulty(Error::field("/op", "no"))),
            item(ItemAct::Delete("ext:crm-1".parse().unwrap())),
            create("e@example.com"),
        ];
        let expected = [
            "created", "not_unique", "validation_failed", "changed", "not_unique", "not_found", "not_found", "created", "changed",
            "validation_failed", "changed", "created", "validation_failed", "deleted", "created",
        ];
        assert_eq!(run(&bed, items).await, expected);
        assert_eq!(bed.count("records").await, 5);
        assert_eq!((bed.count("record_uniques").await, bed.count("record_tail").await), (5, 5));
        let types = bed.event_types().await;
        let count = |name: &str| types.iter().filter(|kind| *kind == name).count();
        assert_eq!((types.len(), count("lead.created"), count("lead.updated"), count("lead.rejected")), (10, 6, 3, 1));
        assert_eq!(bed.count("audit_log").await, 10);
        let kept = bed.records.get(&bed.scope(), "lead", RecordRef::Id(old.id)).await.unwrap();
        assert_eq!((&kept.document["city"], &kept.document["email"], kept.revision), (&json!("Bern"), &json!("old@example.com"), 2));
    }

    /// More than one transaction's worth; too many are refused as a whole.
    async fn sizes(bed: Bed) {
        let many = |count: usize| (0..count).map(|i| create(&format!("{i}@example.com"))).collect::<Vec<_>>();
        let outcomes = run(&bed, many(130)).await;
        assert!(outcomes.iter().all(|outcome| outcome == "created"), "{outcomes:?}");
        assert_eq!((outcomes.len(), bed.count("records").await, bed.count("events").await), (130, 130, 130));
        let refused = bed.records.batch(&bed.scope(), "lead", many(1001), problem).await.unwrap_err();
        assert_eq!((refused.code(), bed.count("records").await), ("batch_too_large", 130));
        assert!(run(&bed, Vec::new()).await.is_empty());
    }

    /// With an idempotency key a batch happens once, with the same results; its failures too.
    async fn a_key_makes_it_once(bed: Bed) {
        let items = || (0..120).map(|i| create(&format!("{}@example.com", i % 110))).collect::<Vec<_>>();
        let first = bed.records.batch(&bed.request("k"), "lead", items(), problem).await.unwrap();
        let again = bed.records.batch(&bed.request("k"), "lead", items(), problem).await.unwrap();
        assert_eq!((first.len(), &first), (120, &again));
        assert_eq!((bed.count("records").await, bed.count("events").await), (110, 110));
        assert_eq!(first.iter().filter(|outcome| code(outcome) == "not_unique").count(), 10);
    }

    /// A batch under a key that was cut off goes on where it stood, and is told as one; then it is told again.
    async fn a_key_carries_it_on(bed: Bed) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        bed.records.set_tenant_holds(Arc::new(move |_, _| match counted.fetch_add(1, Ordering::SeqCst) {
            2 => Err(Error::not_found("tenant")),
            _ => Ok(()),
        }));
        let items = || (0..350).map(|i| create(&format!("{}@example.com", i % 340))).collect::<Vec<_>>();
        let cut = bed.records.batch(&bed.request("k"), "lead", items(), problem).await.unwrap_err();
        let before = bed.count("records").await;
        assert_eq!(cut.code(), "not_found");
        assert!((2..=200).contains(&before), "two parts are there: {before}");
        let of = |request: TenantScope| Scope::from(request);
        let (second, third) = (bed.request("k"), bed.request("k"));
        let whole = bed.records.batch(&second, "lead", items(), problem).await.unwrap();
        assert_eq!((whole.len(), bed.count("records").await, bed.count("events").await), (350, 340, 340));
        assert_eq!(whole.iter().filter(|outcome| code(outcome) == "not_unique").count(), 10);
        assert!(whole.iter().zip(0..340).all(|(outcome, i)| outcome.record().unwrap().document["email"] == json!(format!("{i}@example.com"))));
        assert!(!second.is_replayed(), "some of it was done only now");
        let asked = calls.load(Ordering::SeqCst);
        assert_eq!(bed.records.batch(&third, "lead", items(), problem).await.unwrap(), whole);
        assert!(third.is_replayed());
        assert_eq!(calls.load(Ordering::SeqCst), asked, "nothing was done");
        let slot = |request| of(request).request().is_some_and(|request| request.slot.as_ref().is_some_and(RequestSlot::is_taken));
        assert!(slot(second) && slot(third), "no front door keeps another answer");
        // The day after, the key means nothing.
        bed.clock.advance(std::time::Duration::from_hours(25));
        let anew = bed.records.batch(&bed.request("k"), "lead", items(), problem).await.unwrap();
        assert!(anew.iter().all(|outcome| code(outcome) == "not_unique"));
    }

    /// A large batch is many transactions: another tenant's writes go on meanwhile, with a key and without.
    async fn others_write_in_between(bed: Bed) {
        let text = "lorem ipsum dolor sit amet ".repeat(260);
        for (round, scope) in [bed.request("k"), bed.scope()].into_iter().enumerate() {
            let large = |i: usize| item(ItemAct::Create(lead(&format!("{round}-{i}@example.com"), json!({"metadata": {"text": text}}))));
            let batch = bed.records.batch(&scope, "lead", (0..300).map(large).collect(), problem);
            let (stranger, done) = (bed.stranger(), AtomicUsize::new(0));
            let others = async {
                loop {
                    let email = format!("{}@example.com", done.fetch_add(1, Ordering::SeqCst));
                    bed.records.create(&stranger, "lead", lead(&email, json!({}))).await.unwrap();
                }
            };
            tokio::select! {
                outcomes = batch => assert!(outcomes.unwrap().iter().all(|outcome| code(outcome) == "created")),
                () = others => unreachable!("it has no end"),
            }
            let done = done.load(Ordering::SeqCst);
            assert!(done > 4, "they waited for all of it: {done}");
        }
    }

    /// Work in several transactions ends when its tenant is gone.
    async fn nothing_is_done_for_a_tenant_that_is_gone(bed: Bed) {
        let calls = AtomicUsize::new(0);
        bed.records.set_tenant_holds(Arc::new(move |_, _| match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Error::not_found("tenant")),
        }));
        let outcomes = run(&bed, (0..250).map(|i| create(&format!("{i}@example.com"))).collect()).await;
        let done = outcomes.iter().take_while(|outcome| *outcome == "created").count();
        assert!((1..=100).contains(&done) && outcomes[done..].iter().all(|outcome| outcome == "not_found"), "{outcomes:?}");
        assert_eq!((outcomes.len(), bed.count("records").await), (250, i64::try_from(done).unwrap()));
    }

    /// If the events of an item cannot be published, the item did not happen.
    async fn an_item_and_its_events_share_their_fate(bed: Bed) {
        bed.planner.fails.store(true, Ordering::SeqCst);
        assert_eq!(run(&bed, vec![create("a@example.com"), create("b@example.com")]).await, ["planner_failed", "planner_failed"]);
        assert_eq!((bed.count("records").await, bed.count("record_fields").await, bed.count("record_tail").await), (0, 0, 0));
        bed.planner.fails.store(false, Ordering::SeqCst);
        assert_eq!(run(&bed, vec![create("a@example.com")]).await, ["created"]);
    }

    /// A change that expects a version happens only to that version.
    async fn versions_are_expected(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        let (scope, by_id) = (bed.scope(), || RecordRef::Id(made.id));
        let patch = |value: &str| members(json!({ "city": value }));
        let seen = bed.records.expecting(Expected::if_match(&made.etag()).unwrap());
        let changed = seen.update(&scope, "lead", by_id(), patch("Bern"), None).await.unwrap();
        assert_ne!(made.etag(), changed.etag());
        let whole = lead("b@example.com", json!({})).document;
        for stale in [
            seen.update(&scope, "lead", by_id(), patch("Basel"), None).await.map(|_| ()),
            seen.replace(&scope, "lead", by_id(), whole.clone()).await.map(|_| ()),
            seen.delete(&scope, "lead", by_id()).await,
        ] {
            let error = stale.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::PreconditionFailed, "precondition_failed"));
            assert!(error.detail().contains(&changed.etag()), "{}", error.detail());
        }
        assert_eq!(bed.records.get(&scope, "lead", by_id()).await.unwrap(), changed);
        // Nothing is told of what is not there, or not ours.
        assert_eq!(seen.delete(&bed.stranger(), "lead", by_id()).await.unwrap_err().code(), "not_found");
        let (absent, present) = (bed.records.expecting(Expected::Absent), bed.records.expecting(Expected::Present));
        assert_eq!(present.upsert(&scope, "lead", "crm", whole.clone()).await.unwrap_err().code(), "precondition_failed");
        assert!(absent.upsert(&scope, "lead", "crm", whole.clone()).await.unwrap().created);
        assert_eq!(absent.upsert(&scope, "lead", "crm", whole.clone()).await.unwrap_err().code(), "precondition_failed");
        assert!(!present.upsert(&scope, "lead", "crm", whole).await.unwrap().created);
        let stale = Item { act: ItemAct::Delete(by_id()), expected: Expected::if_match(&made.etag()).unwrap() };
        let fresh = Item { act: ItemAct::Delete(by_id()), expected: Expected::if_match(&changed.etag()).unwrap() };
        assert_eq!(run(&bed, vec![stale, fresh]).await, ["precondition_failed", "deleted"]);
    }

    /// Of many that change the same version at once, one does.
    async fn one_change_of_a_version_wins(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        let changes: Vec<_> = (0..20)
            .map(|i| {
                let (records, scope) = (bed.records.expecting(Expected::if_match(&made.etag()).unwrap()), bed.scope());
                let patch = members(json!({ "city": format!("{i}") }));
                tokio::spawn(async move { records.update(&scope, "lead", RecordRef::Id(made.id), patch, None).await })
            })
            .collect();
        let mut won = 0;
        for change in changes {
            match change.await.unwrap() {
                Ok(record) => won += record.revision,
                Err(error) => assert_eq!(error.code(), "precondition_failed"),
            }
        }
        assert_eq!(won, 2);
    }

    /// An export has every record that matches once, in its order, whatever comes and goes meanwhile.
    async fn exports(bed: Bed) {
        for i in 0..230 {
            bed.lead(&format!("{i}@example.com"), json!({"score": i % 7, "status": if i % 10 == 0 { "HOT" } else { "NEW" }})).await;
        }
        bed.records.create(&bed.stranger(), "lead", lead("x@example.com", json!({}))).await.unwrap();
        let all = async |query: Query| {
            let mut export = bed.records.export(&bed.scope(), "lead", &query).unwrap();
            let mut out: Vec<(RecordId, String)> = Vec::new();
            loop {
                let part = export.next().await.unwrap();
                if part.is_empty() {
                    return out;
                }
                assert!(part.len() <= 100);
                out.extend(part.iter().map(|record| (record.id, record.document["email"].as_str().unwrap().to_owned())));
            }
        };
        let plain = all(Query::default()).await;
        assert_eq!(plain.iter().map(|(_, email)| email.clone()).collect::<Vec<_>>(), (0..230).map(|i| format!("{i}@example.com")).collect::<Vec<_>>());
        let hot = all(Query { filter: Filter::eq("status", Operand::Text("HOT".into())), ..Query::default() }).await;
        assert_eq!(hot.len(), 23);
        let mut sorted = all(Query { sort: Some(Sort { field: "score".into(), descending: true }), ..Query::default() }).await;
        assert_eq!(sorted.len(), 230);
        assert_eq!(sorted[0].1, "223@example.com");
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 230);
        let found = all(Query { search: Some("20@".into()), ..Query::default() }).await;
        assert_eq!(found.len(), 3);
        let mut export = bed.records.export(&bed.scope(), "lead", &Query::default()).unwrap();
        assert_eq!(export.next().await.unwrap().len(), 100);
        bed.records.delete(&bed.scope(), "lead", RecordRef::Id(plain[150].0)).await.unwrap();
        bed.lead("late@example.com", json!({})).await;
        let rest = export.next().await.unwrap().len() + export.next().await.unwrap().len() + export.next().await.unwrap().len();
        assert_eq!(rest, 130);
        let bad = Query { filter: Filter::eq("notes", Operand::Text("x".into())), ..Query::default() };
        assert!(bed.records.export(&bed.scope(), "lead", &bad).is_err());
        assert!(bed.records.create(&bed.scope(), "lead", NewRecord::default()).await.is_err());
    }
}
