//! Records of the resource types that a blueprint declares: created, found, changed and deleted, with no routing of their own.
//!
//! * [`Records`] holds the resource types with their compiled schemas and is the home of the operations: one file each in `records/`.
//! * [`Record`], [`RecordRef`]: a record, and the three ways to name one.
//! * [`ListQuery`]: filters, search, order and page of a list.
//!
//! Tables: `records` (the documents), `record_fields` (the members that lists are filtered and sorted by), `record_uniques` (who holds a
//! value of a unique member), `record_indexes` (which declaration they were filled for). Integer ids are counted in store's `counters`.
//!
//! Events: a change emits what the blueprint declares for it, in the transaction of the change (`changes.rs` says which).
//!
//! Invariants: what is stored satisfies the schema that was in force when it was written; a record's rows in `record_fields` and
//! `record_uniques` are those of its document; a change and its events commit together.

mod changes;
mod document;
mod fields;
mod forget;
mod records;
mod reindex;
mod resource_type;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use blueprint::Blueprint;
use events::Events;
use kernel::{Ambient, Error, RecordId, Result, TenantScope};
use store::{Home, Migration, Store};

pub use document::{MAX_BYTES, MAX_DEPTH};
pub use forget::{forget, purge_some};
pub use records::{ListQuery, NewRecord, Record, RecordRef, Sort, Upserted};
pub use resource_type::ResourceType;

/// This crate's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "records", version: 1, home: Home::State, sql: include_str!("../migrations/0001_records.sql") }];

/// Records of every declared resource type. Each operation takes the authority that its caller obtained (`caller.allow(…)`,
/// `caller.allow_scope(…)`) and works on that tenant's records only.
pub struct Records {
    store: Store,
    types: HashMap<String, Arc<ResourceType>>,
    around: Arc<Surroundings>,
}

/// What an operation needs inside of its transaction.
pub(crate) struct Surroundings {
    pub(crate) ambient: Ambient,
    pub(crate) events: Arc<Events>,
    last_id: Mutex<Option<RecordId>>,
}

impl Records {
    /// For the resource types of `blueprint`.
    ///
    /// Errors: internal, when a schema does not compile (a blueprint that was read has only schemas that do).
    pub fn new(store: Store, ambient: Ambient, blueprint: &Blueprint, events: Arc<Events>) -> Result<Arc<Self>> {
        let mut types = HashMap::new();
        for resource in &blueprint.resources {
            types.insert(resource.name.clone(), Arc::new(ResourceType::compile(resource, blueprint.style.naming)?));
        }
        Ok(Arc::new(Self { store, types, around: Arc::new(Surroundings { ambient, events, last_id: Mutex::new(None) }) }))
    }

    /// The resource type of this (singular) name. Error: 404.
    pub fn resource_type(&self, name: &str) -> Result<&Arc<ResourceType>> {
        self.types.get(name).ok_or_else(|| Error::not_found("resource type"))
    }

    /// What a writing operation carries into its transaction.
    fn task(&self, resource: &str, scope: &TenantScope) -> Result<Task> {
        let resource_type = Arc::clone(self.resource_type(resource)?);
        Ok(Task { tenant: scope.tenant(), resource_type, around: Arc::clone(&self.around) })
    }
}

/// A writing operation on its way to the database thread: for whom, on what.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) tenant: kernel::TenantId,
    pub(crate) resource_type: Arc<ResourceType>,
    pub(crate) around: Arc<Surroundings>,
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
