//! What vendors' webhooks say, as hints.

use connectors::{Hint, HintKind};
use kernel::{Error, IntegrationId, Result, TenantId};
use store::Tx;

use crate::ledger::Of;
use crate::ledger::hints::{self, Kind};
use crate::{Syncs, TOPIC_WORK, configs};

/// An integration that is used by syncs is not deleted under them. Errors: 409 `integration_has_syncs`.
pub fn refuse_removal(tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId) -> Result<()> {
    let used = configs::sql::count_of(tx, tenant, integration)?;
    if used == 0 {
        return Ok(());
    }
    let detail = format!("{used} syncs use this integration. Delete them first: what they know of both sides goes with them.");
    Err(Error::conflict("integration_has_syncs", detail))
}

impl Syncs {
    /// Notes that records of an integration's account are worth a look, for every sync that follows their object; in the transaction of the vendor's
    /// call. Answers how many syncs are concerned.
    ///
    /// Errors: the store's.
    pub fn note_hints(&self, tx: &mut Tx<'_>, tenant: TenantId, integration: IntegrationId, told: &[Hint]) -> Result<u64> {
        let mut concerned = 0;
        for row in configs::sql::following(tx, tenant, integration)? {
            let own: Vec<&Hint> = told.iter().filter(|hint| hint.object.eq_ignore_ascii_case(&row.config.object)).collect();
            if own.is_empty() {
                continue;
            }
            let of = Of { tenant, sync: row.config.id };
            let as_row = |hint: &&Hint| match &hint.kind {
                HintKind::Changed => (Kind::Changed, None),
                HintKind::Deleted => (Kind::Deleted, None),
                HintKind::Merged(survivor) => (Kind::Merged, Some(survivor.clone())),
            };
            let rows: Vec<(String, Kind, Option<String>)> =
                own.iter().map(|hint| (hint.id.clone(), as_row(hint))).map(|(id, (kind, merged))| (id, kind, merged)).collect();
            hints::add(tx, of, rows.iter().map(|(id, kind, merged)| (id.as_str(), *kind, merged.as_deref())))?;
            tx.notify(TOPIC_WORK, of);
            concerned += 1;
        }
        Ok(concerned)
    }
}
