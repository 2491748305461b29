//! Exporting before anything goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use kernel::{Error, Result};
use retention::{Directory, Lifetimes, Piece, Sink};
use serde_json::Value;

use crate::bed::Bed;

/// A directory that can be full.
struct Full {
    inner: Directory,
    is_full: AtomicBool,
}

impl Sink for Full {
    fn begin<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn Piece>>> {
        if self.is_full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::internal("no space left")) });
        }
        self.inner.begin(name)
    }
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

testkit::engines! {
    async fn a_day_is_exported_before_it_goes(bed: Bed) {
        let dir = tempfile::tempdir().unwrap();
        let sink = Arc::new(Full { inner: Directory::new(dir.path()), is_full: AtomicBool::new(true) });
        let retention = bed.retention(Lifetimes::default(), Some(Arc::<Full>::clone(&sink)));
        for n in 0..700 {
            bed.publish(if n % 2 == 0 { bed.tenant } else { bed.stranger }, "ada").await;
        }
        bed.wait_ended(700).await;
        bed.days(500);
        let swept = retention.sweep().await.unwrap();
        assert_eq!(swept, retention::Swept { blocked: 1, attempts: swept.attempts, days: swept.days, ..Default::default() });
        assert_eq!(bed.number("SELECT COUNT(*) FROM events WHERE LENGTH(data) > 0").await, 700, "nothing goes that is not exported");
        assert_eq!(bed.number("SELECT COUNT(*) FROM deliveries WHERE response_body IS NOT NULL").await, 700);

        sink.is_full.store(false, Ordering::SeqCst);
        let swept = retention.sweep().await.unwrap();
        assert_eq!(swept.blocked, 0);
        assert_eq!(bed.number("SELECT COUNT(*) FROM events").await, 0);
        assert_eq!(bed.number("SELECT COUNT(*) FROM deliveries").await, 0);
        let events = lines(&dir.path().join("events/2026-03-01.ndjson"));
        assert_eq!(events.len(), 700);
        assert!(events.iter().all(|event| event["data"]["customerId"] == "ada" && event["type"] == "lead.created"));
        assert_eq!(events.iter().filter(|event| event["tenantId"] == bed.tenant.to_string()).count(), 350);
        let deliveries = lines(&dir.path().join("deliveries/2026-03-01.ndjson"));
        assert_eq!(deliveries.len(), 700);
        assert!(deliveries.iter().all(|delivery| delivery["status"] == "delivered" && delivery["attemptCount"] == 1));
        let unfinished = std::fs::read_dir(dir.path().join("events")).unwrap().filter(|entry| {
            entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "part")
        });
        assert_eq!(unfinished.count(), 0);
    }
}
