//! Events of changes.

use std::sync::atomic::Ordering;

use records::RecordRef;
use serde_json::json;

use crate::bed::{Bed, lead, members};

testkit::engines! {
    /// Each change emits what is declared for it; a change that changes nothing emits nothing.
    async fn emits_what_is_declared(bed: Bed) {
        let made = bed.lead("a@example.com", json!({"status": "QUALIFIED"})).await;
        let patch = async |patch| bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), members(patch), None).await.unwrap();
        for change in [
            json!({"city": "Bern"}),
            json!({"city": "Bern", "status": "QUALIFIED", "phone": null}),
            json!({}),
            json!({"status": "CONVERTED", "city": "Basel"}),
            json!({"status": "CONVERTED", "city": "Genf"}),
            json!({"status": "LOST"}),
            json!({"status": "qualified"}),
        ] {
            bed.later();
            patch(change).await;
        }
        bed.later();
        bed.records.delete(&bed.scope(), "lead", RecordRef::Id(made.id)).await.unwrap();
        let expected = ["lead.created", "lead.updated", "lead.converted", "lead.updated", "lead.updated", "lead.qualified", "lead.rejected"];
        assert_eq!(bed.event_types().await, expected);
        assert_eq!((bed.count("records").await, bed.count("record_fields").await, bed.count("record_uniques").await), (0, 0, 0));
    }

    /// The data carries the id as a string, and the record as on the wire.
    async fn data_is_the_record(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        let (_, data) = bed.events().await.remove(0);
        let mut expected = members(json!({"leadId": made.id.to_string()}));
        expected.extend(bed.records.resource_type("lead").unwrap().wire(&made));
        assert_eq!(data, serde_json::Value::Object(expected));
        bed.later();
        let new = records::NewRecord { document: members(json!({"first_name": "Grace"})), ..Default::default() };
        bed.numbered.create(&bed.scope(), "lead", new).await.unwrap();
        let (_, data) = bed.events().await.remove(1);
        assert_eq!((&data["lead_id"], &data["id"], &data["status"]), (&json!("1"), &json!(1), &json!("active")));
    }

    /// If the event cannot be published, the change did not happen, and the other way round.
    async fn a_change_and_its_event_share_their_fate(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        bed.planner.fails.store(true, Ordering::SeqCst);
        let reference = || RecordRef::Id(made.id);
        let failed = [
            bed.records.create(&bed.scope(), "lead", lead("b@example.com", json!({}))).await.map(|_| ()),
            bed.records.update(&bed.scope(), "lead", reference(), members(json!({"city": "Bern", "email": "c@example.com"})), None).await.map(|_| ()),
            bed.records.delete(&bed.scope(), "lead", reference()).await,
        ];
        for outcome in failed {
            assert_eq!(outcome.unwrap_err().code(), "planner_failed");
        }
        bed.planner.fails.store(false, Ordering::SeqCst);
        assert_eq!(bed.records.get(&bed.scope(), "lead", reference()).await.unwrap(), made);
        assert!(bed.records.create(&bed.scope(), "lead", lead("a@example.com", json!({}))).await.is_err());
        assert_eq!((bed.count("records").await, bed.count("events").await, bed.count("audit_log").await), (1, 1, 1));
        bed.lead("c@example.com", json!({})).await;
    }

    /// Every change writes its audit row in the tenant's chain.
    async fn changes_are_audited(bed: Bed) {
        let made = bed.lead("a@example.com", json!({})).await;
        bed.records.update(&bed.scope(), "lead", RecordRef::Id(made.id), members(json!({"city": "Bern"})), None).await.unwrap();
        bed.records.delete(&bed.scope(), "lead", RecordRef::Id(made.id)).await.unwrap();
        let chain = bed.tenant.to_string();
        let rows = bed.store.read(kernel::Scope::system("test"), move |tx| {
            assert_eq!(store::verify_chain(tx, &chain)?, None);
            tx.query("SELECT action, target, detail FROM audit_log ORDER BY seq", &[], |row| {
                Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<serde_json::Value>(2)?))
            })
        });
        let rows = rows.await.unwrap();
        let actions: Vec<&str> = rows.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["record.create", "record.update", "record.delete"]);
        assert!(rows.iter().all(|(_, target, _)| *target == made.id.to_string()));
        assert_eq!(rows[1].2, json!({"resource": "lead", "changed": ["city"]}));
    }
}
