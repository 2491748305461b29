//! Emitting inside another feature's transaction, loading, purging.

use bytes::Bytes;
use kernel::{Error, Event, EventId, Scope, TenantScope};
use store::{Lifecycle as _, Subject};

use crate::bed::{Bed, lead};

fn event(bed: &Bed, id: EventId) -> Event {
    let now = bed.ambient.now();
    Event {
        tenant: bed.tenant,
        id,
        event_type: "lead.created".parse().unwrap(),
        occurred_at: now,
        created_at: now,
        data: Bytes::from_static(b"{ \"leadId\":\"1\" }"),
        client: None,
        channels: vec!["eu".into()],
        ordering_key: Some("k".into()),
        deliver_at: None,
        schema_version: None,
    }
}

testkit::engines! {
    /// Events commit with the transaction that emits them, or not at all.
    async fn they_share_the_transactions_fate(bed: Bed) {
        for fails in [true, false] {
            let (events, one) = (bed.events.clone(), event(&bed, bed.ambient.event_id()));
            let outcome = bed.store.write(TenantScope::system("test", bed.tenant), move |tx| {
                let emitted = events.emit(tx, vec![one])?;
                if fails { Err(Error::conflict("no", "No.")) } else { Ok(emitted) }
            });
            assert_eq!(outcome.await.is_err(), fails);
            assert_eq!(bed.count("events").await, i64::from(!fails));
        }
    }

    /// A taken id is told apart from a new one.
    async fn a_taken_id_adds_nothing(bed: Bed) {
        bed.events.publish(&bed.caller(), lead(Some("taken"))).await.unwrap();
        let (events, both) = (bed.events.clone(), vec![event(&bed, "taken".parse().unwrap()), event(&bed, "free".parse().unwrap())]);
        let emitted = bed.store.write(TenantScope::system("test", bed.tenant), move |tx| events.emit(tx, both)).await.unwrap();
        assert_eq!(emitted.iter().map(|e| (e.is_new, e.deliveries)).collect::<Vec<_>>(), [(false, 3), (true, 3)]);
        assert_eq!(bed.count("events").await, 2);
    }

    /// What is loaded is what was emitted; unknown keys are left out.
    async fn loads_by_key(bed: Bed) {
        let all: Vec<Event> = (0..40).map(|_| event(&bed, bed.ambient.event_id())).collect();
        let (events, emitted) = (bed.events.clone(), all.clone());
        bed.store.write(TenantScope::system("test", bed.tenant), move |tx| events.emit(tx, emitted)).await.unwrap();
        let mut keys: Vec<_> = all.iter().map(|e| (e.tenant, e.id.clone(), e.created_at)).collect();
        keys.push((bed.tenant, "unknown".parse().unwrap(), all[0].created_at));
        keys.push((bed.ambient.id(), all[0].id.clone(), all[0].created_at));
        keys.push((bed.tenant, all[0].id.clone(), all[0].created_at.plus(std::time::Duration::from_secs(1))));
        let mut loaded = bed.store.read(Scope::system("test"), move |tx| events::load(tx, &keys)).await.unwrap();
        loaded.sort_by(|a, b| a.id.cmp(&b.id));
        let mut expected = all;
        expected.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(loaded.iter().map(|e| e.as_ref().clone()).collect::<Vec<_>>(), expected);
        assert!(bed.store.read(Scope::system("test"), |tx| events::load(tx, &[])).await.unwrap().is_empty());
    }

    /// An event goes with all that is known of it; a tenant with all its events, and with nobody else's.
    async fn purges(bed: Bed) {
        let other = kernel::Caller::system("test", Some(bed.ambient.id()));
        for id in ["a", "b"] {
            bed.events.publish(&bed.caller(), lead(Some(id))).await.unwrap();
            bed.events.publish(&other, lead(Some(id))).await.unwrap();
        }
        let (events, tenant) = (bed.events.clone(), bed.tenant);
        let one = Subject::Event("a".parse().unwrap());
        bed.store.write(TenantScope::system("test", tenant), move |tx| events.purge(tx, tenant, &one)).await.unwrap();
        assert_eq!((bed.count("events").await, bed.count("event_ids").await), (3, 3));
        assert!(bed.events.get(&bed.caller(), "a".parse().unwrap()).await.is_err());
        let events = bed.events.clone();
        bed.store.write(TenantScope::system("test", tenant), move |tx| events.purge(tx, tenant, &Subject::Tenant)).await.unwrap();
        let purge = || bed.store.write(Scope::system("test"), move |tx| events::retention::purge_some(tx, tenant, 1));
        while purge().await.unwrap() > 0 {}
        assert_eq!((bed.count("events").await, bed.count("event_ids").await), (2, 2));
    }
}
