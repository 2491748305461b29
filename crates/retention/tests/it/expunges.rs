//! What is expunged stands nowhere.

use dispatch::destinations::State;
use kernel::{Caller, Scope};
use retention::{ExpungeInput, Lifetimes, Progress};
use serde_json::json;

use crate::bed::Bed;

const NEEDLE: &str = "needle-4711-in-the-haystack";

fn of(customer: &str) -> ExpungeInput {
    ExpungeInput { path: Some("data.customerId".into()), value: Some(json!(customer)), ..ExpungeInput::default() }
}

async fn audited(bed: &Bed) -> Vec<String> {
    let sql = "SELECT action || ' ' || target || ' ' || detail FROM audit_log WHERE action LIKE 'expunge.%' ORDER BY seq";
    bed.store.read(Scope::system("test"), move |tx| tx.query(sql, &[], |row| row.get(0))).await.unwrap()
}

testkit::engines! {
    async fn a_subject_is_forgotten_everywhere(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        for n in 0..120 {
            bed.publish(bed.tenant, if n % 40 == 0 { NEEDLE } else { "somebody else" }).await;
        }
        bed.publish(bed.stranger, "a stranger's").await;
        bed.wait_ended(121).await;
        // One that failed and waits for its retry, one that waits altogether.
        *bed.takes.lock().unwrap() = false;
        let failing = bed.publish(bed.tenant, NEEDLE).await;
        testkit::wait::until("it was attempted", crate::bed::LIMIT, || async { (bed.logged("SELECT COUNT(*) FROM attempts").await == 122).then_some(()) }).await;
        bed.wait_quiet().await;
        bed.set_state(State::Paused).await;
        bed.publish(bed.tenant, NEEDLE).await;
        assert!(bed.places_of(NEEDLE).await.len() >= 2);

        let counted = retention.expunge(&bed.caller(), ExpungeInput { dry_run: true, ..of(NEEDLE) }).await.unwrap();
        retention.expunge_all().await.unwrap();
        let counted = retention.get_expunge(&bed.caller(), counted.id).await.unwrap();
        assert_eq!((counted.state, counted.examined, counted.matched, counted.deliveries), (Progress::Done, 122, 5, 0));
        let run = retention.expunge(&bed.caller(), of(NEEDLE)).await.unwrap();
        assert_eq!((run.state, run.matched), (Progress::Running, 0));
        retention.expunge_all().await.unwrap();
        let run = retention.get_expunge(&bed.caller(), run.id).await.unwrap();
        assert_eq!((run.state, run.examined, run.matched, run.deliveries), (Progress::Done, 122, 5, 5));

        assert_eq!(bed.places_of(NEEDLE).await, [""; 0], "nowhere");
        assert!(!bed.places_of("somebody else").await.is_empty() && !bed.places_of("a stranger's").await.is_empty());
        let ended = "SELECT COUNT(*) FROM deliveries WHERE reason = 'cancelled'";
        assert_eq!(bed.number(ended).await, 2);
        assert_eq!(bed.number("SELECT COUNT(*) FROM queue").await, 0);
        let view = bed.events.get(&bed.caller(), failing).await.unwrap();
        assert_eq!((view.data.get(), view.ordering_key), ("null", None));
        let audit = audited(&bed).await;
        assert_eq!(audit.len(), 4, "{audit:?}");
        assert!(audit.iter().all(|line| !line.contains(NEEDLE)));
    }

    /// Publications that are kept apart are a subject's as well: by what they say, by their key, by their id.
    async fn what_is_kept_apart_is_forgotten(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let keep = async |tenant: kernel::TenantId, id: &'static str, customer: &'static str| {
            let data = json!({"customerId": customer}).to_string().into_bytes();
            let write = move |tx: &mut store::Tx<'_>| {
                let sql = "INSERT INTO quarantined_events (tenant_id, id, held_at, size, event_type, occurred_at, ordering_key, problems, data) \
                           VALUES (?1, ?2, 5, 1, 'lead.created', 5, ?3, '[]', ?4)";
                tx.exec(sql, &[tenant.into(), id.into(), customer.into(), data.into()])?;
                let sql = "INSERT INTO quarantine_fill (tenant_id, events, bytes) VALUES (?1, 1, 1) ON CONFLICT (tenant_id) DO UPDATE \
                           SET events = quarantine_fill.events + 1, bytes = quarantine_fill.bytes + 1";
                tx.exec(sql, &[tenant.into()])
            };
            bed.store.write(Scope::system("test"), write).await.unwrap();
        };
        for (id, customer) in [("q1", NEEDLE), ("q2", "other"), ("q3", NEEDLE), ("q4", "by its key"), ("e0", "by its id")] {
            keep(bed.tenant, id, customer).await;
        }
        keep(bed.stranger, "q1", NEEDLE).await;
        let run = async |input: ExpungeInput| {
            let made = retention.expunge(&bed.caller(), input).await.unwrap();
            retention.expunge_all().await.unwrap();
            let done = retention.get_expunge(&bed.caller(), made.id).await.unwrap();
            assert_eq!(done.state, Progress::Done);
            done.quarantined_events
        };
        assert_eq!(run(ExpungeInput { dry_run: true, ..of(NEEDLE) }).await, 2);
        assert_eq!(bed.number("SELECT COUNT(*) FROM quarantined_events").await, 6);
        assert_eq!(run(of(NEEDLE)).await, 2);
        assert_eq!(run(ExpungeInput { ordering_key: Some("by its key".into()), ..ExpungeInput::default() }).await, 1);
        let published = bed.publish(bed.tenant, "x").await;
        assert_eq!(published.as_str(), "e0");
        bed.wait_ended(1).await;
        retention.expunge_event(&bed.caller(), published).await.unwrap();
        retention.expunge_all().await.unwrap();
        assert_eq!(bed.number("SELECT COUNT(*) FROM quarantined_events").await, 2, "the other one, and the other tenant's");
        assert_eq!(bed.number("SELECT events FROM quarantine_fill ORDER BY events LIMIT 1").await, 1);
    }

    async fn one_event_is_forgotten(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let (one, other) = (bed.publish(bed.tenant, NEEDLE).await, bed.publish(bed.tenant, "another").await);
        bed.wait_ended(2).await;
        let stranger = Caller::system("test", Some(bed.stranger));
        assert_eq!(retention.expunge_event(&stranger, one.clone()).await.unwrap_err().code(), "not_found");
        let run = retention.expunge_event(&bed.caller(), one.clone()).await.unwrap();
        assert_eq!(retention.get_expunge(&stranger, run.id).await.unwrap_err().code(), "not_found");
        retention.expunge_all().await.unwrap();
        let run = retention.get_expunge(&bed.caller(), run.id).await.unwrap();
        assert_eq!((run.state, run.matched, run.deliveries, run.kind.as_str()), (Progress::Done, 1, 1, "event"));
        assert_eq!(bed.places_of(NEEDLE).await, [""; 0]);
        assert_eq!(bed.events.get(&bed.caller(), one.clone()).await.unwrap().data.get(), "null");
        assert_eq!(bed.events.get(&bed.caller(), other).await.unwrap().data.get(), r#"{"leadId":"1","customerId":"another"}"#);
        // Again, and of one that retention has already dropped: nothing to do.
        retention.expunge_event(&bed.caller(), one.clone()).await.unwrap();
        bed.store.write(Scope::system("test"), |tx| tx.exec("DELETE FROM events", &[])).await.unwrap();
        let last = retention.expunge_event(&bed.caller(), one).await.unwrap();
        retention.expunge_all().await.unwrap();
        assert_eq!(retention.get_expunge(&bed.caller(), last.id).await.unwrap().state, Progress::Done);
    }

    /// By its ordering key, on behalf of a tenant that has it in no payload.
    async fn a_key_is_forgotten(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        bed.publish(bed.tenant, "k-1").await;
        bed.publish(bed.stranger, "k-1").await;
        bed.wait_ended(2).await;
        let run = retention.expunge(&bed.caller(), ExpungeInput { ordering_key: Some("k-1".into()), ..ExpungeInput::default() }).await.unwrap();
        retention.expunge_all().await.unwrap();
        assert_eq!(retention.get_expunge(&bed.caller(), run.id).await.unwrap().matched, 1);
        assert_eq!(bed.number("SELECT COUNT(*) FROM events WHERE ordering_key = 'k-1'").await, 1, "the other tenant's stays");
    }

    async fn what_makes_no_sense_is_refused(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        let key = || Some("k".to_owned());
        for input in [
            ExpungeInput::default(),
            ExpungeInput { path: Some("data.a".into()), ..ExpungeInput::default() },
            ExpungeInput { path: Some("data.a".into()), value: Some(json!("x")), ordering_key: key(), ..ExpungeInput::default() },
            ExpungeInput { path: Some("id".into()), value: Some(json!("x")), ..ExpungeInput::default() },
            ExpungeInput { path: Some("data.a".into()), value: Some(json!({"$exists": true})), ..ExpungeInput::default() },
            ExpungeInput { path: Some("data.a".into()), value: Some(json!(null)), ..ExpungeInput::default() },
            ExpungeInput { ordering_key: key(), records: true, ..ExpungeInput::default() },
        ] {
            let refused = retention.expunge(&bed.caller(), input.clone()).await;
            assert_eq!(refused.unwrap_err().code(), "validation_failed", "{input:?}");
        }
    }
}
