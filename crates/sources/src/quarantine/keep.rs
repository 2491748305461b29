//! Keeping a refused call.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{CallId, Result, TenantScope};
use store::Tx;

use super::{KEPT_FOR, MAX_KEPT_BODY, Row, mask, sql};
use crate::Sources;
use crate::cache::Loaded;
use crate::calls::Call;
use crate::providers::Refusal;

impl Sources {
    /// Keeps a call that was refused, and tells about it, in one transaction.
    pub(crate) async fn quarantine(self: &Arc<Self>, source: Arc<Loaded>, call: Call, reason: Refusal, remote: IpAddr) -> Result<()> {
        let kept = mask::body(source.provider, &call.body);
        // What was masked out of a whole body was not cut off.
        let body_bytes = if kept.len() <= MAX_KEPT_BODY { kept.len() } else { call.body.len() };
        let row = Row {
            id: self.ambient.id::<CallId>(),
            source: source.id,
            received_at: self.ambient.now(),
            reason,
            method: call.method.as_str().to_owned(),
            query: call.query.as_deref().map(mask::query),
            headers: mask::headers(&call.headers, &source.settings),
            body: kept[..kept.len().min(MAX_KEPT_BODY)].to_vec(),
            body_bytes: body_bytes as u64,
            remote: Some(remote.to_string()).filter(|_| !remote.is_unspecified()),
        };
        let sources = Arc::clone(self);
        let scope = TenantScope::system("sources", source.tenant);
        self.store.write(scope, move |tx| sources.keep(tx, &source, &row)).await
    }

    fn keep(&self, tx: &mut Tx<'_>, source: &Loaded, row: &Row) -> Result<()> {
        if !crate::sources::sql::is_enabled(tx, source.tenant, source.id)? {
            return Ok(());
        }
        sql::insert(tx, source.tenant, row)?;
        sql::trim(tx, source.tenant, source.id, row.received_at.minus(KEPT_FOR))?;
        self.announce(tx, source, row.id, row.reason)
    }
}
