//! An alert opens once, is updated, and closes by itself.

use std::sync::Arc;

use alerts::{Rule, Severity, Status};
use kernel::Scope;
use serde_json::json;

use crate::bed::Bed;

testkit::engines! {
    /// Twenty failures in ten minutes open one alert; looks at the same do nothing more; ten quiet minutes after the window close it.
    async fn opens_once_is_updated_and_closes(bed: Bed) {
        bed.fail("key_1", 19).await;
        assert_eq!(bed.looked().await, (0, 0, 0));
        bed.fail("key_1", 1).await;
        assert_eq!(bed.looked().await, (1, 0, 0));
        let opened = bed.only().await;
        assert_eq!((opened.rule, opened.subject.as_str(), opened.severity), (Rule::FailedAuthentication, "key_1", Severity::Warning));
        assert_eq!((opened.status, opened.value, opened.threshold, opened.count), (Status::Open, 20.0, 20.0, 1));
        assert_eq!(opened.summary, "20 failed authentications in 10 minutes with key_1: wrong secret");
        bed.minutes(1);
        assert_eq!(bed.looked().await, (0, 0, 0));
        assert_eq!(bed.only().await, opened, "nothing changed, so nothing is written");
        bed.fail("key_1", 5).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "worse, but told within the hour");
        let worse = bed.only().await;
        assert_eq!((worse.id, worse.value, worse.count, worse.last_seen_at), (opened.id, 25.0, 2, bed.ambient.now()));
        // The window passes: at first all is merely quiet.
        bed.minutes(12);
        assert_eq!(bed.looked().await, (0, 0, 0));
        assert_eq!(bed.only().await.status, Status::Open);
        bed.minutes(9);
        assert_eq!(bed.looked().await, (0, 0, 0));
        bed.minutes(1);
        assert_eq!(bed.looked().await, (0, 0, 1));
        let closed = bed.only().await;
        assert_eq!((closed.status, closed.closed_reason.as_deref(), closed.worst), (Status::Closed, Some("recovered"), 25.0));
        let told = bed.told(bed.tenant).await;
        assert_eq!(told.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["alert.opened", "alert.closed"]);
        assert_eq!(told[0].1["alertId"], json!(opened.id));
        assert_eq!((&told[1].1["status"], &told[1].1["closedReason"], &told[1].1["tenantId"]),
            (&json!("closed"), &json!("recovered"), &json!(bed.tenant)));
        assert!(bed.told(bed.stranger).await.is_empty());
    }

    /// What its event says satisfies the event's schema.
    async fn events_are_as_the_catalogue_says(bed: Bed) {
        bed.fail("key_1", 20).await;
        bed.look().await;
        bed.minutes(21);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let events = events::Events::new(bed.store.clone(), bed.ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        for (name, data) in bed.told(bed.tenant).await {
            let view = events.event_type(&bed.caller(), &name, None).await.unwrap();
            let faults = blueprint::Schema::compile(&view.schema).unwrap().check(&data, "");
            assert!(faults.is_empty(), "{name}: {faults:?}");
        }
    }

    /// A value that goes up and down around the threshold is one alert: it closes when it was well below for ten minutes on end.
    async fn does_not_flap(bed: Bed) {
        for round in 0..6 {
            bed.fail("key_1", if round % 2 == 0 { 21 } else { 17 }).await;
            bed.look().await;
            bed.minutes(11);
        }
        assert_eq!(bed.only().await.status, Status::Open);
        bed.look().await;
        bed.minutes(9);
        bed.fail("key_1", 17).await;
        bed.look().await;
        bed.minutes(9);
        assert_eq!(bed.looked().await, (0, 0, 0), "17 is not well below 20: the quiet began anew");
        assert_eq!(bed.told_types(bed.tenant).await, ["alert.opened"]);
        bed.minutes(2);
        bed.look().await;
        bed.minutes(10);
        assert_eq!(bed.looked().await, (0, 0, 1));
        bed.fail("key_1", 20).await;
        assert_eq!(bed.looked().await, (1, 0, 0), "a new one, for it had closed");
        assert_eq!(bed.alerts_of(Some(bed.tenant)).await.len(), 2);
    }

    /// Graver is told at once, worse at most hourly, and what stays is told daily.
    async fn updates_are_few(bed: Bed) {
        bed.fail("key_1", 20).await;
        bed.look().await;
        bed.minutes(5);
        bed.fail("key_1", 80).await;
        assert_eq!(bed.looked().await, (0, 1, 0));
        assert_eq!(bed.only().await.severity, Severity::Critical);
        let mut updates = 0;
        for _ in 0..24 {
            bed.minutes(10);
            bed.fail("key_1", 100).await;
            updates += bed.look().await.updated;
        }
        assert_eq!(updates, 0, "four hours, and never worse than what was told");
        bed.minutes(10);
        bed.fail("key_1", 300).await;
        assert_eq!(bed.looked().await, (0, 1, 0));
        for _ in 0..144 {
            bed.minutes(10);
            bed.fail("key_1", 50).await;
            updates += bed.look().await.updated;
        }
        assert_eq!(updates, 1, "a day later, once");
        assert_eq!((bed.only().await.severity, bed.only().await.worst), (Severity::Critical, 300.0));
    }

    /// Two servers that look at the same moment open one alert; one server at a time looks.
    async fn servers_share_the_work(bed: Bed) {
        bed.fail("key_1", 30).await;
        let other = bed.another();
        assert_eq!(bed.looked().await, (1, 0, 0));
        bed.fail("key_2", 30).await;
        assert_eq!(other.evaluate().await.unwrap().opened, 0, "the first one has the lease");
        bed.minutes(3);
        bed.fail("key_2", 30).await;
        assert_eq!(other.evaluate().await.unwrap().opened, 1, "it ran out");
        other.stop().await.unwrap();
        bed.fail("key_3", 30).await;
        assert_eq!(bed.looked().await, (1, 0, 0), "it was given back");
        // Without any lease.
        bed.fail("key_4", 30).await;
        for alerts in [&bed.alerts, &other, &bed.alerts] {
            bed.store.write(Scope::system("test"), |tx| tx.exec("DELETE FROM leases", &[])).await.unwrap();
            alerts.evaluate().await.unwrap();
        }
        let of_four = bed.alerts_of(Some(bed.tenant)).await.iter().filter(|alert| alert.subject == "key_4").count();
        assert_eq!(of_four, 1);
    }

    async fn a_tenants_alerts_go_with_it(bed: Bed) {
        bed.fail("key_1", 30).await;
        bed.look().await;
        assert_eq!(bed.alerts_of(None).await.len(), 1);
        bed.access.delete_tenant(&kernel::Caller::system("test", None), kernel::IdRef::Id(bed.tenant)).await.unwrap();
        assert!(bed.alerts_of(None).await.is_empty());
        bed.fail("key_1", 30).await;
        assert_eq!(bed.looked().await, (0, 0, 0), "counts that come late are nobody's");
    }
}
