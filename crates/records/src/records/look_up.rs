//! Records for a feature that works through many of them in its own transactions.

use std::collections::HashMap;

use kernel::{RecordId, Result, TenantScope, Timestamp};
use serde_json::Value;
use store::Tx;

use super::{Record, sql};
use crate::{Records, fields};

impl Records {
    /// Those of these records that are there. `locked`: their rows are locked until the transaction ends, in the order of their
    /// ids, so that what is decided by them holds when it is written.
    ///
    /// Errors: 404 for an unknown resource type.
    pub fn many_in(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        resource: &str,
        ids: &[RecordId],
        locked: bool,
    ) -> Result<HashMap<RecordId, Record>> {
        let name = self.resource_type(resource)?.name().to_owned();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut out = HashMap::with_capacity(ids.len());
        for part in ids.chunks(sql::MOST_IDS) {
            let read = if locked { sql::lock_many } else { sql::find_many };
            out.extend(read(tx, scope.tenant(), &name, part)?);
        }
        Ok(out)
    }

    /// The next records in the order of their creation, after this place.
    ///
    /// Errors: 404 for an unknown resource type.
    pub fn walk_in(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        resource: &str,
        after: Option<(Timestamp, RecordId)>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        let name = self.resource_type(resource)?.name().to_owned();
        sql::page_after(tx, scope.tenant(), &name, after, limit)
    }

    /// Whether records can be found by a member without reading all of them: it is unique, or lists are filtered or sorted by it.
    ///
    /// Errors: 404 for an unknown resource type.
    pub fn is_findable(&self, resource: &str, member: &str) -> Result<bool> {
        let kind = self.resource_type(resource)?;
        Ok(kind.resource().unique.iter().any(|name| name == member) || kind.indexed().iter().any(|(name, _)| name == member))
    }

    /// Which records have these values in a member: pairs of a value's form ([`crate::canonical`]) and a record, the oldest record first. A
    /// member that is not findable has none.
    ///
    /// Errors: 404 for an unknown resource type.
    pub fn by_values_in(
        &self,
        tx: &mut Tx<'_>,
        scope: &TenantScope,
        resource: &str,
        member: &str,
        values: &[Value],
    ) -> Result<Vec<(String, RecordId)>> {
        let kind = self.resource_type(resource)?;
        let forms: Vec<String> = values.iter().filter_map(fields::canonical).collect();
        if kind.resource().unique.iter().any(|name| name == member) {
            return fields::holders(tx, scope.tenant(), kind.name(), member, &forms);
        }
        fields::having(tx, scope.tenant(), kind.name(), member, &forms)
    }
}
