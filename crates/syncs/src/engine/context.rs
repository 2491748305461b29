//! What a runner knows of its sync.

use std::sync::Arc;
use std::time::Duration;

use connectors::{About, ObjectAbout};
use kernel::{Error, Result, TenantScope};
use mappings::Scripts;
use records::Records;
use serde_json::{Map, Value};

use crate::configs::{Deletions, Row, Settings, SyncConfig, object_of};
use crate::ledger::Of;
use crate::plan::Plan;

/// So long after a creation was asked for nobody can still be asking for it: calls to vendors end sooner.
const SETTLED: Duration = Duration::from_secs(90);

/// What a runner knows of its sync; it does not change while the run lasts.
pub(crate) struct Context {
    pub(crate) of: Of,
    pub(crate) scope: TenantScope,
    pub(crate) config: SyncConfig,
    pub(crate) plan: Plan,
    pub(crate) object: ObjectAbout,
    /// Our records; what is written through them is not heard again.
    pub(crate) records: Records,
    pub(crate) scripts: Scripts,
    /// Since when the sync was followed by everybody.
    pub(crate) followed_at: kernel::Timestamp,
}

impl Context {
    /// Errors: 422 `invalid_mapping`, `unknown_object`: what was good when it was written is good no more.
    pub(crate) fn new(row: &Row, about: &About, records: &Arc<Records>, engine: &script::Engine, now: kernel::Timestamp) -> Result<Self> {
        let of = Of { tenant: row.tenant, sync: row.config.id };
        let object = object_of(about, Some(&row.config.object))?;
        let plan = Plan::compile(&row.config.settings, object.unique_field.as_deref()).map_err(|problems| {
            let first = problems.first().map_or_else(String::new, |problem| format!("{}: {}", problem.field, problem.message));
            Error::invalid("invalid_mapping", format!("The mapping cannot be used any more. {first}"))
        })?;
        Ok(Self {
            of,
            scope: TenantScope::system(crate::PART, row.tenant),
            records: records.of_origin(row.config.id.to_string()),
            scripts: Scripts::new(engine.clone(), row.tenant, now),
            config: row.config.clone(),
            plan,
            object,
            followed_at: row.enabled_at,
        })
    }

    /// The key may be a field of the account's own by which its vendor makes a record once (an external id of Salesforce).
    pub(crate) fn learn(&mut self, connector: &dyn connectors::Connector) {
        let Self { object, plan, .. } = self;
        if let Some(key) = plan.key.as_ref().filter(|key| object.unique_field.is_none() && connector.makes_once(&object.name, &key.remote))
        {
            object.unique_field = Some(key.remote.clone());
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.config.settings
    }

    pub(crate) fn resource(&self) -> &str {
        &self.config.resource_type
    }

    pub(crate) fn pushes(&self) -> bool {
        self.settings().direction.pushes()
    }

    pub(crate) fn pulls(&self) -> bool {
        self.settings().direction.pulls()
    }

    pub(crate) fn deletions(&self) -> Deletions {
        self.settings().deletions
    }

    /// For how long the vendor's lists may not know what was just written, with some room.
    pub(crate) fn lag(&self) -> Duration {
        match self.object.lag_seconds {
            0 => Duration::ZERO,
            seconds => Duration::from_secs(u64::from(seconds) + 5),
        }
    }

    /// So long after a creation was asked for it can be told how it ended: nobody can still be asking for it, and the vendor's searches know. Where they
    /// know at once, that is a lease: who takes a sync over from a runner that died has waited for it already.
    pub(crate) fn settled_after(&self) -> Duration {
        match self.object.lag_seconds {
            0 => crate::LEASE,
            _ => SETTLED.max(self.lag()),
        }
    }

    /// Records that are written at the vendor before what became of them is stored, and before it is asked whether the run may go on.
    pub(crate) fn part(&self) -> usize {
        usize::try_from(self.object.batch.max(1)).unwrap_or(1)
    }

    /// What every record that we make there has, because only such are met again.
    pub(crate) fn filter_fields(&self) -> Map<String, Value> {
        self.settings().remote_filter.as_ref().and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
