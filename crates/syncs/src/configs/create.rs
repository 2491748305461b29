//! `sync_configs.create`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result};

use super::{NewSyncConfig, Row, SyncConfig, sql};
use crate::frequency::Schedule;
use crate::{Syncs, TOPIC_CONFIGS};

/// Most syncs of a tenant.
const MAX_PER_TENANT: i64 = 200;

impl Syncs {
    /// Makes a sync. A realtime one begins at once; another when its time comes, or when somebody asks.
    ///
    /// Errors: 403 `insufficient_scope`; 404 for an integration that is not the tenant's, or an unknown resource type; 409 `too_many_sync_configs`;
    /// 422 `unknown_object`, `invalid_mapping`, `invalid_cron`, `sync_key_missing`, `validation_failed`.
    pub async fn create_config(self: &Arc<Self>, caller: &Caller, new: NewSyncConfig) -> Result<SyncConfig> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let connector = self.accounts.connector(&scope, new.integration_id).await?;
        let object = object_of(connector.about(), new.object.as_deref())?;
        let resource = new.resource_type.clone().unwrap_or_else(|| self.default_resource.clone());
        self.records.resource_type(&resource)?;
        let (integration_id, enabled) = (new.integration_id, new.enabled.unwrap_or(true));
        let settings = new.settings();
        self.check(&resource, &settings, object.unique_field.as_deref())?;
        let (now, object) = (self.ambient.now(), object.name.clone());
        let mut config = SyncConfig {
            id: self.ambient.id(),
            integration_id,
            resource_type: resource,
            object,
            enabled,
            settings,
            mapping_version: 1,
            next_run_at: None,
            last_run_id: None,
            last_sync_at: None,
            last_sync_status: None,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        config.next_run_at = self.first_run(&config)?;
        let tenant = scope.tenant();
        let accounts = Arc::clone(&self.accounts);
        let row = Row { tenant, config, cursor: None, deleted_cursor: None, full_at: None, enabled_at: now, watch: None };
        self.store
            .answer(scope, move |tx| {
                if sql::count(tx, tenant)? >= MAX_PER_TENANT {
                    return Err(Error::conflict("too_many_sync_configs", format!("A tenant has at most {MAX_PER_TENANT} syncs.")));
                }
                accounts.require(tx, tenant, integration_id)?;
                sql::insert(tx, &row)?;
                tx.audit_change("sync_config.create", row.config.id, &(), &row.config)?;
                tx.notify(TOPIC_CONFIGS, row.config.id);
                Ok(row.config)
            })
            .await
    }

    /// When a sync that is enabled now runs for the first time.
    pub(super) fn first_run(&self, config: &SyncConfig) -> Result<Option<kernel::Timestamp>> {
        let (now, settings) = (self.ambient.now(), &config.settings);
        match settings.schedule()? {
            _ if !config.enabled => Ok(None),
            Schedule::Realtime => Ok(Some(now)),
            schedule => schedule.next(&settings.timezone, settings.poll(), now),
        }
    }
}

/// Vendors whose customers make objects of their own, which no catalogue knows.
const WITH_OWN_OBJECTS: [&str; 3] = ["salesforce", "hubspot", "zoho"];

/// The object that is meant, by the name that the vendor gives it. Error: 422 `unknown_object`.
pub(crate) fn object_of(about: &connectors::About, asked: Option<&str>) -> Result<connectors::ObjectAbout> {
    let found = match asked {
        None => about.objects.first(),
        Some(name) => about.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name)),
    };
    let is_name =
        |name: &str| (1..=80).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    match (found, asked, about.objects.first()) {
        (Some(found), ..) => Ok(found.clone()),
        (None, Some(name), Some(like)) if WITH_OWN_OBJECTS.contains(&about.id.as_str()) && is_name(name) => {
            Ok(connectors::ObjectAbout { name: name.to_owned(), label: name.to_owned(), unique_field: None, ..like.clone() })
        }
        _ => {
            let known = about.objects.iter().map(|object| object.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(Error::invalid("unknown_object", format!("{} has no such object. It has: {known}.", about.name))
                .at("/object", "is not known"))
        }
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Json(new): web::Json<NewSyncConfig>,
) -> web::Result<web::Created<SyncConfig>> {
    let body = syncs.create_config(&caller, new).await?;
    Ok(web::Created { location: format!("/api/v1/sync-configs/{}", body.id), body })
}
