//! What accepting costs in the database alone: events published in batches for a paused webhook, whose rows (an event and a pending delivery
//! each) stay where they are, against raw inserts of such rows in groups of the same size. SQLite only: the reference opens a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use kernel::{Ambient, Scope, TenantId};
use store::{Config as StoreConfig, Database, Home, MasterKey, Migration, Store, Tx, Value};

pub use super::batches::Config;
use super::books;
use crate::clock;
use crate::load::{Budget, closed};
use crate::receiver::Receiver;
use crate::report::{Row, median};
use crate::server::Place;
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Batches, Publisher};

/// Publishing reaches this share of the raw rate.
const LEAST: f64 = 0.5;
/// No run lasts longer.
const LONGEST: Duration = Duration::from_secs(60);
/// The raw tables: what an event and a pending delivery hold, with the indexes that find them again.
const TABLES: &str = "-- tenant
CREATE TABLE raw_events (tenant_id TEXT NOT NULL, created_at BIGINT NOT NULL, id TEXT NOT NULL, event_type TEXT NOT NULL, occurred_at BIGINT NOT NULL, data BYTEA NOT NULL, deliveries BIGINT NOT NULL, PRIMARY KEY (tenant_id, created_at, id));
-- tenant
CREATE TABLE raw_queue (tenant_id TEXT NOT NULL, id TEXT NOT NULL, destination_id TEXT NOT NULL, event_id TEXT NOT NULL, seq BIGINT NOT NULL, due_at BIGINT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE INDEX raw_queue_work ON raw_queue (owner, destination_id, due_at, seq);
";

/// Measures.
pub async fn run(place: &Place, config: &Config) -> Result<Vec<Row>> {
    if place.postgres.is_some() {
        return Ok(Vec::new());
    }
    let rig = Rig::start(place).await?;
    let receiver = Receiver::start(books("none", 0)?)?;
    let webhook = rig.subscribe(&receiver.url(), &["*"]).await?;
    rig.call("POST", &format!("/api/v1/webhooks/{webhook}/pause"), None).await?;
    let (mut ours, mut raws) = (Vec::new(), Vec::new());
    for _ in 0..config.rounds {
        raws.push(raw(config).await?);
        ours.push(publish(&rig, config).await?);
    }
    let name = format!("rows accepted (event and delivery), in batches of {}, paused", config.batch);
    Ok(vec![Row::share(name, median(&ours), median(&raws), LEAST)])
}

async fn publish(rig: &Rig, config: &Config) -> Result<f64> {
    let ledger = books("rows", config.events)?;
    let traffic = Arc::new(Batches { publisher: Publisher::new(rig, MEASURED), ledger: ledger.clone(), size: config.batch });
    let budget = Budget { count: traffic.requests(), time: LONGEST };
    let start = clock::now_ns();
    closed(rig.server.address(), config.callers, budget, traffic).await.all_good()?;
    ensure!(ledger.accepted() == config.events, "{} of {} accepted", ledger.accepted(), config.events);
    Ok(rows_per_second(config.events, clock::since(start)))
}

async fn raw(config: &Config) -> Result<f64> {
    let (directory, ambient) = (tempfile::tempdir()?, Ambient::system());
    let migrations = vec![Migration { feature: "raw", version: 1, home: Home::State, sql: TABLES }];
    let database = Database::Sqlite(directory.path().to_owned());
    let opened = Store::open(StoreConfig::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await;
    let store = opened.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let (tenant, next) = (ambient.id::<TenantId>(), Arc::new(AtomicU64::new(0)));
    let start = clock::now_ns();
    let writers: Vec<_> = (0..config.callers)
        .map(|_| {
            let (store, next, config) = (store.clone(), next.clone(), *config);
            tokio::spawn(async move {
                loop {
                    let first = next.fetch_add(config.batch, Ordering::Relaxed);
                    if first >= config.events {
                        return Ok(());
                    }
                    store.write(Scope::system("bench"), move |tx| insert(tx, tenant, first, config.batch)).await?;
                }
            })
        })
        .collect();
    for writer in writers {
        let done: kernel::Result<()> = writer.await?;
        done.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
    Ok(rows_per_second(config.events, clock::since(start)))
}

fn insert(tx: &mut Tx<'_>, tenant: TenantId, first: u64, count: u64) -> kernel::Result<()> {
    let now = tx.now();
    let (mut events, mut queue) = (Vec::<Value>::new(), Vec::<Value>::new());
    for index in first..first + count {
        let (event, delivery) = (format!("raw-0123456789abcdef-{index}"), format!("dlv_01hzzzzzzzzzzzzz{index:010}"));
        events.extend([tenant.into(), now.into(), event.clone().into(), MEASURED.into(), now.into(), vec![b'x'; 260].into(), 1_i64.into()]);
        let owner = "nod_01hzzzzzzzzzzzzzzzzzzzzzzz";
        let destination = "wh_01hzzzzzzzzzzzzzzzzzzzzzzz";
        queue.extend([tenant.into(), delivery.into(), destination.into(), event.into(), index.into(), now.into(), owner.into()]);
    }
    tx.insert_rows("INSERT INTO raw_events (tenant_id, created_at, id, event_type, occurred_at, data, deliveries) VALUES", 7, &events, "")?;
    tx.insert_rows("INSERT INTO raw_queue (tenant_id, id, destination_id, event_id, seq, due_at, owner) VALUES", 7, &queue, "").map(drop)
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rows_per_second(events: u64, time: Duration) -> f64 {
    2.0 * events as f64 / time.as_secs_f64().max(1e-9)
}
