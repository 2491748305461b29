//! What the tests stand on: the real features below alerts, and a clock.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::tenants::CreateTenant;
use alerts::{Alert, AlertFilter, Alerts, Evaluated};
use events::Events;
use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, IdRef, NodeId, PageRequest, Scope, TenantId, Timestamp};
use serde_json::Value;
use signals::{Kind, Signals};
use store::{Config, Database, Lifecycle, MasterKey, Store};
use usage::Usage;

/// How the operator's own tenant is known.
pub(crate) const OPERATOR: &str = "the-operator";

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) access: Arc<Access>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) tenant: TenantId,
    pub(crate) stranger: TenantId,
    events: Arc<Events>,
    _engine: testkit::Engine,
}

pub(crate) fn system() -> Scope {
    Scope::system("test")
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T10:00:30Z").unwrap()));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let migrations =
            [signals::MIGRATIONS, access::MIGRATIONS, events::MIGRATIONS, dispatch::MIGRATIONS, usage::MIGRATIONS, alerts::MIGRATIONS]
                .concat();
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        let operator = Some(IdRef::External(OPERATOR.to_owned()));
        let alerts = Alerts::new(store.clone(), ambient.clone(), Arc::clone(&events), operator, ambient.id());
        let lifecycles: Vec<Arc<dyn Lifecycle>> = vec![alerts.clone(), events.clone()];
        let access = Access::new(store.clone(), ambient.clone(), blueprint, lifecycles).await.unwrap();
        let (signals, usage) = (Signals::new(&store), Usage::start(&store));
        access.set_signals(Arc::clone(&signals));
        usage.set_signals(Arc::clone(&signals));
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            let input = CreateTenant { name: name.into(), ..CreateTenant::default() };
            made.push(access.create_tenant(&Caller::system("test", None), input).await.unwrap().id);
        }
        Self { store, ambient, clock, access, signals, usage, alerts, tenant: made[0], stranger: made[1], events, _engine: engine }
    }
}

impl Bed {
    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) fn minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_mins(minutes));
    }

    /// Another server.
    pub(crate) fn another(&self) -> Arc<Alerts> {
        let operator = Some(IdRef::External(OPERATOR.to_owned()));
        let holder: NodeId = self.ambient.id();
        Alerts::new(self.store.clone(), self.ambient.clone(), Arc::clone(&self.events), operator, holder)
    }

    /// The operator's own tenant.
    pub(crate) async fn operator(&self) -> TenantId {
        let input = CreateTenant { name: "Operations".into(), external_id: Some(OPERATOR.into()), ..CreateTenant::default() };
        self.access.create_tenant(&Caller::system("test", None), input).await.unwrap().id
    }

    /// So many failures with a key.
    pub(crate) async fn fail(&self, key: &str, times: u64) {
        for _ in 0..times {
            self.signals.note(Kind::FailedKey, Some(self.tenant), key, "wrong secret");
        }
        self.signals.flush().await.unwrap();
    }

    /// Looks once; nothing may fail.
    pub(crate) async fn look(&self) -> Evaluated {
        let done = self.alerts.evaluate().await.unwrap();
        assert_eq!(done.failed, 0);
        done
    }

    /// What a look opened, updated and closed.
    pub(crate) async fn looked(&self) -> (u64, u64, u64) {
        let done = self.look().await;
        (done.opened, done.updated, done.closed)
    }

    /// Every alert of a tenant, or, without one, of everybody, the newest first.
    pub(crate) async fn alerts_of(&self, tenant: Option<TenantId>) -> Vec<Alert> {
        let caller = Caller::system("test", tenant);
        self.alerts.list(&caller, AlertFilter::default(), PageRequest::default()).await.unwrap().data
    }

    /// The tenant's only alert.
    pub(crate) async fn only(&self) -> Alert {
        let all = self.alerts_of(Some(self.tenant)).await;
        assert_eq!(all.len(), 1, "{all:#?}");
        all.into_iter().next().unwrap()
    }

    /// The events about alerts that a tenant got, the oldest first.
    pub(crate) async fn told(&self, tenant: TenantId) -> Vec<(String, Value)> {
        let sql = "SELECT event_type, data FROM events WHERE tenant_id = ?1 AND event_type LIKE 'alert.%' ORDER BY created_at, id";
        let read = move |tx: &mut store::Tx<'_>| {
            tx.query(sql, &[tenant.into()], |row| Ok((row.get::<String>(0)?, serde_json::from_slice(&row.get::<Vec<u8>>(1)?).unwrap())))
        };
        self.store.read(system(), read).await.unwrap()
    }

    /// Their types alone.
    pub(crate) async fn told_types(&self, tenant: TenantId) -> Vec<String> {
        self.told(tenant).await.into_iter().map(|(name, _)| name).collect()
    }
}
