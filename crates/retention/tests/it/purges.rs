//! Of a tenant that is gone nothing is left, and nobody else loses anything.

use std::sync::Arc;

use dispatch::DispatchLifecycle;
use kernel::{ClientId, Scope, TenantId};
use retention::{Lifetimes, Retention, RetentionLifecycle};
use store::{Lifecycle, Subject};

use crate::bed::Bed;

/// What deleting does at once.
async fn delete(bed: &Bed, retention: &Arc<Retention>, tenant: TenantId, subject: Subject) {
    let lifecycles: [Arc<dyn Lifecycle>; 3] =
        [DispatchLifecycle::new(bed.store.clone()), bed.events.clone(), Arc::new(RetentionLifecycle(Arc::clone(retention)))];
    let purge = move |tx: &mut store::Tx<'_>| lifecycles.iter().try_for_each(|lifecycle| lifecycle.purge(tx, tenant, &subject));
    bed.store.write(Scope::system("test"), purge).await.unwrap();
}

testkit::engines! {
    /// More than a step has of everything, and something that waits. What the deletion itself holds up is small: the rest goes later, in steps.
    async fn a_tenant_goes_in_steps(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        for _ in 0..230 {
            bed.publish(bed.tenant, "ours").await;
        }
        bed.publish(bed.stranger, "theirs").await;
        bed.wait_ended(231).await;
        bed.set_state(dispatch::State::Paused).await;
        for _ in 0..3 {
            bed.publish(bed.tenant, "waiting").await;
        }
        bed.wait_quiet().await;
        delete(&bed, &retention, bed.tenant, Subject::Tenant).await;
        assert_eq!(bed.number("SELECT COUNT(*) FROM destinations").await, 1);
        assert_eq!(bed.number("SELECT COUNT(*) FROM deliveries").await, 231, "not yet");
        assert_eq!(bed.number("SELECT COUNT(*) FROM purges").await, 1);
        retention.purge_all().await.unwrap();
        for (sql, left) in [
            ("SELECT COUNT(*) FROM deliveries", 1),
            ("SELECT COUNT(*) FROM events", 1),
            ("SELECT COUNT(*) FROM event_ids", 1),
            ("SELECT COUNT(*) FROM event_groups", 1),
            ("SELECT COUNT(*) FROM queue", 0),
            ("SELECT COUNT(*) FROM slips", 0),
            ("SELECT COUNT(*) FROM purges", 0),
        ] {
            assert_eq!(bed.number(sql).await, left, "{sql}");
        }
        assert_eq!(bed.logged("SELECT COUNT(*) FROM attempts").await, 1);
        assert_eq!(bed.logged("SELECT COUNT(*) FROM attempt_rollups").await, 1);
        assert!(!bed.places_of("theirs").await.is_empty());
        retention.purge_all().await.unwrap();
    }

    /// A client takes its deliveries along; events are the tenant's.
    async fn a_client_goes_in_steps(bed: Bed) {
        let retention = bed.retention(Lifetimes::default(), None);
        for _ in 0..210 {
            bed.publish(bed.tenant, "ours").await;
        }
        bed.also_to(bed.tenant).await;
        bed.publish(bed.tenant, "to both").await;
        bed.wait_ended(212).await;
        let (tenant, id) = (bed.tenant, bed.destination);
        let sql = "SELECT client_id FROM destinations WHERE id = ?1";
        let client: ClientId = bed.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[id.into()], |row| row.get(0))).await.unwrap();
        delete(&bed, &retention, tenant, Subject::Client(client)).await;
        // Another server takes it up.
        bed.retention(Lifetimes::default(), None).purge_all().await.unwrap();
        assert_eq!(bed.number("SELECT COUNT(*) FROM deliveries").await, 1);
        assert_eq!(bed.logged("SELECT COUNT(*) FROM attempts").await, 1);
        assert_eq!(bed.number("SELECT COUNT(*) FROM events").await, 211);
        assert_eq!(bed.number("SELECT COUNT(*) FROM purges").await, 0);
    }
}
