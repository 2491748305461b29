//! Manifests that were read, so that a session does not read one anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connectors::Connector;
use connectors::manifest::Manifest;
use kernel::TenantId;

use super::sql::Row;

/// Manifests that are kept; beyond it all are forgotten.
const MOST: usize = 500;

type Whose = (Option<TenantId>, String);
type Read = (u64, Arc<dyn Connector>);

/// By whose they are and their slug, with their version.
#[derive(Default)]
pub(crate) struct Compiled(Mutex<HashMap<Whose, Read>>);

impl Compiled {
    /// The connector of a row. `None`: this program does not read the manifest, which an earlier one did.
    pub(crate) fn of(&self, tenant: Option<TenantId>, row: &Row) -> Option<Arc<dyn Connector>> {
        let key = (tenant, row.connector.clone());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, connector)) = kept.get(&key)
            && *version == row.version
        {
            return Some(Arc::clone(connector));
        }
        let read = Manifest::read(&row.manifest, &row.connector);
        let connector: Arc<dyn Connector> = match read {
            Ok(manifest) => Arc::new(manifest),
            Err(faults) => {
                tracing::warn!(connector = row.connector, %faults, "a connector's manifest cannot be read any more");
                return None;
            }
        };
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, (row.version, Arc::clone(&connector)));
        Some(connector)
    }
}
