//! What a month of calls came to is answered in time that does not grow with the calls, and a day of them goes at once: with 100,000,000
//! logged calls behind it. One day is logged by the real writer; the other days' counts are copies of that day's.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use kernel::{Ambient, Caller, ClientId, IdRef, KeyId, Scope, TenantId, Timestamp};
use store::{Config as StoreConfig, Database, MasterKey, Store, Tx};
use usage::reports::{UsageQuery, Whose};
use usage::rollups::Grain;
use usage::{KeySubject, RequestRow, Subjects, Usage, retention};

use crate::clock;
use crate::progress;
use crate::report::{Row, milliseconds, per_second, thousands};

/// A month is answered within this.
const QUERY: Duration = Duration::from_millis(100);
/// A day goes within this.
const RETENTION: Duration = Duration::from_secs(1);
const DAY_MS: i64 = 86_400_000;
const KEYS: usize = 20;
const ENDPOINTS: usize = 40;

/// Settings.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Calls of a day.
    pub calls: u64,
    /// Days.
    pub days: i64,
}

impl Config {
    /// 1,800,000 calls.
    pub fn ci() -> Self {
        Self { calls: 20_000, days: 90 }
    }

    /// 100,000,000 calls.
    pub fn full() -> Self {
        Self { calls: 1_111_112, days: 90 }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Calls behind the counts.
    pub calls: u64,
    /// Calls of the day that was logged and dropped.
    pub day: u64,
    /// Rows that the real writer logged and counted a second.
    pub rate: f64,
    /// Each question about a month, and the longest of five answers.
    pub queries: Vec<(&'static str, Duration)>,
    /// Dropping a day's calls.
    pub dropped: Duration,
    /// Deleting that day's counts by hour, in steps that others write between.
    pub counts: Duration,
}

impl Report {
    /// Whether everything held.
    pub fn is_met(&self) -> bool {
        self.queries.iter().all(|(_, took)| *took < QUERY) && self.dropped < RETENTION
    }

    /// As rows with a verdict.
    pub fn rows(&self) -> Vec<Row> {
        let calls = thousands(self.calls);
        let mut rows = vec![Row::information("rows logged and counted", per_second(self.rate))];
        for (what, took) in &self.queries {
            rows.push(Row::bound(format!("usage of a month, {calls} calls: {what}"), milliseconds(*took), "< 100 ms", *took < QUERY));
        }
        let day = thousands(self.day);
        rows.push(Row::bound(format!("dropping a day of {day} calls"), milliseconds(self.dropped), "< 1 s", self.dropped < RETENTION));
        rows.push(Row::information("deleting that day's counts by hour, in steps of 500 rows", milliseconds(self.counts)));
        rows
    }
}

/// One client with its keys.
struct Book {
    client: ClientId,
    keys: Vec<KeyId>,
}

impl Subjects for Book {
    fn client(&self, _: &mut Tx<'_>, _: TenantId, _: &IdRef<ClientId>) -> kernel::Result<ClientId> {
        Ok(self.client)
    }

    fn key(&self, _: &mut Tx<'_>, _: TenantId, key: KeyId) -> kernel::Result<KeySubject> {
        Ok(KeySubject { client: self.client, line: vec![key] })
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: kernel::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

/// Runs the proof on SQLite, in a temporary directory.
pub async fn run(config: &Config) -> Result<Report> {
    let (directory, ambient) = (tempfile::tempdir()?, Ambient::system());
    let database = Database::Sqlite(directory.path().to_owned());
    let opened = StoreConfig::new(database, MasterKey::generate(&ambient), ambient.clone(), usage::MIGRATIONS.to_vec());
    let store = Store::open(opened).await.map_err(failed)?;
    let usage = Usage::start(&store);
    let book = Arc::new(Book { client: ambient.id(), keys: (0..KEYS).map(|_| ambient.id()).collect() });
    let tenant: TenantId = ambient.id();
    usage.set_subjects(Arc::<Book>::clone(&book));
    // Yesterday is whole.
    let first = (ambient.now().millis().div_euclid(DAY_MS) - 1) * DAY_MS;
    let begun = clock::now_ns();
    log_day(&usage, &ambient, tenant, &book, config, first).await;
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let rate = config.calls as f64 / clock::since(begun).as_secs_f64();
    progress::say(format!("{} calls logged", thousands(config.calls)));
    for day in 1..config.days {
        store.logs().write(Scope::system("bench"), move |tx| copy_day(tx, first, -day * DAY_MS)).await.map_err(failed)?;
    }
    progress::say(format!("{} days of counts", config.days));
    let queries = ask(&usage, tenant, &book, config).await?;
    let (dropped, counts) = forget(&store, first).await?;
    Ok(Report { calls: config.calls * config.days.unsigned_abs(), day: config.calls, rate, queries, dropped, counts })
}

async fn log_day(usage: &Usage, ambient: &Ambient, tenant: TenantId, book: &Book, config: &Config, first: i64) {
    let endpoints: Vec<Arc<str>> = (0..ENDPOINTS).map(|n| Arc::from(format!("/api/v1/things-{n}/{{id}}"))).collect();
    let agent = usage::agent("bench/1.0 (a user agent of an ordinary length, as libraries send it)");
    for n in 0..config.calls {
        let at = first + i64::try_from(u128::from(n) * DAY_MS.unsigned_abs() as u128 / u128::from(config.calls)).unwrap_or(0);
        let pick = usize::try_from(n).unwrap_or(0);
        let mut row = RequestRow::new(ambient.id(), Timestamp::from_millis(at), "GET", Arc::clone(&endpoints[pick / KEYS % ENDPOINTS]));
        (row.tenant, row.client, row.key) = (Some(tenant), Some(book.client), Some(book.keys[pick % KEYS]));
        (row.duration_us, row.response_bytes, row.ip) = (n * 31 % 20_000, 512, Some([192, 0, 2, 7].into()));
        row.user_agent = Some(Arc::clone(&agent));
        match n % 40 {
            0 => (row.status, row.error_code) = (404, Some("not_found")),
            1 => (row.status, row.error_code) = (429, Some("rate_limited")),
            _ => {}
        }
        if usage.is_full() {
            usage.room().await;
        }
        usage.record(row);
    }
    usage.flush().await;
}

/// The same counts, so many milliseconds later (or, below 0, earlier).
fn copy_day(tx: &mut Tx<'_>, first: i64, by: i64) -> kernel::Result<()> {
    let buckets: String = (0..24).map(|bucket| format!(", h{bucket:02}")).collect();
    let rest = format!("part, node, requests, succeeded, units, duration_us, slowest_us, request_bytes, response_bytes{buckets}");
    for table in ["usage_hours", "usage_days"] {
        let sql = format!(
            "INSERT INTO {table} (tenant_id, subject, kind, at, {rest}) SELECT tenant_id, subject, kind, at + ?2, {rest} FROM {table} \
             WHERE at >= ?1 AND at < ?1 + {DAY_MS}"
        );
        tx.exec(&sql, &[first.into(), by.into()])?;
    }
    Ok(())
}

async fn ask(usage: &Usage, tenant: TenantId, book: &Book, config: &Config) -> Result<Vec<(&'static str, Duration)>> {
    let caller = Caller::system("bench", Some(tenant));
    let client = Whose::Client(IdRef::Id(book.client));
    let questions = [
        ("a tenant, by day", Whose::Tenant, Grain::Day),
        ("a tenant, by hour", Whose::Tenant, Grain::Hour),
        ("a client, by hour", client, Grain::Hour),
        ("a key, by hour", Whose::Key(book.keys[0]), Grain::Hour),
    ];
    let mut out = Vec::new();
    for (what, whose, grain) in questions {
        let mut longest = Duration::ZERO;
        for _ in 0..5 {
            let query = UsageQuery { period: Some("30d".into()), group_by: Some(grain), ..UsageQuery::default() };
            let begun = clock::now_ns();
            let report = usage.usage(&caller, whose.clone(), query).await.map_err(failed)?;
            longest = longest.max(clock::since(begun));
            let least = config.calls * 28 / if matches!(whose, Whose::Key(_)) { KEYS as u64 } else { 1 };
            ensure!(report.total_requests >= least, "{what}: only {} calls", report.total_requests);
            ensure!(report.requests_by_endpoint.len() >= ENDPOINTS / 2, "{what}: only {} endpoints", report.requests_by_endpoint.len());
        }
        out.push((what, longest));
    }
    Ok(out)
}

/// How long it takes to let go of the day that was logged: its calls, and its counts by hour.
async fn forget(store: &Store, first: i64) -> Result<(Duration, Duration)> {
    let days = store.partitions("request_blocks").await.map_err(failed)?;
    let day = days.iter().find(|day| day.from.millis() == first);
    let day = day.ok_or_else(|| anyhow::anyhow!("the day that was logged has no table: {days:?}"))?;
    let begun = clock::now_ns();
    store.drop_partition(day).await.map_err(failed)?;
    let dropped = clock::since(begun);
    // What is older goes first, and is not timed.
    let before = Timestamp::from_millis(first);
    while store.logs().write(Scope::system("bench"), move |tx| retention::delete_old_hours(tx, before, 5000)).await.map_err(failed)? > 0 {}
    let after = Timestamp::from_millis(first + DAY_MS);
    let begun = clock::now_ns();
    while store.logs().write(Scope::system("bench"), move |tx| retention::delete_old_hours(tx, after, 500)).await.map_err(failed)? > 0 {}
    Ok((dropped, clock::since(begun)))
}
