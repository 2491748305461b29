//! What callers read is bounded in time, ends with them, and does not stand in the way of other tenants.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kernel::{Scope, TenantId};
use store::{Engine, Store, Tx};

use crate::bed::{Bed, count, request};

/// Minutes of work.
fn endless(tx: &mut Tx<'_>) -> kernel::Result<i64> {
    let sql =
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT COUNT(*) FROM n";
    tx.query_one(sql, &[], |row| row.get(0))
}

/// A tenant's scope in a request.
fn asked(store: &Store, tenant: TenantId) -> Scope {
    request(store, tenant, "k", 1).0
}

/// Begins a read, and says so in `begun`.
fn begin(store: &Store, scope: Scope, begun: &Arc<AtomicUsize>) -> tokio::task::JoinHandle<kernel::Result<i64>> {
    let (store, begun) = (store.clone(), Arc::clone(begun));
    tokio::spawn(async move {
        let read = move |tx: &mut Tx<'_>| {
            begun.fetch_add(1, Ordering::SeqCst);
            endless(tx)
        };
        store.read(scope, read).await
    })
}

testkit::engines! {
    async fn a_read_that_takes_too_long_is_stopped(bed: Bed) {
        let store = bed.limited_to(Duration::from_millis(100)).await;
        let tenant = bed.tenant();
        let error = store.read(asked(&store, tenant), endless).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("query_too_slow", kernel::Kind::Invalid), "{error:?}");
        // The connection is as good as before, for the same tenant, for others and for the server itself.
        for scope in [asked(&store, tenant), asked(&store, bed.tenant()), Scope::system("test")] {
            assert_eq!(store.read(scope, count).await.unwrap(), 0);
        }
    }

    async fn many_short_statements_are_too_long_together(bed: Bed) {
        let store = bed.limited_to(Duration::from_millis(100)).await;
        let error = store.read(asked(&store, bed.tenant()), |tx| loop { count(tx)?; }).await;
        let error: kernel::Result<()> = error;
        assert_eq!(error.unwrap_err().code(), "query_too_slow");
    }

    async fn one_tenants_slow_reads_leave_room_for_anothers(bed: Bed) {
        let store = bed.limited_to(Duration::from_secs(2)).await;
        let (a, b) = (bed.tenant(), bed.tenant());
        let begun = Arc::default();
        let slow: Vec<_> = (0..8).map(|_| begin(&store, asked(&store, a), &begun)).collect();
        testkit::wait::until("two slow reads begin", Duration::from_secs(10), async || (begun.load(Ordering::SeqCst) == 2).then_some(())).await;
        assert_eq!(store.read(asked(&store, b), count).await.unwrap(), 0);
        assert_eq!((begun.load(Ordering::SeqCst), slow.iter().any(tokio::task::JoinHandle::is_finished)), (2, false), "it waited for them");
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    }

    async fn what_nobody_waits_for_any_longer_is_not_begun(bed: Bed) {
        let store = bed.limited_to(Duration::from_millis(700)).await;
        let tenant = bed.tenant();
        let begun = Arc::default();
        let first: Vec<_> = (0..2).map(|_| begin(&store, asked(&store, tenant), &begun)).collect();
        testkit::wait::until("two slow reads begin", Duration::from_secs(10), async || (begun.load(Ordering::SeqCst) == 2).then_some(())).await;
        let others: Vec<_> = (0..20).map(|_| begin(&store, asked(&store, tenant), &begun)).collect();
        // Each of them gets as far as the line.
        tokio::task::yield_now().await;
        for other in others {
            other.abort();
            assert!(other.await.is_err());
        }
        for read in first {
            assert_eq!(read.await.unwrap().unwrap_err().code(), "query_too_slow");
        }
        assert_eq!(store.read(asked(&store, tenant), count).await.unwrap(), 0);
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }

    async fn a_read_is_stopped_when_whoever_asked_has_gone(bed: Bed) {
        if bed.store.engine() != Engine::Sqlite {
            // There the statement goes on until its time is up.
            return;
        }
        let store = bed.limited_to(Duration::from_hours(1)).await;
        let begun = Arc::default();
        let slow: Vec<_> = (0..3).map(|_| begin(&store, asked(&store, bed.tenant()), &begun)).collect();
        testkit::wait::until("every reader is at work", Duration::from_secs(10), async || (begun.load(Ordering::SeqCst) == 3).then_some(())).await;
        slow.iter().for_each(tokio::task::JoinHandle::abort);
        assert_eq!(store.read(asked(&store, bed.tenant()), count).await.unwrap(), 0);
    }
}
