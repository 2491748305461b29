//! Creating, reading, changing, deleting.

use kernel::Kind;
use records::{NewRecord, RecordRef};
use serde_json::{Value, json};

use crate::bed::{Bed, lead, members, pointers};

testkit::engines! {
    /// What was created is what is read, by each of its names.
    async fn round_trips(bed: Bed) {
        let new = NewRecord { external_id: Some("crm-7".into()), ..lead("ada@example.com", json!({"metadata": {"a": [1, "ü"]}})) };
        let made = bed.records.create(&bed.scope(), "lead", new).await.unwrap();
        for reference in [RecordRef::Id(made.id), "ext:crm-7".parse().unwrap()] {
            assert_eq!(bed.records.get(&bed.scope(), "lead", reference).await.unwrap(), made);
        }
        let wire = Value::Object(bed.records.resource_type("lead").unwrap().wire(&made));
        let names: Vec<&String> = wire.as_object().unwrap().keys().collect();
        assert_eq!((names[0].as_str(), names[1].as_str()), ("id", "externalId"));
        assert_eq!((&wire["id"], &wire["status"], &wire["phone"]), (&json!(made.id.to_string()), &json!("NEW"), &Value::Null));
        assert_eq!((&wire["createdAt"], &wire["updatedAt"]), (&json!("2026-01-31T12:00:00.000Z"), &json!("2026-01-31T12:00:00.000Z")));
        assert_eq!(wire["metadata"], json!({"a": [1, "ü"]}));
    }

    /// Faults are named by their places, and nothing is stored.
    async fn refuses_what_breaks_the_schema(bed: Bed) {
        for (more, expected) in [
            (json!({"email": "nobody"}), vec!["/email"]),
            (json!({"score": 101}), vec!["/score"]),
            (json!({"colour": "red"}), vec!["/colour"]),
            (json!({"id": "rec_1", "createdAt": "2026-01-01T00:00:00Z", "externalId": "x"}), vec!["/id", "/createdAt", "/externalId"]),
            (json!({"notes": "a\u{0}b"}), vec!["/notes"]),
            (json!({"metadata": {"k\u{0}": 1}}), vec!["/metadata"]),
        ] {
            let error = bed.records.create(&bed.scope(), "lead", lead("ada@example.com", more)).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Invalid, "validation_failed"));
            assert_eq!(pointers(&error), expected);
        }
        let error = bed.records.create(&bed.scope(), "lead", NewRecord::default()).await.unwrap_err();
        assert_eq!(pointers(&error).len(), 5, "{error:?}");
        assert_eq!((bed.count("records").await, bed.count("record_fields").await, bed.count("events").await), (0, 0, 0));
    }

    /// Size and depth have bounds, also when a change would cross them.
    async fn documents_are_bounded(bed: Bed) {
        let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
        let error = bed.records.create(&bed.scope(), "lead", lead("a@example.com", json!({ "metadata": deep }))).await.unwrap_err();
        assert_eq!(error.code(), "validation_failed");
        let half = "x".repeat(records::MAX_BYTES / 2);
        let made = bed.lead("a@example.com", json!({"metadata": {"a": half}})).await;
        let patch = members(json!({"metadata": {"b": half}}));
        let error = bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), patch, None).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::TooLarge, "record_too_large"));
        assert_eq!(bed.records.get(&bed.scope(), "lead", RecordRef::Id(made.id)).await.unwrap().revision, 1);
    }

    /// A patch changes what it names; null removes; what is required stays.
    async fn merges_patches(bed: Bed) {
        let made = bed.lead("a@example.com", json!({"phone": "1", "metadata": {"x": 1, "y": 2}})).await;
        bed.later();
        let patch = members(json!({"phone": null, "city": "Bern", "metadata": {"x": null, "z": 3}}));
        let changed = bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), patch, None).await.unwrap();
        assert_eq!((changed.document.get("phone"), &changed.document["city"]), (None, &json!("Bern")));
        assert_eq!(changed.document["metadata"], json!({"y": 2, "z": 3}));
        assert_eq!((changed.revision, changed.created_at, changed.updated_at > made.updated_at), (2, made.created_at, true));
        let error = bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), members(json!({"email": null})), None).await.unwrap_err();
        assert_eq!(pointers(&error), ["/email"]);
        assert_eq!(bed.records.get(&bed.scope(), "lead", RecordRef::Id(made.id)).await.unwrap(), changed);
    }

    /// An endpoint may open a few members only.
    async fn writes_only_what_is_writable(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        let writable = vec!["status".to_owned()];
        let patch = members(json!({"status": "X", "city": "Bern", "colour": 1, "id": "x"}));
        let error = bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), patch, Some(&writable)).await.unwrap_err();
        assert_eq!(pointers(&error), ["/city", "/colour", "/id"]);
        let new = NewRecord { writable: Some(writable), ..lead("b@example.com", json!({})) };
        assert_eq!(bed.records.create(&bed.scope(), "lead", new).await.unwrap_err().fields().len(), 5);
    }

    /// Another tenant's record is not there, whatever is asked of it.
    async fn strangers_find_nothing(bed: Bed) {
        let new = NewRecord { external_id: Some("mine".into()), ..lead("a@example.com", json!({})) };
        let made = bed.records.create(&bed.scope(), "lead", new).await.unwrap();
        let stranger = bed.stranger();
        for reference in [RecordRef::Id(made.id), RecordRef::External("mine".into())] {
            let patch = members(json!({"city": "Bern"}));
            let outcomes = [
                bed.records.get(&stranger, "lead", reference.clone()).await.map(|_| ()),
                bed.records.update(&stranger, "lead", reference.clone(), patch, None).await.map(|_| ()),
                bed.records.replace(&stranger, "lead", reference.clone(), lead("b@example.com", json!({})).document).await.map(|_| ()),
                bed.records.delete(&stranger, "lead", reference.clone()).await,
            ];
            for outcome in outcomes {
                assert_eq!(outcome.unwrap_err().code(), "not_found");
            }
        }
        // Nor is a record of one type to be found as another's.
        assert!(bed.records.get(&bed.scope(), "quote", RecordRef::Id(made.id)).await.is_err());
        assert_eq!(bed.records.get(&bed.scope(), "lorry", RecordRef::Id(made.id)).await.unwrap_err().code(), "not_found");
        assert!(bed.records.list(&stranger, "lead", records::Query::default()).await.unwrap().data.is_empty());
        // Values that are unique in one tenant are free in another.
        bed.records.create(&stranger, "lead", lead("a@example.com", json!({}))).await.unwrap();
        assert!(bed.records.upsert(&stranger, "lead", "mine", lead("c@example.com", json!({})).document).await.unwrap().created);
    }

    /// A unique value is given up by a change and by a deletion, and by nothing else.
    async fn unique_values_have_one_holder(bed: Bed) {
        let first = bed.lead("a@example.com", json!({})).await;
        let second = bed.lead("b@example.com", json!({})).await;
        let taken = bed.records.create(&bed.scope(), "lead", lead("a@example.com", json!({}))).await.unwrap_err();
        assert_eq!((taken.kind(), taken.code(), pointers(&taken)), (Kind::Conflict, "not_unique", vec!["/email"]));
        let (scope, patch) = (bed.scope(), members(json!({"email": "a@example.com"})));
        assert_eq!(bed.records.update(&scope, "lead", RecordRef::Id(second.id), patch.clone(), None).await.unwrap_err().code(), "not_unique");
        let moved = members(json!({"email": "c@example.com"}));
        bed.records.update(&scope, "lead", RecordRef::Id(first.id), moved, None).await.unwrap();
        bed.records.update(&scope, "lead", RecordRef::Id(second.id), patch, None).await.unwrap();
        bed.records.delete(&scope, "lead", RecordRef::Id(first.id)).await.unwrap();
        bed.lead("c@example.com", json!({})).await;
        assert_eq!(bed.count("record_uniques").await, 2);
    }

    /// An external id makes one record, however often it is put.
    async fn upserts(bed: Bed) {
        let first = bed.records.upsert(&bed.scope(), "lead", "crm-1", lead("a@example.com", json!({"city": "Bern"})).document).await.unwrap();
        assert!(first.created);
        let again = bed.records.upsert(&bed.scope(), "lead", "crm-1", lead("a@example.com", json!({"status": "HOT"})).document).await.unwrap();
        assert!(!again.created);
        assert_eq!((again.record.id, &again.record.document["status"], again.record.document.get("city")), (first.record.id, &json!("HOT"), None));
        let taken = NewRecord { external_id: Some("crm-1".into()), ..lead("z@example.com", json!({})) };
        assert_eq!(bed.records.create(&bed.scope(), "lead", taken).await.unwrap_err().code(), "external_id_taken");
        // Many at once make one record.
        let puts: Vec<_> = (0..12)
            .map(|_| {
                let (records, scope) = (bed.records.clone(), bed.scope());
                tokio::spawn(async move { records.upsert(&scope, "lead", "crm-2", lead("d@example.com", json!({})).document).await.unwrap() })
            })
            .collect();
        let mut made = 0;
        for put in puts {
            made += u32::from(put.await.unwrap().created);
        }
        assert_eq!((made, bed.count("records").await), (1, 2));
    }

    /// Numbers count up over all tenants, and are numbers on the wire.
    async fn numbered_records(bed: Bed) {
        let new = || NewRecord { document: members(json!({"first_name": "Grace"})), ..NewRecord::default() };
        let first = bed.numbered.create(&bed.scope(), "lead", new()).await.unwrap();
        let other = bed.numbered.create(&bed.stranger(), "lead", new()).await.unwrap();
        let (first_number, other_number) = (first.number.unwrap(), other.number.unwrap());
        assert_eq!((first_number, other_number), (1, 2));
        let wire = bed.numbered.resource_type("lead").unwrap().wire(&first);
        assert_eq!((&wire["id"], &wire["last_contact_date"]), (&json!(1), &Value::Null));
        assert!(bed.numbered.get(&bed.scope(), "lead", RecordRef::Number(1)).await.is_ok());
        assert!(bed.numbered.get(&bed.scope(), "lead", RecordRef::Number(2)).await.is_err());
        bed.later();
        let changed = bed.numbered.update(&bed.scope(), "lead", RecordRef::Number(1), members(json!({})), None).await.unwrap();
        assert_eq!(changed.document["last_contact_date"], json!("2026-01-31T12:00:01.000Z"));
        let error = bed.numbered.update(&bed.scope(), "lead", RecordRef::Number(1), members(json!({"last_contact_date": null})), None).await;
        assert_eq!(pointers(&error.unwrap_err()), ["/last_contact_date"]);
    }

    /// The same idempotency key creates once and answers the same.
    async fn a_key_creates_once(bed: Bed) {
        let one = bed.records.create(&bed.request("k"), "lead", lead("a@example.com", json!({"score": 87.5}))).await.unwrap();
        let again = bed.records.create(&bed.request("k"), "lead", lead("a@example.com", json!({"score": 87.5}))).await.unwrap();
        assert_eq!(one, again);
        assert_eq!((bed.count("records").await, bed.count("events").await), (1, 1));
    }

    /// Changes of one record at once are all kept: each sees what the one before it left.
    async fn concurrent_changes_are_all_kept(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        let changes: Vec<_> = (0..40)
            .map(|i| {
                let (records, scope) = (bed.records.clone(), bed.scope());
                let patch = members(json!({ "metadata": { format!("k{i}"): i } }));
                tokio::spawn(async move { records.update(&scope, "lead", RecordRef::Id(made.id), patch, None).await.unwrap() })
            })
            .collect();
        for change in changes {
            change.await.unwrap();
        }
        let after = bed.records.get(&bed.scope(), "lead", RecordRef::Id(made.id)).await.unwrap();
        assert_eq!((after.revision, after.document["metadata"].as_object().unwrap().len()), (41, 40));
    }

    /// Many tenants create and change at once: nothing is lost and nothing is done twice, also when a caller is asked to try again.
    async fn tenants_at_once(bed: Bed) {
        let scopes = [bed.scope(), bed.stranger(), bed.stranger()];
        let work: Vec<_> = (0..120)
            .map(|i: usize| {
                let (records, scope) = (bed.numbered.clone(), scopes[i % 3].clone());
                tokio::spawn(async move {
                    let new = NewRecord { document: members(json!({"first_name": "Grace"})), ..NewRecord::default() };
                    let made = loop {
                        if let Some(made) = unless_busy(records.create(&scope, "lead", new.clone()).await) {
                            break made;
                        }
                    };
                    let patch = members(json!({ "notes": i.to_string() }));
                    loop {
                        let changed = records.update(&scope, "lead", RecordRef::Id(made.id), patch.clone(), None).await;
                        if let Some(changed) = unless_busy(changed) {
                            break changed;
                        }
                    }
                })
            })
            .collect();
        let mut numbers = std::collections::HashSet::new();
        for one in work {
            numbers.insert(one.await.unwrap().number.unwrap());
        }
        assert_eq!((numbers.len(), bed.count("records").await, bed.count("events").await), (120, 120, 240));
    }
}

/// None when the database says to try again: then nothing happened.
fn unless_busy<T>(outcome: kernel::Result<T>) -> Option<T> {
    match outcome {
        Err(error) if error.code() == "database_unavailable" => None,
        outcome => Some(outcome.unwrap()),
    }
}
