//! Operational events about tokens, in the transaction of what they tell of.

use kernel::Result;
use serde_json::json;
use store::Tx;

use crate::Vault;
use crate::tokens::{Row, Status};

/// Tells the tenant. Whoever has to connect again gets the link for it.
pub(crate) fn tell(vault: &Vault, tx: &mut Tx<'_>, row: &Row, name: &'static str) -> Result<()> {
    let link = match row.status {
        Status::ReauthRequired => Some(vault.reconnect_url(row.tenant, row.id)?),
        _ => None,
    };
    let data = json!({
        "oauthTokenId": row.id, "provider": row.provider, "userId": row.user_id, "account": row.account, "status": row.status.as_str(),
        "reason": row.reason, "reconnectUrl": link,
    });
    vault.events.report(tx, row.tenant, name, &data)
}
