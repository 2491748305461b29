//! Counts agree with the calls, whatever they are asked about.

use std::time::Instant;

use kernel::{Caller, IdRef, Scope};
use usage::RequestRow;
use usage::reports::{UsageQuery, UsageReport, Whose};
use usage::rollups::Grain;

use crate::bed::{Bed, at};

/// Calls of three days: two clients of one tenant, one of another, a service key, failures.
fn traffic(bed: &Bed) -> Vec<RequestRow> {
    let (one, two, theirs) = (bed.key(bed.tenant), bed.key(bed.tenant), bed.key(bed.other));
    let mut rows = Vec::new();
    for n in 0_u64..600 {
        let (tenant, by) = [(bed.tenant, one), (bed.tenant, two), (bed.other, theirs)][usize::try_from(n % 3).unwrap()];
        let mut row = bed.call(tenant, by, ["/api/v1/leads", "/api/v1/leads/{id}"][usize::try_from(n / 3 % 2).unwrap()]);
        if n % 30 == 0 {
            (row.client, row.key) = (None, None);
        }
        (row.duration_us, row.request_bytes, row.response_bytes, row.units) = (n * 37 % 9000, n, 2 * n, 1 + u32::from(n % 5 == 0));
        match n % 10 {
            0 => (row.status, row.error_code) = (404, Some("not_found")),
            5 => (row.status, row.error_code) = (429, Some("rate_limited")),
            7 => row.status = 502,
            _ => {}
        }
        rows.push(row);
        bed.clock.advance(std::time::Duration::from_mins(7));
    }
    rows
}

fn check(report: &UsageReport, rows: &[&RequestRow]) {
    let count = |test: &dyn Fn(&RequestRow) -> bool| rows.iter().filter(|row| test(row)).count() as u64;
    assert_eq!(report.total_requests, rows.len() as u64);
    assert_eq!(report.successful_requests, count(&|row| row.status < 400));
    assert_eq!(report.failed_requests, count(&|row| row.status >= 400));
    assert_eq!(report.units, rows.iter().map(|row| u64::from(row.units)).sum::<u64>());
    assert_eq!(
        (report.request_bytes, report.response_bytes),
        (rows.iter().map(|row| row.request_bytes).sum(), rows.iter().map(|row| row.response_bytes).sum())
    );
    assert_eq!(report.requests_by_status.client_error, count(&|row| row.status / 100 == 4));
    assert_eq!(report.requests_by_status.server_error, count(&|row| row.status / 100 == 5));
    for error in &report.top_error_codes {
        assert_eq!(
            error.count,
            count(&|row| row.status == error.status_code && row.error_code == error.error_code.as_deref()),
            "{error:?}"
        );
    }
    assert_eq!(report.top_error_codes.iter().map(|error| error.count).sum::<u64>(), report.failed_requests);
    for part in &report.requests_by_endpoint {
        assert_eq!(part.count, count(&|row| *row.endpoint == *part.endpoint && row.method == part.method), "{part:?}");
        assert_eq!(part.count, part.success_count + part.error_count);
    }
    assert_eq!(report.requests_by_endpoint.iter().map(|part| part.count).sum::<u64>(), report.total_requests);
    for time in &report.requests_by_time {
        let end = time.time.millis() + report.group_by.millis();
        assert_eq!(time.count, count(&|row| row.at >= time.time && row.at.millis() < end), "{time:?}");
    }
    let mut durations: Vec<u64> = rows.iter().map(|row| row.duration_us).collect();
    durations.sort_unstable();
    let exact = durations[durations.len() * 95 / 100] as f64 / 1000.0;
    let told = report.p95_response_time.unwrap();
    assert!((told - exact).abs() <= exact * 0.5, "p95: {told} told, {exact} exact");
    let slowest = *durations.last().unwrap() as f64 / 1000.0;
    assert!((report.slowest_response_time.unwrap() - slowest).abs() < 1e-9);
}

testkit::engines! {
    async fn counts_agree_with_the_calls(bed: Bed) {
        let begin = bed.ambient.now();
        let rows = traffic(&bed);
        for row in &rows {
            bed.usage.record(row.clone());
        }
        bed.usage.flush().await;
        let ours: Vec<&RequestRow> = rows.iter().filter(|row| row.tenant == Some(bed.tenant)).collect();
        for grain in [Grain::Hour, Grain::Day] {
            let report = bed.report(Whose::Tenant, UsageQuery { period: Some("7d".into()), group_by: Some(grain), ..UsageQuery::default() }).await;
            check(&report, &ours);
            assert_eq!(report.group_by, grain);
        }
        // A part of the time, which begins and ends within days.
        let (from, to) = (at("2026-03-10T15:00:00Z"), at("2026-03-12T07:00:00Z"));
        let query = UsageQuery { date_from: Some(from.to_string()), date_to: Some(to.to_string()), ..UsageQuery::default() };
        let within: Vec<&RequestRow> = ours.iter().copied().filter(|row| row.at >= from && row.at < to).collect();
        assert!(within.len() > 50 && within.len() < ours.len() && begin < from);
        check(&bed.report(Whose::Tenant, query.clone()).await, &within);
        let client = ours[0].client.or(ours[1].client).unwrap();
        let of_client: Vec<&RequestRow> = within.iter().copied().filter(|row| row.client == Some(client)).collect();
        let report = bed.report(Whose::Client(IdRef::Id(client)), query.clone()).await;
        check(&report, &of_client);
        assert_eq!(report.requests_by_child.iter().map(|child| child.count).sum::<u64>(), report.total_requests);
        let key = of_client[0].key.unwrap();
        check(&bed.report(Whose::Key(key), query.clone()).await, &of_client);
        check(&bed.report(Whose::Tenant, UsageQuery { api_key_id: Some(key), ..query.clone() }).await, &of_client);
        let report = bed.report(Whose::Tenant, UsageQuery { endpoint: Some("/api/v1/leads".into()), ..query.clone() }).await;
        assert_eq!(report.total_requests, within.iter().filter(|row| &*row.endpoint == "/api/v1/leads").count() as u64);
        let report = bed.report(Whose::Tenant, UsageQuery { status: Some(404), ..query }).await;
        assert_eq!(report.total_requests, within.iter().filter(|row| row.status == 404).count() as u64);
        assert_eq!(report.top_error_codes.len(), 1);
    }

    async fn nobody_sees_anothers(bed: Bed) {
        let theirs = bed.key(bed.other);
        bed.usage.record(bed.call(bed.other, theirs, "/api/v1/leads"));
        bed.usage.flush().await;
        let report = bed.report(Whose::Tenant, UsageQuery::default()).await;
        assert_eq!((report.total_requests, report.success_rate, report.p95_response_time), (0, None, None));
        assert!(report.requests_by_time.len() >= 30 && report.requests_by_time.iter().all(|time| time.count == 0));
        for whose in [Whose::Client(IdRef::Id(theirs.0)), Whose::Key(theirs.1)] {
            assert_eq!(bed.usage.usage(&bed.caller(), whose, UsageQuery::default()).await.unwrap_err().code(), "not_found");
        }
        let nobody = Caller::system("test", None);
        assert_eq!(bed.usage.usage(&nobody, Whose::Tenant, UsageQuery::default()).await.unwrap_err().code(), "tenant_required");
    }

    /// What a key did before it was rotated counts with it.
    async fn a_rotated_key_keeps_its_past(bed: Bed) {
        let (client, old) = bed.key(bed.tenant);
        let new = bed.key_of(bed.tenant, client, &[old]);
        for by in [(client, old), (client, old), new] {
            bed.usage.record(bed.call(bed.tenant, by, "/api/v1/leads"));
        }
        bed.usage.flush().await;
        assert_eq!(bed.report(Whose::Key(new.1), UsageQuery::default()).await.total_requests, 3);
        assert_eq!(bed.report(Whose::Client(IdRef::Id(client)), UsageQuery::default()).await.requests_by_child.len(), 2);
    }

    /// A month of a busy tenant: what is read depends on its endpoints, not on its calls. The full size is `bench prove usage`.
    async fn a_month_is_answered_from_few_rows(bed: Bed) {
        let tenant = bed.tenant;
        let rows = |grain: &'static str, step: i64, count: i64, first: i64| move |tx: &mut store::Tx<'_>| {
            let buckets: String = (0..24).map(|n| format!(", h{n:02}")).collect();
            let sql = format!(
                "INSERT INTO usage_{grain} (tenant_id, subject, kind, at, part, node, requests, succeeded, units, duration_us, slowest_us, request_bytes, \
                 response_bytes{buckets}) VALUES"
            );
            let mut values: Vec<store::Value> = Vec::new();
            for n in 0..count {
                for (kind, part) in [("t", String::new())].into_iter().chain((0..20).map(|e| ("e", format!("/e/{e} GET")))) {
                    let requests = if kind == "t" { 100_000 } else { 5000 };
                    values.extend([tenant.into(), "".into(), kind.into(), (first + n * step).into(), part.into(), "node".into()]);
                    values.extend([requests, requests, requests, requests * 900, 40_000, 0, 0].map(store::Value::from));
                    values.extend((0_i64..24).map(|bucket| store::Value::from(if bucket == 5 { requests } else { 0 })));
                }
            }
            tx.insert_rows(&sql, 37, &values, "")
        };
        let first = at("2026-03-01T00:00:00Z").millis();
        bed.store.logs().write(Scope::system("test"), rows("days", 86_400_000, 31, first)).await.unwrap();
        bed.store.logs().write(Scope::system("test"), rows("hours", 3_600_000, 31 * 24, first)).await.unwrap();
        let month = UsageQuery { date_from: Some("2026-03-01".into()), date_to: Some("2026-03-31".into()), ..UsageQuery::default() };
        let begun = Instant::now();
        let report = bed.report(Whose::Tenant, UsageQuery { group_by: Some(Grain::Day), ..month.clone() }).await;
        let took = begun.elapsed();
        assert_eq!((report.total_requests, report.requests_by_endpoint.len(), report.requests_by_time.len()), (3_100_000, 20, 31));
        assert!(took.as_millis() < 500, "a debug build on a busy machine took {took:?}");
        let report = bed.report(Whose::Tenant, UsageQuery { group_by: Some(Grain::Hour), ..month }).await;
        assert_eq!(report.requests_by_time.len(), 31 * 24);
    }
}
