//! Idempotency keys: effect and answer together, once.

use std::time::Duration;

use kernel::Error;
use store::{KEPT_FOR, KeptAnswer};

use crate::bed::{Bed, add, count, request, scope};

testkit::engines! {
    async fn a_repeated_request_gets_the_first_answer_and_has_no_effect(bed: Bed) {
        let tenant = bed.tenant();
        for (attempt, id) in [(0, 1), (1, 2), (2, 3)] {
            let (scope, info) = request(&bed.store, tenant, "k", 1);
            let answer = bed.store.answer(scope, move |tx| add(tx, tenant, id)).await.unwrap();
            assert_eq!(answer, 1);
            assert_eq!(info.slot.as_ref().unwrap().is_replayed(), attempt > 0);
        }
        assert_eq!(bed.store.read(scope(tenant), count).await.unwrap(), 1);
        let (scope, _) = request(&bed.store, tenant, "k", 2);
        let reused = bed.store.answer(scope, move |tx| add(tx, tenant, 4)).await.unwrap_err();
        assert_eq!(reused.code(), "idempotency_key_reused");
    }

    async fn concurrent_twins_have_one_effect(bed: Bed) {
        let tenant = bed.tenant();
        let tasks: Vec<_> = (0..20_i64).map(|id| {
            let (scope, _) = request(&bed.store, tenant, "twin", 1);
            let store = bed.store.clone();
            tokio::spawn(async move { store.answer(scope, move |tx| add(tx, tenant, id)).await })
        }).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap().unwrap());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "everyone got the same answer: {answers:?}");
        assert_eq!(bed.store.read(scope(tenant), count).await.unwrap(), 1);
    }

    async fn a_failed_operation_keeps_nothing_and_a_day_later_the_key_is_free(bed: Bed) {
        let tenant = bed.tenant();
        let (first, _) = request(&bed.store, tenant, "k", 1);
        let failed: kernel::Result<i64> = bed.store.answer(first, |_| Err(Error::conflict("no", "no"))).await;
        assert_eq!(failed.unwrap_err().code(), "no");
        for id in [1, 2] {
            let (scope, _) = request(&bed.store, tenant, "k", 1);
            assert_eq!(bed.store.answer(scope, move |tx| add(tx, tenant, id)).await.unwrap(), id);
            bed.advance(KEPT_FOR + Duration::from_secs(1));
        }
    }

    async fn a_finished_answer_is_kept_for_the_front_door(bed: Bed) {
        let tenant = bed.tenant();
        let (_, info) = request(&bed.store, tenant, "k", 1);
        let slot = info.slot.as_ref().unwrap();
        assert_eq!(bed.store.kept_answer(scope(tenant), slot).await.unwrap(), None);
        let answer = KeptAnswer { status: 404, content_type: "application/problem+json".into(), body: b"{}".to_vec() };
        bed.store.keep_answer(scope(tenant), slot, answer.clone()).await.unwrap();
        assert_eq!(bed.store.kept_answer(scope(tenant), slot).await.unwrap(), Some(answer));
        let (_, other) = request(&bed.store, tenant, "k", 2);
        let reused = bed.store.kept_answer(scope(tenant), other.slot.as_ref().unwrap()).await.unwrap_err();
        assert_eq!(reused.code(), "idempotency_key_reused");
    }
}
