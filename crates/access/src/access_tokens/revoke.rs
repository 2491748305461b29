//! The end of access tokens before their time. A token that is revoked is gone: nothing is told of it that is not told of one that never was.

use kernel::{ClientId, GrantId, Result};
use store::Tx;

use super::{GRANT_TOPIC, Handle, TOPIC, sql};
use crate::Access;

impl Access {
    /// Ends the token that `text` is, if it is one of `client`'s: refused on this node once the transaction is committed, on the others as
    /// soon as the notice arrives. Answers whether there was one. Errors: those of the store.
    pub fn revoke_token(&self, tx: &mut Tx<'_>, client: ClientId, text: &str) -> Result<bool> {
        let Some(shown) = self.read_handle(Handle::AccessToken, text) else { return Ok(false) };
        let is_gone = sql::delete(tx, client, &shown.key_id, &shown.hash)?;
        if is_gone {
            tx.notify(TOPIC, shown.key_id);
        }
        Ok(is_gone)
    }
}

/// Ends every token of a grant. Errors: those of the store.
pub fn revoke_of_grant(tx: &mut Tx<'_>, grant: GrantId) -> Result<()> {
    sql::delete_of_grant(tx, grant)?;
    tx.notify(GRANT_TOPIC, grant);
    Ok(())
}
