//! `sync_configs.update` (PATCH).

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use kernel::{Caller, Permission, Result, SyncConfigId};

use super::{SyncConfig, SyncConfigPatch, object_of, sql};
use crate::engine::end_realtime;
use crate::ledger::Of;
use crate::{Syncs, TOPIC_CONFIGS, runs};

impl Syncs {
    /// Changes a sync; its next time is reckoned from now. With another mapping, filter or direction the next run compares everything. One that is switched off,
    /// or is realtime no more, ends its realtime run, and the vendor is asked to call no more.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 422 as for a new one.
    pub async fn update_config(self: &Arc<Self>, caller: &Caller, id: SyncConfigId, patch: SyncConfigPatch) -> Result<SyncConfig> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let tenant = scope.tenant();
        let present = self.store.read(&scope, move |tx| sql::get(tx, tenant, id)).await?.config;
        let connector = self.accounts.connector(&scope, present.integration_id).await?;
        let unique = object_of(connector.about(), Some(&present.object))?.unique_field;
        let syncs = Arc::clone(self);
        let unwatched = Arc::new(OnceLock::new());
        let left = Arc::clone(&unwatched);
        let config = self
            .store
            .answer(scope, move |tx| {
                let mut row = sql::get(tx, tenant, id)?;
                let before = row.config.clone();
                let enabled = patch.enabled.unwrap_or(before.enabled);
                let settings = patch.apply(before.settings.clone());
                syncs.check(&before.resource_type, &settings, unique.as_deref())?;
                let now = tx.now();
                if enabled && !before.enabled {
                    row.enabled_at = now;
                }
                let anew = settings.field_mappings != before.settings.field_mappings
                    || settings.remote_filter != before.settings.remote_filter
                    || settings.direction != before.settings.direction;
                if anew {
                    row.config.mapping_version += 1;
                }
                // What was not followed while it was off, and what another mapping means, only a full run finds.
                if anew || (enabled && !before.enabled) {
                    row.full_at = Some(now);
                }
                (row.config.enabled, row.config.settings, row.config.updated_at) = (enabled, settings, now);
                row.config.next_run_at = syncs.first_run(&row.config)?;
                sql::update(tx, &row)?;
                if before.enabled && !enabled {
                    runs::sql::end_open(tx, Of { tenant, sync: id }, "sync_disabled", "The sync was switched off while it ran.")?;
                }
                if !row.config.is_lively()? {
                    let of = Of { tenant, sync: id };
                    end_realtime(tx, of)?;
                    if row.watch.is_some() {
                        sql::clear_watch(tx, of)?;
                        let _ = left.set(row.clone());
                    }
                }
                tx.audit_change("sync_config.update", id, &before, &row.config)?;
                tx.notify(TOPIC_CONFIGS, id);
                Ok(row.config)
            })
            .await?;
        if let Some(row) = unwatched.get().cloned() {
            let syncs = Arc::clone(self);
            tokio::spawn(async move { syncs.unwatch(&row).await });
        }
        Ok(config)
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SyncConfigId>,
    web::Json(patch): web::Json<SyncConfigPatch>,
) -> web::Result<web::Json<SyncConfig>> {
    Ok(web::Json(syncs.update_config(&caller, id, patch).await?))
}
