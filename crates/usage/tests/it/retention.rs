//! Days go as a whole, counts in steps.

use std::time::Duration;

use kernel::{PageRequest, Scope, Timestamp};
use usage::reports::{UsageQuery, Whose};
use usage::request_logs::Filter;
use usage::retention;

use crate::bed::{Bed, at};

testkit::engines! {
    async fn a_day_is_dropped_as_a_whole(bed: Bed) {
        for _ in 0..3 {
            for _ in 0..200 {
                bed.usage.record(bed.row(bed.tenant, "/api/v1/leads"));
            }
            bed.hours(24);
        }
        bed.usage.flush().await;
        let days = bed.store.partitions("request_blocks").await.unwrap();
        let first = days.iter().find(|day| day.from == at("2026-03-10T00:00:00Z")).unwrap();
        bed.store.drop_partition(first).await.unwrap();
        let page = PageRequest { limit: 100, page: Some(4), ..PageRequest::default() };
        let fourth = bed.usage.request_logs(&bed.caller(), Filter::default(), page).await.unwrap();
        assert_eq!(fourth.data.len(), 100);
        assert!(fourth.pagination.next_cursor.is_none(), "400 are left");
        // Counts stay: they have a lifetime of their own.
        let query = UsageQuery { period: Some("7d".into()), ..UsageQuery::default() };
        assert_eq!(bed.report(Whose::Tenant, query).await.total_requests, 600);
    }

    async fn counts_and_rows_of_one_tenant_go_in_steps(bed: Bed) {
        let by = bed.key(bed.tenant);
        for _ in 0..4 {
            for tenant in [bed.tenant, bed.other] {
                bed.usage.record(bed.call(tenant, by, "/api/v1/leads"));
            }
            bed.hours(24);
        }
        bed.usage.flush().await;
        bed.usage.close_hours().await.unwrap();
        let before = at("2026-03-12T00:00:00Z");
        let (tenant, logs) = (bed.tenant.to_string(), bed.store.logs());
        let mut rows = 0;
        loop {
            let tenant = tenant.clone();
            match logs.write(Scope::system("test"), move |tx| retention::delete_old(tx, &tenant, before, 1)).await.unwrap() {
                0 => break,
                some => rows += some,
            }
        }
        assert_eq!(rows, 2, "of this tenant, from the first two days");
        let left = bed.usage.request_logs(&bed.caller(), Filter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(left.data.len(), 2);
        let empty = async |what: fn(&mut store::Tx<'_>, Timestamp, u32) -> kernel::Result<u64>, store: store::Store| {
            let mut count = 0;
            loop {
                let some = store.write(Scope::system("test"), move |tx| what(tx, before, 3)).await.unwrap();
                if some == 0 {
                    return count;
                }
                count += some;
            }
        };
        assert!(empty(retention::delete_old_hours, logs.clone()).await > 0);
        assert!(empty(retention::delete_old_days, logs.clone()).await > 0);
        assert_eq!(empty(retention::delete_old_lines, bed.store.clone()).await, 4);
        bed.clock.advance(Duration::from_secs(1));
        let query = UsageQuery { period: Some("7d".into()), ..UsageQuery::default() };
        assert_eq!(bed.report(Whose::Tenant, query).await.total_requests, 2);
        let tenants = logs.read(Scope::system("test"), |tx| {
            let first = retention::next_tenant(tx, None)?.unwrap();
            let second = retention::next_tenant(tx, Some(&first))?.unwrap();
            Ok((first.clone(), second.clone(), retention::next_tenant(tx, Some(&second))?))
        });
        let (first, second, none) = tenants.await.unwrap();
        assert!(first < second && none.is_none());
    }
}
