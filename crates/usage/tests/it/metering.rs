//! Lines for billing: each call in exactly one of them, and none ever changes.

use kernel::{Caller, Scope};
use usage::Usage;
use usage::metering::{ExportQuery, Line, LineKind};

use crate::bed::{Bed, at};

async fn lines(bed: &Bed, after: i64) -> Vec<Line> {
    let query = ExportQuery { cursor: Some(after), ..ExportQuery::default() };
    bed.usage.export(&Caller::system("test", None), query).await.unwrap().lines
}

testkit::engines! {
    async fn an_hour_is_told_once_it_is_over(bed: Bed) {
        let (ours, theirs) = (bed.key(bed.tenant), bed.key(bed.other));
        for _ in 0..7 {
            bed.usage.record(bed.call(bed.tenant, ours, "/api/v1/leads"));
        }
        bed.usage.record(bed.call(bed.other, theirs, "/api/v1/leads"));
        bed.usage.record(bed.row(bed.tenant, "/api/v1/events"));
        bed.usage.flush().await;
        assert_eq!(bed.usage.close_hours().await.unwrap(), 0, "the hour is not over");
        let before = bed.usage.export(&bed.caller(), ExportQuery::default()).await.unwrap();
        assert_eq!((before.lines.len(), before.next_cursor, before.closed_until), (0, 0, at("2026-03-10T09:00:00Z")));
        bed.hours(1);
        assert_eq!(bed.usage.close_hours().await.unwrap(), 0, "rows may still be on their way");
        bed.clock.advance(std::time::Duration::from_mins(5));
        assert_eq!(bed.usage.close_hours().await.unwrap(), 3);
        assert_eq!(bed.usage.close_hours().await.unwrap(), 0);
        let told = lines(&bed, 0).await;
        assert_eq!(told.iter().map(|line| line.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        let line = told.iter().find(|line| line.api_key_id == Some(ours.1)).unwrap();
        assert_eq!((line.requests, line.successful_requests, line.units, line.kind), (7, 7, 7, LineKind::Count));
        assert_eq!((line.hour, line.client_id, line.endpoint.as_str()), (at("2026-03-10T10:00:00Z"), Some(ours.0), "/api/v1/leads"));
        let export = bed.usage.export(&bed.caller(), ExportQuery::default()).await.unwrap();
        assert!(export.lines.iter().all(|line| line.tenant_id == bed.tenant) && export.lines.len() == 2, "a tenant sees its own");
        assert_eq!(export.closed_until, at("2026-03-10T11:00:00Z"));
    }

    async fn what_comes_late_is_a_line_of_its_own(bed: Bed) {
        let by = bed.key(bed.tenant);
        let mut late = bed.call(bed.tenant, by, "/api/v1/leads");
        bed.usage.record(late.clone());
        bed.usage.flush().await;
        bed.hours(2);
        bed.usage.close_hours().await.unwrap();
        let first = lines(&bed, 0).await;
        (late.id, late.status, late.units) = (bed.ambient.id(), 500, 3);
        bed.usage.record(late);
        bed.usage.flush().await;
        let open = bed.usage.export(&bed.caller(), ExportQuery::default()).await.unwrap();
        assert_eq!(open.closed_until, at("2026-03-10T10:00:00Z"), "that hour is not told yet");
        assert_eq!(bed.usage.close_hours().await.unwrap(), 1);
        let all = lines(&bed, 0).await;
        assert_eq!(all[..1], first[..], "what was told stays as it was");
        let second = &all[1];
        assert_eq!((second.kind, second.hour, second.requests, second.successful_requests, second.units), (LineKind::Correction, first[0].hour, 1, 0, 3));
        assert_eq!(lines(&bed, first[0].sequence).await, all[1..], "whoever goes on gets the rest");
    }

    /// Servers close the same hours at the same time; a consumer that reads along misses nothing.
    async fn servers_that_close_together_tell_each_call_once(bed: Bed) {
        let keys: Vec<_> = (0..30).map(|_| bed.key(bed.tenant)).collect();
        let second = Usage::start(&bed.store);
        for hour in 0..3 {
            for (n, by) in keys.iter().enumerate() {
                let row = bed.call(bed.tenant, *by, "/api/v1/leads");
                if (n + hour) % 2 == 0 { bed.usage.record(row) } else { second.record(row) }
            }
            bed.hours(1);
        }
        bed.usage.flush().await;
        second.flush().await;
        bed.hours(1);
        let closers: Vec<_> = [&bed.usage, &second, &bed.usage, &second]
            .map(std::sync::Arc::clone)
            .map(|usage| tokio::spawn(async move { usage.close_hours().await }))
            .into_iter()
            .collect();
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            let done = closers.iter().all(tokio::task::JoinHandle::is_finished);
            let some = lines(&bed, cursor).await;
            cursor = some.last().map_or(cursor, |line| line.sequence);
            let is_empty = some.is_empty();
            seen.extend(some);
            if done && is_empty {
                break;
            }
            tokio::task::yield_now().await;
        }
        for closer in closers {
            closer.await.unwrap().unwrap();
        }
        assert_eq!(seen.len(), 90);
        assert_eq!(seen.iter().map(|line| line.requests).sum::<u64>(), 90);
        assert_eq!(seen, lines(&bed, 0).await);
    }

    /// A crash between the two databases: the lines are there, the meters do not know it.
    async fn a_crash_after_the_lines_tells_nothing_twice(bed: Bed) {
        let by = bed.key(bed.tenant);
        bed.usage.record(bed.call(bed.tenant, by, "/api/v1/leads"));
        bed.usage.flush().await;
        bed.hours(2);
        assert_eq!(bed.usage.close_hours().await.unwrap(), 1);
        bed.store.logs().write(Scope::system("test"), |tx| tx.exec("UPDATE usage_meters SET is_open = 1", &[])).await.unwrap();
        assert_eq!(bed.usage.close_hours().await.unwrap(), 0);
        let open = "SELECT COUNT(*) FROM usage_meters WHERE is_open = 1";
        let open: i64 = bed.store.logs().read(Scope::system("test"), move |tx| tx.query_one(open, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(open, 0);
    }

    async fn bad_limits_are_refused(bed: Bed) {
        for query in [ExportQuery { limit: Some(0), ..ExportQuery::default() }, ExportQuery { limit: Some(10_001), ..ExportQuery::default() }, ExportQuery { cursor: Some(-1), ..ExportQuery::default() }] {
            assert_eq!(bed.usage.export(&bed.caller(), query).await.unwrap_err().code(), "validation_failed");
        }
    }
}
