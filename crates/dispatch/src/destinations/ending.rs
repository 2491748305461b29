//! Client certificates that end.

use kernel::{DestinationId, Result, TenantId, Timestamp};
use serde_json::Value;
use store::Tx;

use super::sql;

/// When the certificate ends by which a configuration presents us (`auth.certificate`); none: it has none.
pub(super) fn certificate_ends(config: &Value) -> Option<Timestamp> {
    web::outbound::certificates_end(config.get("auth")?.get("certificate")?.as_str()?)
}

/// Any tenant's destinations whose client certificate ends from `from` until before `to`, the next to end first; not those that are disabled.
/// Run by the system.
pub fn ending(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<(TenantId, DestinationId, Timestamp)>> {
    tx.query(sql::ENDING, &[from.into(), to.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
