//! Lists, single deliveries, attempts, repetition by hand, test deliveries.

use std::sync::Arc;

use dispatch::deliveries::{self, DeliveryFilter, Status};
use dispatch::{Policy, State};
use kernel::{PageRequest, TenantId};

use crate::bed::{Bed, LIMIT, Reply, system};

async fn list(bed: &Bed, tenant: TenantId, filter: DeliveryFilter, page: PageRequest) -> kernel::Page<deliveries::Delivery> {
    bed.store.read(system(), move |tx| deliveries::list(tx, tenant, &filter, &page)).await.unwrap()
}

testkit::engines! {
    async fn pending_and_finished_are_one_list(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy { schedule_ms: vec![], ..Policy::default() }).await;
        bed.channel.answer(|seen| if seen.seq % 2 == 0 { Reply::Deliver } else { Reply::Status(404) });
        bed.publish(8).await;
        testkit::wait::until("all ended", LIMIT, || async { (bed.queued().await == 0).then_some(()) }).await;
        bed.set_state(id, State::Paused).await;
        bed.publish(3).await;
        bed.wait_quiet(&dispatch).await;

        let mut seen = Vec::new();
        let mut request = PageRequest { limit: 4, ..PageRequest::default() };
        loop {
            let page = list(&bed, bed.tenant, DeliveryFilter::default(), request.clone()).await;
            seen.extend(page.data);
            let Some(next) = page.pagination.next_cursor else { break };
            request.cursor = Some(kernel::Cursor::decode(&next).unwrap());
        }
        assert_eq!(seen.len(), 11);
        assert!(seen.is_sorted_by(|a, b| a.id > b.id));
        let count = async |filter: DeliveryFilter| list(&bed, bed.tenant, filter, PageRequest { limit: 100, ..PageRequest::default() }).await.data.len();
        assert_eq!(count(DeliveryFilter { status: Some(Status::Pending), ..Default::default() }).await, 3);
        assert_eq!(count(DeliveryFilter { status: Some(Status::Failed), ..Default::default() }).await, 4);
        assert_eq!(count(DeliveryFilter { undelivered: true, ..Default::default() }).await, 7);
        assert_eq!(count(DeliveryFilter { reason: Some("exhausted".into()), ..Default::default() }).await, 4);
        assert_eq!(count(DeliveryFilter { code: Some(404), destination: Some(id), ..Default::default() }).await, 4);
        assert_eq!(count(DeliveryFilter { client: Some(bed.ambient.id()), ..Default::default() }).await, 0);
        assert_eq!(count(DeliveryFilter { event: Some("e-1".parse().unwrap()), client: Some(bed.client), ..Default::default() }).await, 1);
        assert_eq!(count(DeliveryFilter { event_type: Some("lead.updated".into()), ..Default::default() }).await, 0);
        let later = bed.ambient.now().plus(std::time::Duration::from_secs(1));
        assert_eq!(count(DeliveryFilter { from: Some(later), ..Default::default() }).await, 0);
        assert_eq!(count(DeliveryFilter { to: Some(later), ..Default::default() }).await, 11);
        assert_eq!(list(&bed, bed.ambient.id(), DeliveryFilter::default(), PageRequest::default()).await.data.len(), 0);
    }

    async fn a_finished_delivery_can_be_repeated(bed: Bed) {
        let dispatch = bed.dispatch().await;
        bed.destination(Policy { schedule_ms: vec![1000], ..Policy::default() }).await;
        bed.channel.answer(|_| Reply::Status(500));
        bed.publish(1).await;
        testkit::wait::until("one attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        bed.clock.advance(std::time::Duration::from_secs(2));
        dispatch.poke();
        bed.wait_ended("exhausted", 1).await;
        let id = list(&bed, bed.tenant, DeliveryFilter::default(), PageRequest::default()).await.data[0].id;
        bed.channel.answer(|_| Reply::Deliver);
        let (again, tenant) = (Arc::clone(&dispatch), bed.tenant);
        let back = bed.store.write(system(), move |tx| again.retry(tx, tenant, id)).await.unwrap();
        assert_eq!((back.status, back.attempt_count), (Status::Pending, 2));
        bed.wait_ended("delivered", 1).await;
        bed.wait_quiet(&dispatch).await;
        let found = bed.store.read(system(), move |tx| deliveries::get(tx, tenant, id)).await.unwrap();
        assert_eq!((found.status, found.attempt_count, found.response_code, found.response_body.as_deref()), (Status::Delivered, 3, Some(200), Some("said")));
        let attempts = bed.store.logs().read(system(), move |tx| deliveries::attempts(tx, tenant, id)).await.unwrap();
        assert_eq!(attempts.iter().map(|a| (a.number, a.status_code)).collect::<Vec<_>>(), [(1, Some(500)), (2, Some(500)), (3, Some(200))]);
        let stranger: TenantId = bed.ambient.id();
        let again = Arc::clone(&dispatch);
        let refused = bed.store.write(system(), move |tx| again.retry(tx, stranger, id)).await.unwrap_err();
        assert_eq!(refused.code(), "not_found");
    }

    async fn a_pending_delivery_need_not_wait(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.channel.answer(|seen| if seen.number == 1 { Reply::Status(500) } else { Reply::Deliver });
        bed.publish(1).await;
        testkit::wait::until("one attempt", LIMIT, || async { (bed.channel.count() == 1).then_some(()) }).await;
        bed.wait_quiet(&dispatch).await;
        let delivery = list(&bed, bed.tenant, DeliveryFilter::default(), PageRequest::default()).await.data[0].id;
        let (again, tenant) = (Arc::clone(&dispatch), bed.tenant);
        bed.store.write(system(), move |tx| again.retry(tx, tenant, delivery)).await.unwrap();
        bed.wait_ended("delivered", 1).await;
        bed.set_state(id, State::Disabled).await;
        let again = Arc::clone(&dispatch);
        let refused = bed.store.write(system(), move |tx| again.retry(tx, tenant, delivery)).await.unwrap_err();
        assert_eq!(refused.code(), "webhook_disabled");
    }

    async fn a_test_delivery_is_recorded(bed: Bed) {
        let dispatch = bed.dispatch().await;
        let id = bed.destination(Policy::default()).await;
        bed.channel.answer(|_| Reply::Status(418));
        let (delivery, report) = dispatch.send_now(bed.tenant, id, Arc::new(bed.event(b"{}"))).await.unwrap();
        assert_eq!(report.status_code, Some(418));
        let tenant = bed.tenant;
        let found = bed.store.read(system(), move |tx| deliveries::get(tx, tenant, delivery)).await.unwrap();
        assert_eq!((found.status, found.reason.as_deref(), found.sequence), (Status::Failed, Some("test"), 0));
        assert_eq!(bed.attempts_logged().await, 1);
        let refused = dispatch.send_now(bed.ambient.id(), id, Arc::new(bed.event(b"{}"))).await.unwrap_err();
        assert_eq!(refused.code(), "not_found");
    }
}

/// Hot statements must find rows by their primary key, however many rows a node owns.
#[test]
fn hot_statements_use_the_primary_key_on_sqlite() {
    testkit::engine::run(testkit::Engine::sqlite(), |bed: Bed| async move {
        for sql in [
            "EXPLAIN QUERY PLAN DELETE FROM queue WHERE (tenant_id, id) IN (VALUES (?3, ?4), (?5, ?6)) AND owner || '' = ?1 AND epoch = ?2 RETURNING id",
            "EXPLAIN QUERY PLAN WITH v (tenant_id, id, due_at) AS (VALUES (CAST(?3 AS TEXT), CAST(?4 AS TEXT), 1), (CAST(?5 AS TEXT), CAST(?6 AS TEXT), 2)) \
             UPDATE queue SET due_at = v.due_at FROM v WHERE queue.tenant_id = v.tenant_id AND queue.id = v.id AND queue.owner || '' = ?1 \
             AND queue.epoch = ?2 RETURNING queue.id",
        ] {
            let params: Vec<store::Value> = ["a", "b", "c", "d", "e", "f"].map(Into::into).to_vec();
            let plan = bed.store.read(system(), move |tx| tx.query(sql, &params, |row| row.get::<String>(3))).await.unwrap().join("\n");
            assert!(plan.contains("SEARCH queue USING PRIMARY KEY (tenant_id=? AND id=?)"), "{plan}");
        }
    });
}
