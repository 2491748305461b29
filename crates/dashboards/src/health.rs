//! How this server stands: `/health/live` and `/health/ready`, part by part.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use dispatch::Dispatch;
use gate::{Counters, SharedState};
use http::StatusCode;
use kernel::{Result, Scope};
use serde::Serialize;
use store::{Migration, Node, Store};
use tokio::sync::Mutex;
use tokio::time::Instant;
use web::{Access, Api, Endpoint, Json};

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Anybody may ask: however many do, the parts are looked at once in this time.
const FRESH: Duration = Duration::from_millis(500);
/// With less free space than this, in bytes, nothing can be promised to be kept.
const DISK_LEAST: u64 = 64 << 20;
/// With less than this somebody should look.
const DISK_LOW: u64 = 1 << 30;

/// Whether the process runs.
#[derive(Serialize, utoipa::ToSchema)]
struct Alive {
    /// `ok`.
    status: &'static str,
}

/// How something does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// As it should be.
    Ok,
    /// It serves, and somebody should look.
    Degraded,
    /// It cannot serve.
    Unready,
}

/// How each part does, and what follows for the whole.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Readiness {
    /// The worst of the parts. `unready` is answered with 503.
    status: Condition,
    /// Each part.
    checks: Checks,
}

/// Each part.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Checks {
    /// The state's database answers.
    database: Condition,
    /// The logs' database answers.
    logs: Condition,
    /// This node is known to be alive, so that its deliveries are its own.
    dispatch: Condition,
    /// There is room where the data directory is.
    disk: Condition,
    /// The tables are those that this program was made for.
    migrations: Condition,
    /// Redis answers, so that limits hold across nodes; left out where none is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Condition>,
}

/// Looks at the parts.
pub struct Health {
    data_dir: PathBuf,
    store: Store,
    dispatch: Arc<Dispatch>,
    counters: Arc<Counters>,
    migrations: Vec<Migration>,
    last: Mutex<Option<(Instant, Readiness)>>,
}

impl Health {
    /// Over the parts. `migrations`: those that this program was made with.
    pub fn new(data_dir: PathBuf, store: Store, dispatch: Arc<Dispatch>, counters: Arc<Counters>, migrations: Vec<Migration>) -> Arc<Self> {
        Arc::new(Self { data_dir, store, dispatch, counters, migrations, last: Mutex::default() })
    }

    /// Free space where the data directory is, in bytes.
    pub fn disk_free(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.data_dir).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    async fn look(&self) -> Readiness {
        let mut last = self.last.lock().await;
        if let Some((_, known)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return known.clone();
        }
        let (logs, node) = (self.store.logs(), self.dispatch.node());
        let migrations = self.migrations.clone();
        let (database, logs, dispatch, migrations) = tokio::join!(
            answers(self.store.read(Scope::system("health"), |tx| tx.query("SELECT 1", &[], |_| Ok(())).map(|_| true))),
            answers(logs.read(Scope::system("health"), |tx| tx.query("SELECT 1", &[], |_| Ok(())).map(|_| true))),
            answers(self.store.read(Scope::system("health"), move |tx| Node::is_alive(tx, node.id))),
            answers(self.store.read(Scope::system("health"), move |tx| store::is_migrated(tx, &migrations))),
        );
        let checks = Checks { database, logs, dispatch, disk: self.disk(), migrations, redis: self.redis() };
        // Without its logs the server goes on serving: rows wait in memory.
        let worst = [
            checks.database,
            checks.logs.min(Condition::Degraded),
            checks.dispatch,
            checks.disk,
            checks.migrations,
            checks.redis.unwrap_or(Condition::Ok),
        ];
        let readiness = Readiness { status: worst.into_iter().max().unwrap_or(Condition::Ok), checks };
        *last = Some((Instant::now(), readiness.clone()));
        readiness
    }

    /// Away, each node limits alone: it serves on.
    fn redis(&self) -> Option<Condition> {
        match self.counters.shared_state() {
            SharedState::Unused => None,
            SharedState::Up => Some(Condition::Ok),
            SharedState::Away => Some(Condition::Degraded),
        }
    }

    fn disk(&self) -> Condition {
        match self.disk_free() {
            Some(free) if free < DISK_LEAST => Condition::Unready,
            Some(free) if free < DISK_LOW => Condition::Degraded,
            // A directory that is not there: everything is in PostgreSQL.
            Some(_) | None => Condition::Ok,
        }
    }
}

/// `Unready` if the answer is no, an error, or late.
async fn answers(question: impl Future<Output = Result<bool>>) -> Condition {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(true)) => Condition::Ok,
        Ok(Ok(false) | Err(_)) | Err(_) => Condition::Unready,
    }
}

/// The two routes.
pub fn routes(health: &Arc<Health>) -> Api {
    let live = Endpoint::get("/health/live", "health.live")
        .tag("Health")
        .summary("Whether the process runs")
        .needs(Access::Public)
        .answers::<Alive>(200);
    let ready = Endpoint::get("/health/ready", "health.ready")
        .tag("Health")
        .summary("Whether it can serve, part by part")
        .needs(Access::Public)
        .answers::<Readiness>(200)
        .answers::<Readiness>(503);
    Api::new().route(live, || async { Json(Alive { status: "ok" }) }, ()).route(ready, is_ready, Arc::clone(health))
}

async fn is_ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Readiness>) {
    let readiness = health.look().await;
    let status = if readiness.status == Condition::Unready { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(readiness))
}
