//! Many new records inside another feature's transaction, by few statements: what a synchronisation stores of a vendor's pages.

use std::collections::{HashMap, HashSet};

use blueprint::model::IdForm;
use kernel::{Error, RecordId, Result, TenantScope};
use serde_json::{Map, Value, json};
use store::Tx;

use super::{Record, create, parents, singletons, sql};
use crate::changes;
use crate::document;
use crate::metrics::points;
use crate::{Records, Task, computed, fields, search, states};

impl Records {
    /// Creates records in `tx`, as [`Records::create_in`] does, with a fate each: what breaks a rule is an error in its place and leaves nothing.
    /// One audit row stands for all. Types that belong to others, or keep a history, go one by one.
    ///
    /// Errors: 404 for an unknown resource type, 409 `singleton`; the statements' own.
    pub fn create_many_in(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        resource: &str,
        documents: Vec<Map<String, Value>>,
    ) -> Result<Vec<Result<Record>>> {
        let task = self.task(resource, scope)?.unbarred();
        singletons::refuse(&task.resource_type)?;
        let declared = task.resource_type.resource();
        if !declared.parents.is_empty() || !declared.history.is_empty() {
            return one_by_one(tx, &task, documents);
        }
        let mut outcomes: Vec<Result<Record>> = documents.into_iter().map(|document| prepared(tx, &task, document)).collect();
        refuse_taken(tx, &task, &mut outcomes)?;
        number(tx, &task, &mut outcomes)?;
        let made: Vec<&Record> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        if !made.is_empty() {
            store_all(tx, &task, &made)?;
        }
        Ok(outcomes)
    }
}

fn one_by_one(tx: &mut Tx<'_>, task: &Task, documents: Vec<Map<String, Value>>) -> Result<Vec<Result<Record>>> {
    let one = |tx: &mut Tx<'_>, document| {
        document::check_depth(&document)?;
        let made = create::insert(tx, task, document::complete(&task.resource_type, document), None)?;
        made.ok_or_else(|| Error::internal("a record without an external id has one that is taken"))
    };
    documents.into_iter().map(|document| tx.attempt(|tx| one(tx, document))).collect()
}

/// All that is decided of a record without looking at others.
fn prepared(tx: &mut Tx<'_>, task: &Task, document: Map<String, Value>) -> Result<Record> {
    let kind = &task.resource_type;
    document::check_depth(&document)?;
    let mut document = document::complete(kind, document);
    let now = tx.now();
    kind.stamp(&mut document, now, true);
    kind.stamp_values(&Map::new(), &mut document, now);
    computed::apply(kind, &mut document);
    let document = document::check(kind, document)?;
    states::begin(kind, &document)?;
    let id = task.around.next_id();
    Ok(Record { id, number: None, external_id: None, document, revision: 1, created_at: now, updated_at: now })
}

/// Of records that would hold the same unique value, the first may; none may that would take another record's.
fn refuse_taken(tx: &mut Tx<'_>, task: &Task, outcomes: &mut [Result<Record>]) -> Result<()> {
    let kind = &task.resource_type;
    for member in &kind.resource().unique {
        let form = |outcome: &Result<Record>| outcome.as_ref().ok().and_then(|record| fields::canonical(record.document.get(member)?));
        let wanted: Vec<String> = outcomes.iter().filter_map(form).collect();
        let holders: HashMap<String, RecordId> = fields::holders(tx, task.tenant, kind.name(), member, &wanted)?.into_iter().collect();
        let mut seen = HashSet::new();
        for outcome in outcomes.iter_mut() {
            let Some(value) = form(outcome) else { continue };
            if holders.contains_key(&value) || !seen.insert(value) {
                *outcome = Err(fields::not_unique(kind, member));
            }
        }
    }
    Ok(())
}

/// Numbers those that are named by integers, in their order.
fn number(tx: &mut Tx<'_>, task: &Task, outcomes: &mut [Result<Record>]) -> Result<()> {
    if task.resource_type.resource().id_form != IdForm::Integer {
        return Ok(());
    }
    for record in outcomes.iter_mut().filter_map(|outcome| outcome.as_mut().ok()) {
        record.number = Some(sql::next_number(tx, task.resource_type.name())?);
    }
    Ok(())
}

fn store_all(tx: &mut Tx<'_>, task: &Task, made: &[&Record]) -> Result<()> {
    let kind = &task.resource_type;
    sql::insert_many(tx, task, made)?;
    fields::write_many(tx, task.tenant, kind, made)?;
    if !kind.measured().is_empty() {
        made.iter().try_for_each(|record| points::write(tx, task.tenant, kind.measured(), None, record))?;
    }
    search::remember_many(tx, task.tenant, kind, made, &task.around.tidings)?;
    let ids: Vec<RecordId> = made.iter().map(|record| record.id).collect();
    tx.audit_with("record.create_many", kind.name(), &json!({ "resource": kind.name(), "count": ids.len(), "ids": ids }))?;
    let now = tx.now();
    changes::emit_created(tx, task, made, now)?;
    task.tell(tx, &ids, false)
}

impl Records {
    /// Deletes a record in `tx`, as [`Records::delete`] does.
    ///
    /// Errors: 404, 409 `has_children`, 409 `singleton`.
    pub fn delete_in(&self, tx: &mut Tx<'_>, scope: &TenantScope, resource: &str, id: RecordId) -> Result<()> {
        let task = self.task(resource, scope)?.unbarred();
        singletons::refuse(&task.resource_type)?;
        let record = super::locked(tx, &task, &super::RecordRef::Id(id))?;
        parents::before_delete(tx, &task, &record)?;
        super::delete::remove(tx, &task, &record)
    }
}
