//! Records that belong to others: what a member names must be there, and what becomes of children when their parent goes.

use blueprint::model::{OnDelete, Parent};
use kernel::{Error, RecordId, Result};
use serde_json::{Map, Value};
use store::Tx;

use super::delete::remove;
use super::{Record, RecordRef, sql};
use crate::document::pointer;
use crate::resource_type::ResourceType;
use crate::{Task, fields};

/// Every member that names a parent and changed names one of this tenant, and holds its id in the one form that it has.
///
/// Error: 422 `validation_failed`, also for another tenant's record.
pub(crate) fn settle(tx: &mut Tx<'_>, task: &Task, before: Option<&Map<String, Value>>, document: &mut Map<String, Value>) -> Result<()> {
    for parent in &task.resource_type.resource().parents {
        let Some(value) = document.get(&parent.field).filter(|value| !value.is_null()) else { continue };
        if before.and_then(|before| before.get(&parent.field)) == Some(value) {
            continue;
        }
        let id = found(tx, task, parent, value)?;
        document.insert(parent.field.clone(), id);
    }
    Ok(())
}

fn found(tx: &mut Tx<'_>, task: &Task, parent: &Parent, value: &Value) -> Result<Value> {
    let missing =
        || Error::field(pointer(&parent.field), format!("must name {}; there is no such one", blueprint::with_article(&parent.resource)));
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let reference: RecordRef = text.parse().map_err(|_| missing())?;
    let kind = task.around.kinds.get(&parent.resource).ok_or_else(missing)?;
    let record = sql::find(tx, task.tenant, &parent.resource, &reference)?.ok_or_else(missing)?;
    Ok(kind.id_value(&record))
}

/// Before a record goes: its children keep it, or go with it, or stay without it.
///
/// Error: 409 `has_children`.
pub(crate) fn before_delete(tx: &mut Tx<'_>, task: &Task, record: &Record) -> Result<()> {
    let mut left = task.cascade;
    descend(tx, task, record, &mut left)
}

/// Whether children go with records of this type, and none that could keep one from going: then they may go before it, in steps.
pub(super) fn goes_in_steps(task: &Task) -> bool {
    let mut above = vec![task.resource_type.name().to_owned()];
    let (mut at, mut cascades) = (0, false);
    while let Some(name) = above.get(at).cloned() {
        for kind in task.around.kinds.values() {
            for parent in kind.resource().parents.iter().filter(|parent| parent.resource == name) {
                match parent.on_delete {
                    OnDelete::Keep => {}
                    OnDelete::Refuse => return false,
                    OnDelete::Cascade => {
                        cascades = true;
                        if !above.iter().any(|known| known == kind.name()) {
                            above.push(kind.name().to_owned());
                        }
                    }
                }
            }
        }
        at += 1;
    }
    cascades
}

/// Those that go with a record and are no child's children: by type.
fn followers<'a>(task: &'a Task, own: &'a str) -> impl Iterator<Item = (&'a std::sync::Arc<ResourceType>, &'a Parent)> {
    let of = move |kind: &'a std::sync::Arc<ResourceType>| {
        let parents = kind.resource().parents.iter();
        parents.filter(move |parent| parent.resource == own && parent.on_delete == OnDelete::Cascade).map(move |parent| (kind, parent))
    };
    task.around.kinds.values().flat_map(of)
}

/// How many records go with this one; no more than `most` are counted.
pub(super) fn weight(tx: &mut Tx<'_>, task: &Task, record: &Record, most: usize) -> Result<usize> {
    let id = task.resource_type.id_value(record);
    let mut weight = 0;
    for (kind, parent) in followers(task, task.resource_type.name()) {
        let below = Task { resource_type: std::sync::Arc::clone(kind), ..task.clone() };
        let deeper = followers(&below, kind.name()).next().is_some();
        for child in children(tx, task, kind, parent, &id, most - weight)? {
            weight += 1;
            if deeper
                && weight < most
                && let Some(child) = sql::find(tx, task.tenant, kind.name(), &RecordRef::Id(child))?
            {
                weight += self::weight(tx, &below, &child, most - weight)?;
            }
            if weight >= most {
                return Ok(most);
            }
        }
    }
    Ok(weight)
}

/// Takes at most `left` of those that go with a record, the youngest generation first: whoever is left still has its parent.
pub(super) fn thin(tx: &mut Tx<'_>, task: &Task, record: &Record, left: &mut usize) -> Result<()> {
    let id = task.resource_type.id_value(record);
    for (kind, parent) in followers(task, task.resource_type.name()) {
        let below = Task { resource_type: std::sync::Arc::clone(kind), ..task.clone() };
        for child in children(tx, task, kind, parent, &id, *left)? {
            let Some(child) = sql::lock(tx, &below, child)? else { continue };
            thin(tx, &below, &child, left)?;
            if *left == 0 {
                return Ok(());
            }
            remove(tx, &below, &child)?;
            *left -= 1;
        }
    }
    Ok(())
}

/// The generations are bounded: parents of parents never lead back.
fn descend(tx: &mut Tx<'_>, task: &Task, record: &Record, left: &mut usize) -> Result<()> {
    let own = task.resource_type.name();
    let id = task.resource_type.id_value(record);
    for kind in task.around.kinds.values() {
        for parent in kind.resource().parents.iter().filter(|parent| parent.resource == own) {
            let most = match parent.on_delete {
                OnDelete::Keep => continue,
                OnDelete::Refuse => 1,
                OnDelete::Cascade => *left + 1,
            };
            let children = children(tx, task, kind, parent, &id, most)?;
            if children.is_empty() {
                continue;
            }
            if parent.on_delete == OnDelete::Refuse || children.len() > *left {
                let many = (children.len() > *left).then_some(task.cascade);
                return Err(kept(own, &kind.resource().plural, many));
            }
            *left -= children.len();
            let below = Task { resource_type: std::sync::Arc::clone(kind), ..task.clone() };
            for child in children {
                if let Some(child) = sql::lock(tx, &below, child)? {
                    descend(tx, &below, &child, left)?;
                    remove(tx, &below, &child)?;
                }
            }
        }
    }
    Ok(())
}

/// `many`: what one transaction takes, if it is more than that.
fn kept(own: &str, children: &str, many: Option<usize>) -> Error {
    let detail = if let Some(most) = many {
        format!(
            "More than {most} records would go with this {own}: too many for one transaction. Delete it by a request of its own, \
             which takes them in steps, or delete its {children} first."
        )
    } else {
        format!("This {own} still has {children}. Delete or move them first.")
    };
    Error::conflict("has_children", detail)
}

/// At most `most` of the records that name this parent. The member is a filter, so it has its row in `record_fields`.
fn children(tx: &mut Tx<'_>, task: &Task, kind: &ResourceType, parent: &Parent, id: &Value, most: usize) -> Result<Vec<RecordId>> {
    let Some(value) = fields::canonical(id) else { return Ok(Vec::new()) };
    tx.query(
        "SELECT record_id FROM record_fields WHERE tenant_id = ?1 AND resource = ?2 AND field = ?3 AND value = ?4 LIMIT ?5",
        &[
            task.tenant.into(),
            kind.name().into(),
            parent.field.as_str().into(),
            value.into(),
            i64::try_from(most).unwrap_or(i64::MAX).into(),
        ],
        |row| row.get(0),
    )
}
