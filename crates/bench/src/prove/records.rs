//! Records among many: a list of 50 with filter and search costs about the same among a million records as among a thousand; a filtered
//! list costs about what its statement costs; an export takes the same memory whatever it exports. In this process, through the operations.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use events::Events;
use kernel::{Ambient, PageRequest, TenantId, TenantScope};
use records::{Filter, Item, ItemAct, NewRecord, Operand, Query, Records, Sort};
use serde_json::{Value, json};
use store::{Config as StoreConfig, Database, MasterKey, Store};

use crate::clock;
use crate::process::anonymous;
use crate::progress;
use crate::report::{Row, median, megabytes, microseconds, per_second, thousands};
use crate::server::Database as Scratch;

/// A list among many costs at most this many times one among few.
const RATIO: f64 = 3.0;
/// A list at the operation costs at most this many times its statement.
const OVER_SQL: f64 = 2.0;
/// Memory of an export, in bytes.
const EXPORT: u64 = 60_000_000;
/// Rows of a list.
const ROWS: u32 = 50;

/// Settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Records of one tenant.
    pub few: u64,
    /// Records of another.
    pub many: u64,
    /// How often each list is read.
    pub rounds: usize,
    /// A PostgreSQL server to make a database on; none: SQLite.
    pub postgres: Option<String>,
}

impl Config {
    /// Enough to see a scan.
    pub fn ci() -> Self {
        Self { few: 1000, many: 6000, rounds: 30, postgres: None }
    }

    /// One million.
    pub fn full() -> Self {
        Self { few: 1000, many: 1_000_000, rounds: 200, postgres: None }
    }
}

/// One kind of list.
#[derive(Clone, Debug)]
pub struct Timed {
    /// What it asks.
    pub what: &'static str,
    /// The median among few.
    pub few: Duration,
    /// The median among many.
    pub many: Duration,
    /// Whether it is bound. One that is sorted by a member walks past all that the filter or the search turns down.
    pub is_bound: bool,
}

impl Timed {
    /// How many times as long it takes among many.
    pub fn ratio(&self) -> f64 {
        self.many.as_secs_f64() / self.few.as_secs_f64().max(1e-9)
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Records of the large tenant.
    pub count: u64,
    /// Records created a second, in batches of 500.
    pub created: f64,
    /// The same over those that are not to be searched: what a creation pays for the search. None: too few were created to say.
    pub search_share: Option<f64>,
    /// Texts worked into the search's index a second.
    pub indexed: f64,
    /// Lists.
    pub lists: Vec<Timed>,
    /// The filtered list among many: at the operation, and its statement alone.
    pub over_sql: (Duration, Duration),
    /// Growth of memory while all was exported.
    pub export: u64,
    /// Records exported a second.
    pub exported: f64,
}

impl Report {
    /// The cost of the operation over its statement.
    pub fn over_sql(&self) -> f64 {
        self.over_sql.0.as_secs_f64() / self.over_sql.1.as_secs_f64().max(1e-9)
    }

    /// Whether no list reads more among many.
    pub fn is_indexed(&self) -> bool {
        self.lists.iter().all(|list| !list.is_bound || list.ratio() <= RATIO)
    }

    /// Whether an export is flat.
    pub fn is_flat(&self) -> bool {
        self.export < EXPORT
    }

    /// As rows with verdicts.
    pub fn rows(&self) -> Vec<Row> {
        let count = thousands(self.count);
        let mut rows = vec![
            Row::information("records created, in batches of 500", per_second(self.created)),
            Row::information("texts worked into the search's index", per_second(self.indexed)),
        ];
        if let Some(share) = self.search_share {
            rows.push(Row::information("records created, those to be searched over those that are not", format!("{share:.2}")));
        }
        for list in &self.lists {
            let name = format!("list of {ROWS} among {count}, {}", list.what);
            let row = if list.is_bound {
                Row::bound(name, microseconds(list.many), format!("≤ {RATIO:.1} × among few"), list.ratio() <= RATIO)
            } else {
                Row::information(name, microseconds(list.many))
            };
            rows.push(row.against(microseconds(list.few), list.ratio()));
        }
        let name = format!("list of {ROWS} with filter among {count}, at the operation");
        let row = Row::bound(name, microseconds(self.over_sql.0), format!("≤ {OVER_SQL:.1} × raw SQL"), self.over_sql() <= OVER_SQL);
        rows.push(row.against(microseconds(self.over_sql.1), self.over_sql()));
        rows.push(Row::bound(format!("memory growth, export of {count}"), megabytes(self.export), "< 60 MB", self.is_flat()));
        rows.push(Row::information("records exported", per_second(self.exported)));
        rows
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: kernel::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}

/// Two tenants with the same kind of records, few and many.
struct Shelf {
    store: Store,
    records: Arc<Records>,
    few: TenantScope,
    many: TenantScope,
}

/// Runs the proof. An error means that it could not be carried out; a missed bound is in the report.
pub async fn run(config: &Config) -> Result<Report> {
    let (directory, ambient) = (tempfile::Builder::new().prefix("tradewind-bench-").tempdir()?, Ambient::system());
    let scratch = config.postgres.as_deref().map(Scratch::create).transpose()?;
    let database = match &scratch {
        Some(scratch) => Database::Postgres(scratch.url().to_owned()),
        None => Database::Sqlite(directory.path().to_owned()),
    };
    let migrations = events::MIGRATIONS.iter().chain(records::MIGRATIONS).copied().collect();
    let opened = StoreConfig::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations);
    let store = Store::open(opened).await.map_err(failed)?;
    let blueprint = blueprint::load("insurance-leads").map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).map_err(failed)?;
    let records = Records::new(store.clone(), ambient.clone(), &blueprint, Arc::clone(&events)).map_err(failed)?;
    let mut unsearched = blueprint.clone();
    unsearched.resources.iter_mut().for_each(|resource| resource.search.clear());
    let unsearched = Records::new(store.clone(), ambient.clone(), &unsearched, events).map_err(failed)?;
    let scope = || TenantScope::system("bench", ambient.id::<TenantId>());
    let shelf = Shelf { store, records, few: scope(), many: scope() };
    fill(&shelf, &shelf.few, config.few).await?;
    let begun = clock::now_ns();
    fill(&shelf, &shelf.many, config.many).await?;
    let created = rate(config.many, clock::since(begun));
    let search_share = if config.many < COMPARED * 10 { None } else { Some(search_share(&shelf, unsearched, scope).await?) };
    let begun = clock::now_ns();
    let texts = shelf.records.settle().await.map_err(failed)?;
    let indexed = rate(texts, clock::since(begun));
    progress::say(format!("{} records, {} texts worked in", thousands(config.many), thousands(texts)));
    let mut lists = Vec::new();
    for (what, query, rows) in questions(config.few) {
        let few = time(&shelf, &shelf.few, &query, rows, config.rounds).await?;
        let many = time(&shelf, &shelf.many, &query, rows, config.rounds).await?;
        let is_bound = query.sort.is_none() || query.search.is_none();
        lists.push(Timed { what, few, many, is_bound });
    }
    let over_sql = over_sql(&shelf, config.rounds).await?;
    let (export, exported) = export(&shelf, config.many).await?;
    drop(shelf);
    Ok(Report { count: config.many, created, search_share, indexed, lists, over_sql, export, exported })
}

/// Records of one turn of the comparison.
const COMPARED: u64 = 5000;

/// The rate of creations with the search's row over the rate without, in turns.
async fn search_share(shelf: &Shelf, unsearched: Arc<Records>, scope: impl Fn() -> TenantScope) -> Result<f64> {
    let other = Shelf { store: shelf.store.clone(), records: unsearched, few: scope(), many: scope() };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        for (shelf, took) in [(shelf, &mut with), (&other, &mut without)] {
            let (tenant, begun) = (scope(), clock::now_ns());
            fill(shelf, &tenant, COMPARED).await?;
            took.push(rate(COMPARED, clock::since(begun)));
        }
    }
    Ok(median(&with) / median(&without))
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

const NAMES: [&str; 4] = ["Adalbert", "Grace", "Zoë", "Maximilian"];
const STATUSES: [&str; 4] = ["NEW", "CONTACTED", "QUALIFIED", "LOST"];

/// A lead of an ordinary size. Names and statuses do not depend on each other.
fn lead(i: u64) -> Value {
    let pick = |of: &[&str; 4], by: u64| of[usize::try_from(i / by % 4).unwrap_or(0)].to_owned();
    json!({
        "source": "website",
        "email": format!("person{i}@example.com"),
        "firstName": pick(&NAMES, 4),
        "lastName": format!("Byron{}", i % 997),
        "phone": "+41 31 000 00 00",
        "insuranceType": "AUTO",
        "status": pick(&STATUSES, 1),
        "score": i * 7919 % 101,
        "city": "Bern",
        "state": "BE",
        "notes": "Asked for a quote for a second car, and whether the first one's bonus counts there too.",
    })
}

async fn fill(shelf: &Shelf, scope: &TenantScope, count: u64) -> Result<()> {
    let item = |i| {
        let document = lead(i).as_object().cloned().unwrap_or_default();
        Item { act: ItemAct::Create(NewRecord { document, ..NewRecord::default() }), expected: records::Expected::Anything }
    };
    for from in (0..count).step_by(500) {
        let items: Vec<Item> = (from..count.min(from + 500)).map(item).collect();
        let outcomes = shelf.records.batch(scope, "lead", items, |error| Value::String(error.to_string())).await.map_err(failed)?;
        let bad = outcomes.iter().find(|outcome| outcome.record().is_none());
        ensure!(bad.is_none(), "a record was not created: {bad:?}");
        if from > 0 && from % 20_000 == 0 {
            // As the server does behind its callers' backs.
            shelf.records.settle().await.map_err(failed)?;
        }
        if from > 0 && from % 100_000 == 0 {
            progress::say(format!("{} records", thousands(from)));
        }
    }
    Ok(())
}

/// What lists are asked, and how many rows each has in either tenant.
fn questions(few: u64) -> Vec<(&'static str, Query, usize)> {
    let page = PageRequest { limit: ROWS, ..PageRequest::default() };
    let status = || Filter::eq("status", Operand::Text("NEW".into()));
    let search = |text: &str| Some(text.to_owned());
    let plain = Query { page, ..Query::default() };
    let by_score = Some(Sort { field: "score".into(), descending: true });
    let (rows, last) = (ROWS as usize, few - 4);
    vec![
        ("newest first", plain.clone(), rows),
        ("with filter", Query { filter: status(), ..plain.clone() }, rows),
        ("with search", Query { search: search("adal"), ..plain.clone() }, rows),
        ("with filter and search", Query { filter: status(), search: search("dalbert"), ..plain.clone() }, rows),
        ("with filter and a search for one", Query { filter: status(), search: search(&format!("person{last}@")), ..plain.clone() }, 1),
        ("with filter and a search for none", Query { filter: status(), search: search("person@example"), ..plain.clone() }, 0),
        ("with filter, in the order of a member", Query { filter: status(), sort: by_score.clone(), ..plain.clone() }, rows),
        (
            "with filter and search, in the order of a member",
            Query { filter: status(), search: search("adalb"), sort: by_score, ..plain },
            rows,
        ),
    ]
}

async fn time(shelf: &Shelf, scope: &TenantScope, query: &Query, rows: usize, rounds: usize) -> Result<Duration> {
    let mut took = Vec::with_capacity(rounds);
    for round in 0..rounds + 5 {
        let begun = clock::now_ns();
        let page = shelf.records.list(scope, "lead", query.clone()).await.map_err(failed)?;
        // The first ones warm up caches and prepare statements.
        if round >= 5 {
            took.push(clock::since(begun));
        }
        ensure!(page.data.len() == rows, "{} rows instead of {rows}: {query:?}", page.data.len());
    }
    Ok(median(&took))
}

/// The filtered list and its statement, in turns.
async fn over_sql(shelf: &Shelf, rounds: usize) -> Result<(Duration, Duration)> {
    let filter = Filter::eq("status", Operand::Text("NEW".into()));
    let query = Query { filter, page: PageRequest { limit: ROWS, ..PageRequest::default() }, ..Query::default() };
    let (mut ours, mut raws) = (Vec::new(), Vec::new());
    let tenant = shelf.many.tenant();
    for _ in 0..rounds {
        ours.push(time(shelf, &shelf.many, &query, ROWS as usize, 1).await?);
        let begun = clock::now_ns();
        let read = shelf.store.read(shelf.many.clone(), move |tx| {
            let sql = "SELECT r.id, r.number, r.external_id, r.document, r.revision, r.created_at, r.updated_at FROM \
                       (SELECT record_id FROM record_fields WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value = ?4 \
                       ORDER BY created_at DESC, record_id DESC LIMIT 51) f CROSS JOIN records r WHERE r.id = f.record_id AND r.tenant_id = ?1";
            tx.query(sql, &[tenant.into(), "lead".into(), "status".into(), "sNEW".into()], |row| {
                Ok((row.get::<String>(0)?, row.get::<Option<i64>>(1)?, row.get::<Option<String>>(2)?, row.get::<String>(3)?, row.get::<i64>(5)?))
            })
        });
        let rows = read.await.map_err(failed)?;
        raws.push(clock::since(begun));
        ensure!(rows.len() == ROWS as usize + 1, "{} raw rows", rows.len());
    }
    Ok((median(&ours), median(&raws)))
}

async fn export(shelf: &Shelf, count: u64) -> Result<(u64, f64)> {
    let pid = std::process::id();
    let before = anonymous(pid)?;
    let (mut seen, mut most, mut bytes) = (0, 0, 0);
    let begun = clock::now_ns();
    let mut export = shelf.records.export(&shelf.many, "lead", &Query::default()).map_err(failed)?;
    let kind = shelf.records.resource_type("lead").map_err(failed)?;
    loop {
        let part = export.next().await.map_err(failed)?;
        if part.is_empty() {
            break;
        }
        seen += part.len() as u64;
        bytes += part.iter().map(|record| Value::Object(kind.wire(record)).to_string().len()).sum::<usize>();
        if seen % 5000 == 0 || seen == count {
            most = most.max(anonymous(pid)?.saturating_sub(before));
        }
    }
    let took = clock::since(begun);
    ensure!(seen == count && bytes > 0, "{seen} of {count} records were exported");
    Ok((most, rate(seen, took)))
}

/// The proof's context for an error of its own.
pub async fn prove(config: &Config) -> Result<Report> {
    run(config).await.context("lists among many records")
}
