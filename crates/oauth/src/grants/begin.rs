//! A new grant.

use access::access_tokens::Handle;
use kernel::{GrantId, Result, Secret, TenantId, Timestamp, UserId};
use store::Tx;

use super::{SignIn, sql};
use crate::Oauth;
use crate::clients::OAuthClient;
use crate::grant_types::GrantType;

/// What a grant begins with.
#[derive(Clone, Debug)]
pub(crate) struct NewGrant<'a> {
    pub(crate) id: GrantId,
    pub(crate) client: &'a OAuthClient,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) scope: &'a str,
    pub(crate) resource: Option<&'a str>,
    /// The key that refreshes must prove: of public clients, which have no other proof (RFC 9449 §5).
    pub(crate) jkt: Option<&'a str>,
    pub(crate) sign_in: &'a SignIn,
}

impl Oauth {
    /// Stores a grant; answers its first refresh token, if its client may use one, and until when it lives. Errors: those of the store.
    pub(crate) fn begin_grant(&self, tx: &mut Tx<'_>, grant: &NewGrant<'_>) -> Result<(Option<Secret<String>>, Timestamp)> {
        let handle = self.access.new_handle(Handle::RefreshToken);
        let may_refresh = grant.client.may(GrantType::RefreshToken);
        let now = tx.now();
        let lifetime = if may_refresh { grant.client.refresh_lifetime(self) } else { grant.client.access_lifetime(self) };
        let expires_at = now.plus(lifetime.min(self.config.grant_lifetime));
        sql::insert(tx, grant, &handle.key_id, may_refresh.then_some(&handle.hash), expires_at)?;
        Ok((may_refresh.then_some(handle.text), expires_at))
    }
}
