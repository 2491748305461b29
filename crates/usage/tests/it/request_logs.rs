//! Rows: all there, in order, and only the tenant's.

use kernel::{Caller, Cursor, Page, PageRequest};
use usage::request_logs::{Filter, RequestLog};

use crate::bed::Bed;

async fn page(bed: &Bed, filter: &Filter, page: PageRequest) -> Page<RequestLog> {
    bed.usage.request_logs(&bed.caller(), filter.clone(), page).await.unwrap()
}

/// Every page, by cursor.
async fn all(bed: &Bed, filter: Filter) -> Vec<RequestLog> {
    let (mut out, mut next) = (Vec::new(), PageRequest { limit: 100, ..PageRequest::default() });
    loop {
        let part = page(bed, &filter, next.clone()).await;
        out.extend(part.data);
        let Some(cursor) = part.pagination.next_cursor else { return out };
        next.cursor = Some(Cursor::decode(&cursor).unwrap());
    }
}

testkit::engines! {
    async fn rows_are_kept_and_listed(bed: Bed) {
        for _ in 0..2500 {
            let mut row = bed.row(bed.tenant, "/api/v1/leads/{id}");
            (row.query, row.user_agent) = (Some("q=\0x".into()), Some(usage::agent(&"x".repeat(2000))));
            bed.usage.record(row);
        }
        bed.usage.record(bed.row(bed.other, "/api/v1/leads"));
        bed.usage.flush().await;
        let rows = all(&bed, Filter::default()).await;
        assert_eq!(rows.len(), 2500, "every row of this tenant once, none of the other's");
        assert!(rows.iter().all(|row| row.user_agent.as_ref().unwrap().len() == 512 && row.query.as_deref() == Some("q=x")));
        let theirs = bed.usage.request_logs(&Caller::system("test", Some(bed.other)), Filter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(theirs.data.len(), 1);
    }

    /// Days stand apart; lists go on from one to the next, newest first.
    async fn lists_go_through_days(bed: Bed) {
        for day in 0..5 {
            for _ in 0..30 {
                bed.usage.record(bed.row(bed.tenant, &format!("/day/{day}")));
                bed.clock.advance(std::time::Duration::from_secs(1));
            }
            bed.hours(24);
        }
        bed.usage.flush().await;
        let rows = all(&bed, Filter::default()).await;
        assert_eq!(rows.len(), 150);
        assert!(rows.is_sorted_by(|a, b| (a.at, a.id) > (b.at, b.id)), "newest first, and none twice");
        let (from, to) = (rows[100].at, rows[40].at);
        let between = all(&bed, Filter { from: Some(from), to: Some(to), ..Filter::default() }).await;
        assert_eq!(between.len(), 60);
        let third = page(&bed, &Filter::default(), PageRequest { limit: 40, page: Some(3), ..PageRequest::default() }).await;
        let ids = |rows: &[RequestLog]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(&third.data), ids(&rows[80..120]));
    }

    async fn every_filter_finds_its_rows_only(bed: Bed) {
        let (first, second) = (bed.key(bed.tenant), bed.key(bed.tenant));
        for (n, by) in [first, second, first, first].into_iter().enumerate() {
            let mut row = bed.call(bed.tenant, by, "/api/v1/leads");
            row.ip = Some([127, 0, 0, u8::try_from(n).unwrap()].into());
            match n {
                1 => (row.status, row.error_code, row.method) = (404, Some("not_found"), "DELETE"),
                2 => (row.status, row.error_code, row.environment) = (429, Some("rate_limited"), Some("staging")),
                3 => (row.tags, row.units, row.endpoint) = (Some(r#"["beta"]"#.into()), 7, "/orders".into()),
                _ => {}
            }
            bed.usage.record(row);
            bed.hours(1);
        }
        bed.usage.flush().await;
        let found = async |filter: Filter| all(&bed, filter).await.iter().rev().map(|row| row.ip.clone().unwrap()).collect::<Vec<_>>();
        let none = Filter::default;
        for (filter, expected) in [
            (none(), vec!["127.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.3"]),
            (Filter { client_id: Some(second.0), ..none() }, vec!["127.0.0.1"]),
            (Filter { api_key_id: Some(first.1), ..none() }, vec!["127.0.0.0", "127.0.0.2", "127.0.0.3"]),
            (Filter { endpoint: Some("/orders".into()), ..none() }, vec!["127.0.0.3"]),
            (Filter { method: Some("delete".into()), ..none() }, vec!["127.0.0.1"]),
            (Filter { status: Some("429".parse().unwrap()), ..none() }, vec!["127.0.0.2"]),
            (Filter { status: Some("4xx".parse().unwrap()), ..none() }, vec!["127.0.0.1", "127.0.0.2"]),
            (Filter { status: Some("2xx".parse().unwrap()), ..none() }, vec!["127.0.0.0", "127.0.0.3"]),
            (Filter { error_code: Some("not_found".into()), ..none() }, vec!["127.0.0.1"]),
            (Filter { environment: Some("staging".into()), ..none() }, vec!["127.0.0.2"]),
            (Filter { ip: Some([127, 0, 0, 3].into()), ..none() }, vec!["127.0.0.3"]),
            (Filter { ip: Some([127, 0, 0, 3].into()), status: Some("404".parse().unwrap()), ..none() }, vec![]),
        ] {
            assert_eq!(found(filter.clone()).await, expected, "{filter:?}");
        }
        let last = all(&bed, Filter { endpoint: Some("/orders".into()), ..none() }).await.remove(0);
        assert_eq!((last.tags, last.units, last.success), (vec!["beta".to_owned()], 7, true));
    }

    /// What a quiet tenant has written in many small blocks is merged once its hour is over, and reads as before.
    async fn small_blocks_are_merged(bed: Bed) {
        let (first, second) = (bed.key(bed.tenant), bed.key(bed.tenant));
        for n in 0..60_u64 {
            let mut row = bed.call(bed.tenant, if n % 3 == 0 { first } else { second }, &format!("/things/{}", n % 7));
            row.query = Some(format!("n={n}"));
            bed.usage.record(row);
            bed.usage.record(bed.row(bed.other, "/theirs"));
            bed.usage.flush().await;
            bed.clock.advance(std::time::Duration::from_secs(150));
        }
        let before = all(&bed, Filter::default()).await;
        let of_first = Filter { api_key_id: Some(first.1), ..Filter::default() };
        let expected = all(&bed, of_first.clone()).await;
        bed.hours(1);
        let mut merged = 0;
        loop {
            match bed.usage.merge_step().await.unwrap() {
                0 => break,
                some => merged += some,
            }
        }
        assert_eq!(merged, 120, "each block once");
        let after = all(&bed, Filter::default()).await;
        let tell = |rows: &[RequestLog]| rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect::<Vec<_>>();
        assert_eq!(tell(&after), tell(&before));
        assert_eq!(tell(&all(&bed, of_first).await), tell(&expected));
        let day = if bed.is_sqlite() { "request_blocks_20260310" } else { "request_blocks" };
        let count = format!("SELECT COUNT(*) FROM {day}");
        let blocks: i64 = bed.store.logs().read(kernel::Scope::system("test"), move |tx| tx.query_one(&count, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(blocks, 2 * 3, "two tenants, two hours and a half");
    }

    async fn a_page_too_far_is_refused(bed: Bed) {
        let page = PageRequest { limit: 100, page: Some(200), ..PageRequest::default() };
        let error = bed.usage.request_logs(&bed.caller(), Filter::default(), page).await.unwrap_err();
        assert_eq!(error.code(), "validation_failed");
    }
}
