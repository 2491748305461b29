//! What calls are logged as having cost: what they counted in limits, and nothing where they were refused before that.

use std::time::Duration;

use http::Method;
use kernel::{Caller, PageRequest};
use serde_json::json;
use switches::switch_maintenance;
use testkit::wait;
use usage::reports::{UsageQuery, Whose};
use usage::request_logs::Filter;

use crate::bed::Bed;

/// Status and units of every call of the bed's tenant, in order of both.
async fn logged(bed: &Bed) -> Vec<(u16, u32)> {
    bed.usage.flush().await;
    let caller = Caller::system("test", Some(bed.tenant));
    let rows = bed.usage.request_logs(&caller, Filter::default(), PageRequest::default()).await.unwrap().data;
    let mut seen: Vec<_> = rows.iter().map(|row| (row.status, row.units)).collect();
    seen.sort_unstable();
    seen
}

/// What the usage of the bed's tenant comes to.
async fn counted(bed: &Bed) -> (u64, u64) {
    let caller = Caller::system("test", Some(bed.tenant));
    let report = bed.usage.usage(&caller, Whose::Tenant, UsageQuery::default()).await.unwrap();
    (report.total_requests, report.units)
}

testkit::engines! {
    async fn what_a_quota_refuses_costs_no_units(bed: Bed) {
        let key = bed.key(json!({"monthlyQuota": {"limit": 3}})).await;
        for _ in 0..6 {
            bed.get(&key, "/me").await;
        }
        assert_eq!(logged(&bed).await, [(200, 1), (200, 1), (200, 1), (429, 0), (429, 0), (429, 0)]);
        assert_eq!(counted(&bed).await, (6, 3));
    }

    async fn what_a_window_refuses_costs_no_units(bed: Bed) {
        let key = bed.key(json!({})).await;
        bed.get(&key, "/dear").await.assert(200, "");
        bed.get(&key, "/dear").await.assert(429, "rate_limited");
        assert_eq!((logged(&bed).await, counted(&bed).await), (vec![(200, 7), (429, 0)], (2, 7)));
    }

    async fn what_fails_past_the_limits_costs_what_it_counted(bed: Bed) {
        let key = bed.key(json!({"scopes": []})).await;
        bed.get(&key, "/leads").await.assert(403, "insufficient_scope");
        let bearer = format!("Bearer {key}");
        let stray = [("authorization", bearer.as_str()), ("tradewind-tenant", "ext:nobody")];
        bed.send(Method::GET, "/dear", &stray, None).await.assert(404, "not_found");
        assert_eq!(bed.get(&key, "/me").await.header("x-ratelimit-remaining"), "51");
        assert_eq!(logged(&bed).await, [(200, 1), (403, 1), (404, 7)]);
    }

    async fn what_allow_lists_refuse_costs_no_units(bed: Bed) {
        let far = bed.key(json!({"allowedIps": ["192.0.2.7"]})).await;
        bed.get(&far, "/me").await.assert(403, "ip_not_allowed");
        assert_eq!(logged(&bed).await, [(403, 0)]);
    }

    async fn what_maintenance_refuses_costs_no_units(bed: Bed) {
        let key = bed.key(json!({})).await;
        switch_maintenance(&bed.store, Some((Duration::from_mins(1), None))).await.unwrap();
        wait::until("maintenance", Duration::from_secs(10), async || bed.switches.is_in_maintenance().then_some(())).await;
        bed.get(&key, "/me").await.assert(503, "maintenance");
        assert_eq!(logged(&bed).await, [(503, 0)]);
    }
}
