//! A blueprint may declare other filters, orders, searches or unique members than the last time the server ran: then the index tables are
//! filled anew, so that a list never misses a record that was made before.

use std::sync::Arc;

use kernel::{Error, RecordId, Result, Scope, TenantId, Timestamp};
use serde_json::json;
use store::Tx;

use crate::records::rows_since;
use crate::resource_type::ResourceType;
use crate::{Records, backfill, fields, search};

/// Records in one transaction.
const BATCH: u32 = 200;
/// Counts up when what is kept for a declaration takes another form.
const FORM: u32 = 2;

impl Records {
    /// Brings the index tables to what the blueprint declares. To be called at start, before anything is served; a second run does nothing.
    /// Answers how many records were indexed. If it is interrupted, the next start begins again.
    ///
    /// Error: 409 `not_unique`, when a member was declared unique whose values are not.
    pub async fn prepare(&self) -> Result<u64> {
        let mut done = 0;
        for kind in self.types.values() {
            done += self.reindex(kind).await?;
        }
        self.prepare_metrics().await?;
        Ok(done)
    }

    /// Indexes once more what was written at `since` or later: servers that had not heard of the present declaration wrote it without its new
    /// members. To be called when the last of them is gone. Answers how many records that were.
    ///
    /// Errors: 404 for an unknown resource type; 409 `not_unique`.
    pub async fn catch_up(&self, resource: &str, since: Timestamp) -> Result<u64> {
        let kind = self.resource_type(resource)?;
        let (mut done, mut last) = (0, None);
        loop {
            let (kind, from) = (Arc::clone(kind), last);
            let (count, next) = self.store.write(Scope::system("records"), move |tx| batch(tx, &kind, Some(since), from)).await?;
            done += count;
            search::drain(&self.store, false).await?;
            if next.is_none() {
                return Ok(done);
            }
            last = next;
        }
    }

    async fn reindex(&self, kind: &Arc<ResourceType>) -> Result<u64> {
        let resource = kind.resource();
        let declared = json!([FORM, kind.indexed(), resource.unique, resource.search, backfill::required_defaults(kind)]).to_string();
        let name = resource.name.clone();
        let known = self.store.read(Scope::system("records"), move |tx| {
            tx.query_opt("SELECT members FROM record_indexes WHERE resource = ?1", &[name.into()], |row| row.get::<String>(0))
        });
        if known.await?.as_ref() == Some(&declared) {
            return Ok(0);
        }
        let mut done = 0;
        let mut last = None;
        loop {
            let (kind, from) = (Arc::clone(kind), last);
            let (count, next) = self.store.write(Scope::system("records"), move |tx| batch(tx, &kind, None, from)).await?;
            done += count;
            // What is put aside to be searched does not pile up.
            search::drain(&self.store, false).await?;
            if next.is_none() {
                break;
            }
            last = next;
        }
        let name = resource.name.clone();
        let sql = "INSERT INTO record_indexes (resource, members) VALUES (?1, ?2) ON CONFLICT (resource) DO UPDATE SET members = excluded.members";
        self.store.write(Scope::system("records"), move |tx| tx.exec(sql, &[name.into(), declared.into()])).await?;
        Ok(done)
    }
}

/// The record that a walk has come to.
type Walked = (TenantId, RecordId);

/// Indexes the records after `last` (that were written at `since` or later); answers how many, and the last of them if there may be more.
fn batch(tx: &mut Tx<'_>, kind: &ResourceType, since: Option<Timestamp>, last: Option<Walked>) -> Result<(u64, Option<Walked>)> {
    let mut rows = rows_since(tx, kind.name(), since, last, BATCH)?;
    let defaults = backfill::required_defaults(kind);
    for (tenant, record) in &mut rows {
        backfill::fill(tx, *tenant, &defaults, record)?;
        fields::remove(tx, *tenant, record.id)?;
        fields::write(tx, *tenant, kind, None, record).map_err(|error| {
            let detail = format!("The blueprint's unique members of {} are not unique: {}", kind.name(), error.detail());
            if error.code() == "not_unique" { Error::conflict("not_unique", detail) } else { error }
        })?;
        let text = search::text_of(kind, &record.document);
        search::put(tx, *tenant, kind.name(), record, &text)?;
        let sql = "UPDATE records SET search_text = ?3 WHERE tenant_id = ?1 AND id = ?2";
        tx.exec(sql, &[(*tenant).into(), record.id.into(), text.into()])?;
    }
    let full = rows.len() == BATCH as usize;
    let next = rows.last().filter(|_| full).map(|(tenant, record)| (*tenant, record.id));
    Ok((rows.len() as u64, next))
}
