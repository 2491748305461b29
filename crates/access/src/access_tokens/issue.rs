//! A new access token.

use kernel::{ClientId, GrantId, Result, Secret, TenantId, Timestamp, UserId};
use store::Tx;

use super::sql;
use crate::Access;

/// What a token is issued for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose data it opens.
    pub tenant: TenantId,
    /// To whom.
    pub client: ClientId,
    /// Who consented; none: the client acts for itself.
    pub user: Option<UserId>,
    /// The grant that it ends with.
    pub grant: Option<GrantId>,
    /// The granted scopes, with spaces between them.
    pub scope: String,
    /// What it was asked for (RFC 8707), with spaces between them.
    pub resource: Option<String>,
    /// The thumbprint of the key that its holder must prove.
    pub jkt: Option<String>,
    /// Who acts for the subject, as JSON (RFC 8693).
    pub actor: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Access {
    /// Stores a new opaque access token; it is good once the transaction is committed. No change notice: nobody can know of it before.
    ///
    /// Errors: those of the store.
    pub fn issue_token(&self, tx: &mut Tx<'_>, token: &NewToken) -> Result<Secret<String>> {
        loop {
            let new = self.new_access_token();
            if sql::insert(tx, token, &new.key_id, &new.hash)? {
                return Ok(new.text);
            }
        }
    }
}
