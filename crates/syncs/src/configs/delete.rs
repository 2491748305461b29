//! `sync_configs.delete`: the records of both sides stay.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, SyncConfigId, TenantId};
use store::Tx;

use super::sql;
use crate::{Syncs, TOPIC_CONFIGS};

impl Syncs {
    /// Deletes a sync with its links, runs and conflicts. Whoever runs it changes nothing more.
    ///
    /// Errors: 403 `insufficient_scope`; 404.
    pub async fn delete_config(self: &Arc<Self>, caller: &Caller, id: SyncConfigId) -> Result<()> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let tenant = scope.tenant();
        let row = self.store.read(&scope, move |tx| sql::get(tx, tenant, id)).await?;
        self.store
            .answer(scope, move |tx| {
                let row = sql::get(tx, tenant, id)?;
                remove(tx, tenant, id)?;
                tx.audit_change("sync_config.delete", id, &row.config, &())?;
                tx.notify(TOPIC_CONFIGS, id);
                Ok(())
            })
            .await?;
        let syncs = Arc::clone(self);
        tokio::spawn(async move { syncs.unwatch(&row).await });
        Ok(())
    }
}

/// A sync and what belongs to it. Its own row goes first, as every step of a runner begins there: whoever took them the other way round would
/// wait for a runner that waits for it. The log goes before the runs, by which it is found.
pub(super) fn remove(tx: &mut Tx<'_>, tenant: TenantId, id: SyncConfigId) -> Result<()> {
    for sql in [
        "DELETE FROM sync_configs WHERE tenant_id = ?1 AND id = ?2",
        "DELETE FROM sync_log WHERE tenant_id = ?1 AND run_id IN (SELECT id FROM sync_runs WHERE tenant_id = ?1 AND sync_id = ?2)",
        "DELETE FROM sync_runs WHERE tenant_id = ?1 AND sync_id = ?2",
        "DELETE FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2",
        "DELETE FROM sync_dirty WHERE tenant_id = ?1 AND sync_id = ?2",
        "DELETE FROM sync_hints WHERE tenant_id = ?1 AND sync_id = ?2",
        "DELETE FROM sync_intents WHERE tenant_id = ?1 AND sync_id = ?2",
        "DELETE FROM sync_conflicts WHERE tenant_id = ?1 AND sync_id = ?2",
    ] {
        tx.exec(sql, &[tenant.into(), id.into()])?;
    }
    Ok(())
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
) -> web::Result<web::NoContent> {
    syncs.delete_config(&caller, id).await?;
    Ok(web::NoContent)
}
