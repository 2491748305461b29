//! What these tests stand on: a database, records, and nodes that run syncs against a double.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connectors::{Connector, Session};
use events::{Events, Planned, Planner};
use futures_util::future::BoxFuture;
use kernel::chance::SeededEntropy;
use kernel::time::ManualClock;
use kernel::{
    Ambient, Caller, Credential, Event, IntegrationId, PageRequest, PermissionSet, RecordId, Result, Scope, Secret, SyncConfigId, TenantId,
    TenantScope, Timestamp,
};
use records::{NewRecord, RecordRef, Records};
use serde_json::{Map, Value, json};
use store::{Config, Database, MasterKey, Store, Tx};
use syncs::{
    Accounts, Around, Conflict, Inbound, LogAction, LogEntry, Mode, NewRun, Next, Opened, Runner, SyncConfig, SyncRun, Syncs, Watched,
};
use testkit::Engine;

use crate::carrier::StandCarrier;
use crate::crm::{Crm, Kind};

/// Plans nothing.
struct Nobody;

impl Planner for Nobody {
    fn plan(&self, _: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        Ok(events.iter().map(|_| Planned { deliveries: 0, filtered: Vec::new() }).collect())
    }
}

/// The address that a vendor is asked to call.
pub(crate) const INBOUND: &str = "https://hooks.example/in/integrations/1";

/// One account, whatever integration is named.
struct Account {
    connector: Arc<dyn Connector>,
    session: Session,
    off: Arc<AtomicBool>,
}

impl Accounts for Account {
    fn connector<'a>(&'a self, _: &'a TenantScope, _: IntegrationId) -> BoxFuture<'a, Result<Arc<dyn Connector>>> {
        Box::pin(async { Ok(Arc::clone(&self.connector)) })
    }

    fn open<'a>(&'a self, _: &'a TenantScope, _: IntegrationId) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async { Ok((Arc::clone(&self.connector), self.session.clone())) })
    }

    fn usable(&self, _: &mut Tx<'_>, _: TenantId, _: IntegrationId) -> Result<()> {
        let refused = || kernel::Error::conflict("integration_disabled", "It is switched off.");
        if self.off.load(Ordering::SeqCst) { Err(refused()) } else { Ok(()) }
    }

    fn inbound<'a>(&'a self, _: &'a TenantScope, _: IntegrationId) -> BoxFuture<'a, Result<Option<Inbound>>> {
        Box::pin(async { Ok(Some((INBOUND.to_owned(), Secret::new("proof".to_owned())))) })
    }
}

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) records: Arc<Records>,
    pub(crate) crm: Crm,
    pub(crate) carrier: Arc<StandCarrier>,
    /// The integration is switched off.
    pub(crate) off: Arc<AtomicBool>,
    pub(crate) syncs: Arc<Syncs>,
    pub(crate) tenant: TenantId,
    pub(crate) caller: Caller,
    _engine: Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        Self::with(engine, Kind::HubSpot, 7).await
    }
}

impl Bed {
    pub(crate) async fn with(engine: Engine, kind: Kind, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SeededEntropy::new(seed)));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations = [events::MIGRATIONS, records::MIGRATIONS, syncs::MIGRATIONS].concat();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = blueprint::parse(include_str!("contacts.toml"), "contacts").unwrap();
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        events.set_planner(Arc::new(Nobody));
        let records = Records::new(store.clone(), ambient.clone(), &blueprint, events).unwrap();
        records.set_watcher(Watched::new(&store).await);
        let crm = Crm::new(kind, &ambient);
        let carrier = StandCarrier::to(Arc::clone(&crm.vendor), &clock, crm.scheme());
        let tenant: TenantId = ambient.id();
        let caller = Caller::new(Credential::System { part: "test" }, Some(tenant), Arc::from([]), PermissionSet::all());
        let off = Arc::default();
        let syncs = node(&store, &ambient, &records, &crm, &carrier, &off);
        Self { clock, ambient, store, records, crm, carrier, off, syncs, tenant, caller, _engine: engine }
    }

    /// Another node over the same database.
    pub(crate) fn node(&self) -> Arc<Syncs> {
        node(&self.store, &self.ambient, &self.records, &self.crm, &self.carrier, &self.off)
    }

    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::system("test", self.tenant)
    }

    /// A sync of all fields; `more` is merged into what is sent.
    pub(crate) async fn sync(&self, more: Value) -> SyncConfig {
        let integration: IntegrationId = self.ambient.id();
        let mut sent = json!({
            "integrationId": integration, "resourceType": "contact", "object": self.crm.object(), "fieldMappings": self.crm.mappings(),
        });
        sent.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        let config = self.syncs.create_config(&self.caller, serde_json::from_value(sent).unwrap()).await.unwrap();
        self.wait(Duration::from_secs(3));
        config
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Runs a sync to where it goes now.
    pub(crate) async fn run(&self, sync: SyncConfigId, mode: Mode) -> SyncRun {
        self.run_with(sync, mode, false).await
    }

    pub(crate) async fn run_with(&self, sync: SyncConfigId, mode: Mode, dry_run: bool) -> SyncRun {
        self.wait(Duration::from_secs(1));
        let asked = NewRun { mode: Some(mode), dry_run: Some(dry_run) };
        let queued = self.syncs.run(&self.caller, sync, asked).await.unwrap();
        self.drive(sync).await;
        self.syncs.get_run(&self.caller, queued.id).await.unwrap()
    }

    /// Goes on with whatever run can go on, to where it goes now.
    pub(crate) async fn drive(&self, sync: SyncConfigId) -> Option<Next> {
        let mut runner: Runner = self.syncs.runner(self.tenant, sync).await.unwrap()?;
        let next = self.syncs.drive(&mut runner).await.unwrap();
        self.syncs.give_back(&runner).await.unwrap();
        Some(next)
    }

    /// Goes on with a run as often as it parks; answers how often that was.
    pub(crate) async fn to_its_end(&self, sync: SyncConfigId) -> u32 {
        for parked in 0..100 {
            match self.drive(sync).await {
                Some(Next::Ended) => return parked,
                Some(Next::Later(Some(until))) => self.clock.advance(until.since(self.ambient.now())),
                // It is parked already.
                None => self.wait(Duration::from_secs(10)),
                other => panic!("{other:?}"),
            }
        }
        panic!("it does not end");
    }

    pub(crate) async fn add(&self, members: Value) -> RecordId {
        let new = NewRecord { document: members.as_object().cloned().unwrap(), ..NewRecord::default() };
        self.records.create(&self.scope(), "contact", new).await.unwrap().id
    }

    pub(crate) async fn edit(&self, id: RecordId, members: Value) {
        let patch = members.as_object().cloned().unwrap();
        self.records.update(&self.scope(), "contact", RecordRef::Id(id), patch, None).await.unwrap();
    }

    pub(crate) async fn delete(&self, id: RecordId) {
        self.records.delete(&self.scope(), "contact", RecordRef::Id(id)).await.unwrap();
    }

    /// Ours: id and members.
    pub(crate) async fn ours(&self) -> Vec<(RecordId, Map<String, Value>)> {
        let (records, scope) = (Arc::clone(&self.records), self.scope());
        let walked = self.store.read(&self.scope(), move |tx| records.walk_in(tx, &scope, "contact", None, 100_000)).await.unwrap();
        walked.into_iter().map(|record| (record.id, record.document)).collect()
    }

    pub(crate) async fn ours_by_email(&self) -> HashMap<String, Map<String, Value>> {
        self.ours().await.into_iter().map(|(_, members)| (members["email"].as_str().unwrap().to_owned(), members)).collect()
    }

    pub(crate) fn theirs_by_email(&self) -> HashMap<String, (String, Map<String, Value>)> {
        self.crm.rows().into_iter().map(|(id, members)| (members["email"].as_str().unwrap().to_owned(), (id, members))).collect()
    }

    pub(crate) async fn log(&self, run: &SyncRun) -> Vec<LogAction> {
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let lines = self.syncs.run_log(&self.caller, run.id, false, page).await.unwrap();
        lines.data.into_iter().map(|line| line.entry.action).collect()
    }

    /// Inserts the rows of records again, by multi-row statements of a thousand in a transaction, into a table of the same shape.
    #[allow(clippy::disallowed_methods, reason = "it measures itself")]
    pub(crate) async fn copy_raw(&self) -> Duration {
        const COLUMNS: &str = "id, tenant_id, resource, document, search_text, revision, created_at, updated_at";
        let (tenant, scope) = (self.tenant, Scope::system("test"));
        let read = move |tx: &mut Tx<'_>| {
            tx.query(&format!("SELECT {COLUMNS} FROM records WHERE tenant_id = ?1"), &[tenant.into()], |row| {
                let texts = [row.get::<String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
                let numbers = [row.get::<i64>(5)?, row.get(6)?, row.get(7)?];
                Ok(texts.into_iter().map(store::Value::from).chain(numbers.into_iter().map(store::Value::from)).collect::<Vec<_>>())
            })
        };
        let rows = self.store.read(scope.clone(), read).await.unwrap();
        let make = |tx: &mut Tx<'_>| {
            let table = "CREATE TABLE raw_records (id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL, resource TEXT NOT NULL, \
                         document TEXT NOT NULL, search_text TEXT NOT NULL, revision BIGINT NOT NULL, created_at BIGINT NOT NULL, \
                         updated_at BIGINT NOT NULL)";
            tx.exec(table, &[])?;
            tx.exec("CREATE INDEX raw_newest ON raw_records (tenant_id, resource, created_at DESC, id DESC)", &[]).map(drop)
        };
        self.store.write(scope.clone(), make).await.unwrap();
        let began = std::time::Instant::now();
        for part in rows.chunks(1000) {
            let values: Vec<store::Value> = part.iter().flatten().cloned().collect();
            let insert = move |tx: &mut Tx<'_>| tx.insert_rows(&format!("INSERT INTO raw_records ({COLUMNS}) VALUES"), 8, &values, "");
            self.store.write(scope.clone(), insert).await.unwrap();
        }
        began.elapsed()
    }

    /// A realtime sync does what is due.
    pub(crate) async fn live(&self, sync: SyncConfigId) {
        let mut runner = self.syncs.realtime_runner(self.tenant, sync).await.unwrap().unwrap();
        assert_eq!(self.syncs.drive(&mut runner).await.unwrap(), Next::Later(None));
        self.syncs.give_back(&runner).await.unwrap();
    }

    /// The vendor says something of a record.
    pub(crate) async fn hint(&self, integration: IntegrationId, id: &str, kind: connectors::HintKind) {
        let hint = connectors::Hint { account: None, object: self.crm.object().to_owned(), id: id.to_owned(), kind, at: None };
        let (syncs, tenant) = (Arc::clone(&self.syncs), self.tenant);
        let noted = self.store.write(self.scope(), move |tx| syncs.note_hints(tx, tenant, integration, &[hint])).await;
        assert_eq!(noted.unwrap(), 1);
    }

    /// The vendor works again.
    pub(crate) fn vendor_recovers(&self) {
        self.crm.vendor.stand().faults.clear();
    }

    /// Every line of every run, the oldest first.
    pub(crate) async fn everything_logged(&self, sync: SyncConfigId) -> Vec<LogEntry> {
        let (tenant, sync) = (self.tenant.to_string(), sync.to_string());
        let sql = "SELECT l.entries FROM sync_log l, sync_runs r WHERE l.tenant_id = ?1 AND r.tenant_id = ?1 AND r.sync_id = ?2 AND r.id = l.run_id \
                   ORDER BY r.number, l.seq";
        let read = move |tx: &mut Tx<'_>| tx.query(sql, &[tenant.into(), sync.into()], |row| row.get::<String>(0));
        let steps = self.store.read(&self.scope(), read).await.unwrap();
        steps.iter().flat_map(|text| serde_json::from_str::<Vec<LogEntry>>(text).unwrap()).collect()
    }

    pub(crate) async fn conflicts(&self) -> Vec<Conflict> {
        let page = PageRequest { limit: 100, ..PageRequest::default() };
        let filter = serde_json::from_value(json!({})).unwrap();
        self.syncs.list_conflicts(&self.caller, filter, page).await.unwrap().data
    }
}

fn node(
    store: &Store,
    ambient: &Ambient,
    records: &Arc<Records>,
    crm: &Crm,
    carrier: &Arc<StandCarrier>,
    off: &Arc<AtomicBool>,
) -> Arc<Syncs> {
    let session = Session { carrier: carrier.clone(), config: Arc::default(), ambient: ambient.clone() };
    let around = Around {
        records: Arc::clone(records),
        accounts: Arc::new(Account { connector: Arc::clone(&crm.connector), session, off: Arc::clone(off) }),
        scripts: script::Engine::threads(1),
        node: ambient.id(),
        default_resource: "contact".to_owned(),
    };
    Syncs::new(store.clone(), ambient.clone(), around)
}
