//! A store, the request log on it, and a few who call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Caller, ClientId, Error, IdRef, KeyId, Result, TenantId, Timestamp};
use store::{Config, Database, MasterKey, Store, Tx};
use usage::reports::{UsageQuery, UsageReport, Whose};
use usage::{KeySubject, RequestRow, Subjects, Usage};

/// Who is who.
#[derive(Default)]
pub(crate) struct Book(pub(crate) Mutex<HashMap<KeyId, (TenantId, KeySubject)>>);

impl Subjects for Book {
    fn client(&self, _: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<ClientId> {
        let known = self.0.lock().unwrap();
        let found = known.values().find(|(of, key)| *of == tenant && *reference == IdRef::Id(key.client));
        found.map(|(_, key)| key.client).ok_or_else(|| Error::not_found("client"))
    }

    fn key(&self, _: &mut Tx<'_>, tenant: TenantId, key: KeyId) -> Result<KeySubject> {
        let known = self.0.lock().unwrap();
        known.get(&key).filter(|(of, _)| *of == tenant).map(|(_, key)| key.clone()).ok_or_else(|| Error::not_found("API key"))
    }
}

pub(crate) struct Bed {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) usage: Arc<Usage>,
    pub(crate) book: Arc<Book>,
    pub(crate) tenant: TenantId,
    pub(crate) other: TenantId,
    _engine: testkit::Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let clock = Arc::new(ManualClock::new(at("2026-03-10T10:00:00Z")));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let config = Config::new(database, MasterKey::generate(&ambient), ambient.clone(), usage::MIGRATIONS.to_vec());
        let store = Store::open(config).await.unwrap();
        let (usage, book) = (Usage::start(&store), Arc::new(Book::default()));
        usage.set_subjects(Arc::<Book>::clone(&book));
        Self { clock, store, usage, book, tenant: ambient.id(), other: ambient.id(), ambient, _engine: engine }
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

impl Bed {
    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    /// A client of a tenant with a key.
    pub(crate) fn key(&self, tenant: TenantId) -> (ClientId, KeyId) {
        self.key_of(tenant, self.ambient.id(), &[])
    }

    /// A key of a client, which came of others.
    pub(crate) fn key_of(&self, tenant: TenantId, client: ClientId, before: &[KeyId]) -> (ClientId, KeyId) {
        let key: KeyId = self.ambient.id();
        let line = std::iter::once(key).chain(before.iter().copied()).collect();
        self.book.0.lock().unwrap().insert(key, (tenant, KeySubject { client, line }));
        (client, key)
    }

    /// A call now.
    pub(crate) fn row(&self, tenant: TenantId, endpoint: &str) -> RequestRow {
        let mut row = RequestRow::new(self.ambient.id(), self.ambient.now(), "GET", Arc::from(endpoint));
        (row.tenant, row.duration_us) = (Some(tenant), 1500);
        row
    }

    /// A call now with a key.
    pub(crate) fn call(&self, tenant: TenantId, by: (ClientId, KeyId), endpoint: &str) -> RequestRow {
        let mut row = self.row(tenant, endpoint);
        (row.client, row.key) = (Some(by.0), Some(by.1));
        row
    }

    pub(crate) async fn report(&self, whose: Whose, query: UsageQuery) -> UsageReport {
        self.usage.usage(&self.caller(), whose, query).await.unwrap()
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.store.engine() == store::Engine::Sqlite
    }

    pub(crate) fn hours(&self, hours: u64) {
        self.clock.advance(Duration::from_hours(hours));
    }
}
