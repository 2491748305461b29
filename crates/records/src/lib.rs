//! Records of the resource types that a blueprint declares: created, found, changed and deleted, with no routing of their own.
//!
//! * [`Records`] holds the resource types with their compiled schemas and is the home of the operations: one file each in `records/`.
//! * [`Record`], [`RecordRef`]: a record, and the three ways to name one.
//! * [`Query`]: filter, search, order, members and part of a list, as plain data; every front door's lists come from one.
//!
//! Tables: `records` (the documents), `record_fields` (the members that lists are filtered and sorted by), `record_uniques` (who holds a
//! value of a unique member), `record_indexes` (which declaration they were filled for); for the search (`search/mod.rs` says how)
//! `record_tail`, `record_places`, `record_grams`, `record_shelves`. Integer ids are counted in store's `counters`.
//!
//! Events: a change emits what the blueprint declares for it, in the transaction of the change (`changes.rs` says which).
//!
//! Who is told: a [`Watcher`], of every change in its transaction.
//!
//! Invariants: what is stored satisfies the schema that was in force when it was written; a record's rows in `record_fields` and
//! `record_uniques` are those of its document; a change and its events commit together.

mod authority;
mod backfill;
mod changes;
mod computed;
mod document;
mod expected;
mod fields;
mod forget;
mod guarded;
mod history;
mod metrics;
mod objections;
mod query;
mod records;
mod reindex;
mod resource_type;
mod search;
mod sparse;
mod states;
mod watcher;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use blueprint::Blueprint;
use blueprint::model::Guarded;
use events::Events;
use kernel::{Ambient, Error, RecordId, Result, TenantId, TenantScope};
use store::{Home, Migration, Store, Tx};

pub use authority::Touch;
pub use document::{MAX_BYTES, MAX_DEPTH};
pub use expected::Expected;
pub use fields::canonical;
pub use forget::{forget, purge_some};
pub use metrics::{MAX_RECORDS, Measurement, MetricQuery};
pub use objections::objections;
pub use query::{Filter, MAX_TERMS, MAX_VALUES, Op, Operand, Query, Sort, Term, unknown_operator};
pub use records::singletons::{RecordsLifecycle, TenantName};
pub use records::{
    Act, Children, Edge, Edges, Export, Item, ItemAct, ItemOutcome, MAX_BATCH, NewRecord, Record, RecordRef, Sent, Upserted,
};
pub use resource_type::ResourceType;
pub use watcher::Watcher;

/// What a list is asked for.
pub type ListQuery = Query;

/// This crate's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "records", version: 1, home: Home::State, sql: include_str!("../migrations/0001_records.sql") },
    Migration { feature: "records", version: 2, home: Home::State, sql: include_str!("../migrations/0002_search.sql") },
    Migration { feature: "records", version: 9, home: Home::State, sql: include_str!("../migrations/0009_points.sql") },
];

/// Holds a tenant until the transaction ends, so that nothing is made for one that is being deleted. Error: 404 for one that is gone.
pub type TenantHold = Arc<dyn Fn(&mut Tx<'_>, TenantId) -> Result<()> + Send + Sync>;

/// Most children, of all generations together, that go with one record in one transaction. More go before it, as many at a time.
const CASCADE: usize = 1000;

/// How often the search's index is looked after at least.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(10);

/// Records of every declared resource type. Each operation takes the authority that its caller obtained (`caller.allow(…)`,
/// `caller.allow_scope(…)`) and works on that tenant's records only.
#[derive(Clone)]
pub struct Records {
    store: Store,
    types: Arc<HashMap<String, Arc<ResourceType>>>,
    around: Arc<Surroundings>,
    /// What every record that is changed must be.
    expected: Expected,
    /// Most children that go with a record in one transaction.
    cascade: usize,
    /// Who changes records through this handle, where a feature says so.
    origin: Option<Arc<str>>,
}

/// What an operation needs inside of its transaction.
pub(crate) struct Surroundings {
    pub(crate) ambient: Ambient,
    pub(crate) events: Arc<Events>,
    /// Who works texts into the search's index is told of new ones here.
    pub(crate) tidings: search::Tidings,
    /// Every resource type, for those that belong to others.
    pub(crate) kinds: HashMap<String, Arc<ResourceType>>,
    /// Knows tenants' names, for the texts that singletons begin with.
    pub(crate) tenant_name: OnceLock<TenantName>,
    /// Is told of every change.
    pub(crate) watcher: OnceLock<Arc<dyn Watcher>>,
    /// Knows whether a tenant is there, for work that outlasts one transaction.
    pub(crate) tenant_hold: OnceLock<TenantHold>,
    last_id: Mutex<Option<RecordId>>,
}

impl Records {
    /// For the resource types of `blueprint`.
    ///
    /// Errors: internal, when a schema does not compile (a blueprint that was read has only schemas that do).
    pub fn new(store: Store, ambient: Ambient, blueprint: &Blueprint, events: Arc<Events>) -> Result<Arc<Self>> {
        let mut types = HashMap::new();
        for resource in &blueprint.resources {
            let kind = ResourceType::compile(resource, blueprint.style.naming)?.measured_by(&blueprint.metrics);
            types.insert(resource.name.clone(), Arc::new(kind));
        }
        let around = Surroundings {
            ambient,
            events,
            tidings: search::Tidings::default(),
            kinds: types.clone(),
            tenant_name: OnceLock::new(),
            watcher: OnceLock::new(),
            tenant_hold: OnceLock::new(),
            last_id: Mutex::new(None),
        };
        let (types, around) = (Arc::new(types), Arc::new(around));
        Ok(Arc::new(Self { store, types, around, expected: Expected::Anything, cascade: CASCADE, origin: None }))
    }

    /// Names the function that holds tenants. Without it, work in several transactions goes on whatever becomes of the tenant meanwhile.
    pub fn set_tenant_holds(&self, hold: TenantHold) {
        // Only the first counts: it is set once, at start.
        let _ = self.around.tenant_hold.set(hold);
    }

    /// Works texts into the search's index as they come, until the records are dropped. To be spawned once by a server.
    pub async fn keep_searchable(records: std::sync::Weak<Self>) {
        loop {
            let Some(alive) = records.upgrade() else { return };
            let (store, tidings) = (alive.store.clone(), alive.around.tidings.clone());
            drop(alive);
            if let Err(error) = search::drain(&store, false).await {
                tracing::warn!(?error, "texts could not be worked into the search's index; they are searched one by one");
            }
            // Now and then also without news: another node may have died with work half done.
            let _ = tokio::time::timeout(LOOK_EVERY, tidings.wait()).await;
        }
    }

    /// Works in every text that waits, also few and fresh ones; answers how many. For tests, and for tools that loaded much.
    pub async fn settle(&self) -> Result<u64> {
        search::drain(&self.store, true).await
    }

    /// The resource type of this (singular) name. Error: 404.
    pub fn resource_type(&self, name: &str) -> Result<&Arc<ResourceType>> {
        self.types.get(name).ok_or_else(|| Error::not_found("resource type"))
    }

    /// Every resource type.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.values()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The time, by the clock that records are stamped with.
    pub fn now(&self) -> kernel::Timestamp {
        self.around.ambient.now()
    }

    /// Whether the database answers. Errors: the store's.
    pub async fn check_alive(&self) -> Result<()> {
        self.store
            .read(kernel::Scope::system("health"), |tx| tx.query_one("SELECT CAST(1 AS BIGINT)", &[], |row| row.get::<i64>(0)))
            .await
            .map(drop)
    }

    /// The same with another bound on how many children go with a record in one transaction; it is at least 1. The usual one is 1,000.
    #[must_use]
    pub fn cascading(&self, most: usize) -> Self {
        Self { cascade: most.max(1), ..self.clone() }
    }

    /// What a writing operation carries into its transaction.
    fn task(&self, resource: &str, scope: &TenantScope) -> Result<Task> {
        let resource_type = Arc::clone(self.resource_type(resource)?);
        let barred = guarded::barred(&resource_type, scope);
        let (expected, around) = (self.expected.clone(), Arc::clone(&self.around));
        Ok(Task { tenant: scope.tenant(), resource_type, expected, barred, cascade: self.cascade, origin: self.origin.clone(), around })
    }
}

/// A writing operation on its way to the database thread: for whom, on what.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) tenant: kernel::TenantId,
    pub(crate) resource_type: Arc<ResourceType>,
    pub(crate) expected: Expected,
    /// What whoever asks may not set, for want of a scope.
    pub(crate) barred: Vec<Guarded>,
    /// Most children that go with a record in one transaction.
    pub(crate) cascade: usize,
    /// Who changes records, where a feature says so.
    pub(crate) origin: Option<Arc<str>>,
    pub(crate) around: Arc<Surroundings>,
}

impl Task {
    /// Error: 404 if the tenant is gone.
    pub(crate) fn hold_tenant(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.around.tenant_hold.get().map_or(Ok(()), |hold| hold(tx, self.tenant))
    }
}

impl Surroundings {
    /// A new id that sorts after every id that this process made in the same millisecond, so that "newest first" is the order of creation
    /// even for records of one burst (RFC 9562 §6.2, method 2).
    pub(crate) fn next_id(&self) -> RecordId {
        use kernel::id::TypedId as _;
        let fresh: RecordId = self.ambient.id();
        let mut last = self.last_id.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let millisecond = |id: RecordId| id.uuid().as_u128() >> 80;
        let id = match *last {
            Some(before) if millisecond(before) == millisecond(fresh) && fresh <= before => {
                RecordId::from_uuid(uuid::Uuid::from_u128(before.uuid().as_u128() + 1))
            }
            _ => fresh,
        };
        *last = Some(id);
        id
    }
}
