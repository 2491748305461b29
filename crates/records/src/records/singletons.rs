//! Resource types of which each tenant has exactly one record, from its beginning.

use std::sync::Arc;

use kernel::{Error, Result, TenantId, TenantScope};
use serde_json::{Map, Value};
use store::{Lifecycle, Tx};

use super::create::insert;
use super::{Record, RecordRef, sql};
use crate::resource_type::ResourceType;
use crate::{Records, Task, document};

/// The external id of every such record: two cannot have the same, so there is one.
pub(crate) const ONLY: &str = "singleton";

/// What a tenant is called, for the texts that a record begins with.
pub type TenantName = Arc<dyn Fn(&mut Tx<'_>, TenantId) -> Result<String> + Send + Sync>;

impl Records {
    /// Names the function that knows tenants' names. Without it, texts with `{tenant.name}` stay as they are.
    pub fn set_tenant_names(&self, names: TenantName) {
        // Only the first counts: it is set once, at start.
        let _ = self.around.tenant_name.set(names);
    }

    /// The tenant's only record of `resource`; it is made now if it is not there yet (the tenant is older than the declaration).
    ///
    /// Errors: 404 for a resource type that is unknown or no singleton.
    pub async fn only(&self, scope: &TenantScope, resource: &str) -> Result<Record> {
        let task = self.task(resource, scope)?;
        if !task.resource_type.resource().singleton {
            return Err(Error::not_found(resource));
        }
        let (tenant, name) = (task.tenant, resource.to_owned());
        let present = self.store.read(scope, move |tx| sql::find(tx, tenant, &name, &reference())).await?;
        match present {
            Some(record) => Ok(record),
            None => self.store.write(scope, move |tx| begin(tx, &task, task.around.tenant_name.get())).await,
        }
    }

    /// How a singleton's record is named.
    pub fn only_ref() -> RecordRef {
        reference()
    }
}

fn reference() -> RecordRef {
    RecordRef::External(ONLY.to_owned())
}

/// The only record, made now, if that is what is looked for.
pub(crate) fn missing(tx: &mut Tx<'_>, task: &Task, asked: &RecordRef) -> Result<Option<Record>> {
    if !task.resource_type.resource().singleton || *asked != reference() {
        return Ok(None);
    }
    begin(tx, task, task.around.tenant_name.get()).map(Some)
}

/// Makes the only record, or finds the one that somebody else made at the same time.
fn begin(tx: &mut Tx<'_>, task: &Task, names: Option<&TenantName>) -> Result<Record> {
    let name = match names {
        Some(names) => Some(names(tx, task.tenant)?),
        None => None,
    };
    make(tx, task, name.as_deref())
}

fn make(tx: &mut Tx<'_>, task: &Task, name: Option<&str>) -> Result<Record> {
    let document = first(&task.resource_type, name);
    // What it begins with is the blueprint's choice, whoever comes first.
    let task = &task.clone().unbarred();
    if let Some(record) = insert(tx, task, document, Some(ONLY.to_owned()))? {
        return Ok(record);
    }
    sql::find(tx, task.tenant, task.resource_type.name(), &reference())?.ok_or_else(|| Error::not_found(task.resource_type.name()))
}

/// The members at first.
fn first(kind: &ResourceType, tenant: Option<&str>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in &kind.resource().initial {
        let value = match (value.as_str(), tenant) {
            (Some(text), Some(tenant)) => Value::String(text.replace("{tenant.name}", tenant)),
            _ => value.clone(),
        };
        members.insert(name.clone(), value);
    }
    document::complete(kind, members)
}

/// A singleton is neither made nor taken away by callers. Error: 409 `singleton`.
pub(crate) fn refuse(kind: &ResourceType) -> Result<()> {
    if !kind.resource().singleton {
        return Ok(());
    }
    let detail = format!("Every tenant has exactly one {}: it can be read and changed, not made or deleted.", kind.name());
    Err(Error::conflict("singleton", detail))
}

/// Makes the singletons of a new tenant in the transaction that makes the tenant.
pub struct RecordsLifecycle(pub Arc<Records>);

impl Lifecycle for RecordsLifecycle {
    fn tenant_created(&self, tx: &mut Tx<'_>, tenant: TenantId, name: &str) -> Result<()> {
        let scope = TenantScope::system("records", tenant);
        for kind in self.0.types.values().filter(|kind| kind.resource().singleton) {
            let task = self.0.task(kind.name(), &scope)?;
            make(tx, &task, Some(name))?;
        }
        Ok(())
    }
}
