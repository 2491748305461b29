//! What stored records have against a changed blueprint.
//!
//! Nothing is looked at that the change does not concern; what it concerns is read whole, a batch at a time: it happens at start or at a reload,
//! before anything is served.

use std::collections::HashSet;

use blueprint::model::{IdForm, Naming, Resource};
use blueprint::{Blueprint, Reliance, compare_schemas};
use kernel::{RecordId, Result, TenantId};
use products::Objection;
use serde_json::Value;
use store::Tx;

use crate::records::{Record, rows_after};
use crate::resource_type::ResourceType;
use crate::{document, fields};

/// Records that are read in one go.
const BATCH: u32 = 500;

/// Resource types with records that are gone or name them differently; members that are narrowed, required or unique now while records say
/// otherwise.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let mut out = Vec::new();
    for was in &old.resources {
        match new.resource(&was.name) {
            None => out.extend(gone(tx, &was.name)?),
            Some(now) => out.extend(changed(tx, was, now, new.style.naming)?),
        }
    }
    Ok(out)
}

fn count(tx: &mut Tx<'_>, resource: &str) -> Result<u64> {
    tx.query_one("SELECT COUNT(*) FROM records WHERE resource = ?1", &[resource.into()], |row| row.get(0))
}

fn gone(tx: &mut Tx<'_>, name: &str) -> Result<Option<Objection>> {
    let records = count(tx, name)?;
    Ok((records > 0).then(|| Objection {
        code: "resource_in_use",
        place: format!("resources[{name:?}]"),
        reason: format!("the resource type is gone, and there {} of it", counted(records)),
        way_out: format!("export and delete them first (/api/v1/records/{name}), or leave the resource type in the file without endpoints"),
    }))
}

fn changed(tx: &mut Tx<'_>, was: &Resource, now: &Resource, naming: Naming) -> Result<Vec<Objection>> {
    let mut out = Vec::new();
    let place = format!("resources[{:?}]", was.name);
    if was.id_form != now.id_form && now.id_form == IdForm::Integer {
        let records = count(tx, &was.name)?;
        if records > 0 {
            out.push(Objection {
                code: "records_without_number",
                place: format!("{place}.id_form"),
                reason: format!("records are to be named by numbers, and there {} without one", counted(records)),
                way_out: "leave id_form as it was, or declare a new resource type and import them there".to_owned(),
            });
        }
    }
    let narrowed = !compare_schemas(&was.schema, &now.schema, Reliance::Writer, "").is_empty();
    let unique: Vec<&String> = now.unique.iter().filter(|member| !was.unique.contains(member)).collect();
    if narrowed || !unique.is_empty() {
        let mut look = Look { kind: ResourceType::compile(now, naming)?, narrowed, unique: Vec::new(), broken: 0, first: None };
        look.unique =
            unique.into_iter().map(|member| Unique { member: member.clone(), seen: HashSet::new(), twice: 0, first: None }).collect();
        let mut last = None;
        while let Some(next) = look.batch(tx, last)? {
            last = Some(next);
        }
        out.extend(look.objections(&place));
    }
    Ok(out)
}

/// What is found out about a resource type's records.
struct Look {
    kind: ResourceType,
    narrowed: bool,
    unique: Vec<Unique>,
    /// Records that break the new schema.
    broken: u64,
    /// The first of them, and how.
    first: Option<(RecordId, String)>,
}

/// A member whose values are to be unique.
struct Unique {
    member: String,
    /// Hashes of tenant and value: a million take some dozen megabytes.
    seen: HashSet<u128>,
    twice: u64,
    first: Option<RecordId>,
}

impl Look {
    /// Looks at the records after `last`; the last of them, if there may be more.
    fn batch(&mut self, tx: &mut Tx<'_>, last: Option<(TenantId, RecordId)>) -> Result<Option<(TenantId, RecordId)>> {
        let rows = rows_after(tx, self.kind.name(), last, BATCH)?;
        let more = (rows.len() == BATCH as usize).then(|| rows.last().map(|(tenant, record)| (*tenant, record.id))).flatten();
        for (tenant, record) in rows {
            self.unique.iter_mut().for_each(|unique| unique.look(tenant, &record));
            if self.narrowed {
                self.judge(record);
            }
        }
        Ok(more)
    }

    /// A default is filled in where a member is missing, as [`crate::Records::prepare`] will.
    fn judge(&mut self, record: Record) {
        let document = document::complete(&self.kind, record.document);
        let faults = self.kind.check(&Value::Object(document));
        let Some(fault) = faults.first() else { return };
        self.broken += 1;
        let says = || (record.id, format!("{} {}", if fault.pointer.is_empty() { "the record" } else { &fault.pointer }, fault.detail));
        self.first.get_or_insert_with(says);
    }

    fn objections(self, place: &str) -> Vec<Objection> {
        let name = self.kind.name();
        let mut out = Vec::new();
        if let Some((id, fault)) = self.first {
            out.push(Objection {
                code: "records_break_schema",
                place: format!("{place}.schema"),
                reason: format!("{} the new schema, {id} first: {fault}", if self.broken == 1 { "1 record breaks".to_owned() } else { format!("{} records break", self.broken) }),
                way_out: format!("change those records first (PATCH /api/v1/records/{name}/{{id}}), give a new required member a default, or leave the schema as wide as it was"),
            });
        }
        out.extend(self.unique.into_iter().filter_map(|unique| {
            let id = unique.first?;
            Some(Objection {
                code: "values_not_unique",
                place: format!("{place}.unique"),
                reason: format!(
                    "{} is to be unique, and {} a value that another has, {id} first",
                    unique.member,
                    if unique.twice == 1 { "1 record has".to_owned() } else { format!("{} records have", unique.twice) }
                ),
                way_out: format!("change those values first (PATCH /api/v1/records/{name}/{{id}}), or leave the member out of unique"),
            })
        }));
        out
    }
}

impl Unique {
    fn look(&mut self, tenant: TenantId, record: &Record) {
        let Some(value) = record.document.get(&self.member).and_then(fields::canonical) else { return };
        let hash = blake3::hash(format!("{tenant} {value}").as_bytes());
        let half: [u8; 16] = std::array::from_fn(|i| hash.as_bytes()[i]);
        if !self.seen.insert(u128::from_le_bytes(half)) {
            self.twice += 1;
            self.first.get_or_insert(record.id);
        }
    }
}

fn counted(records: u64) -> String {
    if records == 1 { "is 1 record".to_owned() } else { format!("are {records} records") }
}
