//! From a token to who is signed in.

use std::sync::Arc;

use access::people::{Membership, UserStatus};
use http::HeaderMap;
use kernel::{Result, Scope, Timestamp};
use store::Tx;

use super::cache::Entry;
use super::{SignedIn, sql};
use crate::tokens::Kind;
use crate::{People, RoleScopes, cookie, identities, passkeys, users};

impl People {
    /// Who is signed in with this token; none: nobody, or not any more. Errors: those of the store.
    pub async fn lookup(self: &Arc<Self>, token: &str) -> Result<Option<Arc<SignedIn>>> {
        let Some(hash) = self.hasher.shown(Kind::Session, token) else { return Ok(None) };
        let (now, idle) = (self.ambient.now(), self.config.idle);
        if let Some(entry) = self.cache.get(&hash)
            && entry.is_live(idle, now)
        {
            self.touch(&entry, now);
            return Ok(Some(Arc::clone(&entry.signed_in)));
        }
        let since = self.cache.generation();
        let (scopes, csrf) = (self.scopes.clone(), self.hasher.csrf(token));
        let read = self.store.read(Scope::system("people"), move |tx| load(tx, &hash, scopes, csrf)).await?;
        let Some((signed_in, seen)) = read else { return Ok(None) };
        let entry = Arc::new(Entry::new(Arc::new(signed_in), seen));
        if !entry.is_live(idle, now) {
            return Ok(None);
        }
        self.cache.insert(hash, Arc::clone(&entry), since);
        self.touch(&entry, now);
        Ok(Some(Arc::clone(&entry.signed_in)))
    }

    /// The same from a request's cookies.
    pub async fn lookup_headers(self: &Arc<Self>, headers: &HeaderMap) -> Result<Option<Arc<SignedIn>>> {
        match cookie::token(headers) {
            Some(token) => self.lookup(token).await,
            None => Ok(None),
        }
    }

    /// Writes a use, at most once a minute, without making anybody wait.
    fn touch(self: &Arc<Self>, entry: &Entry, now: Timestamp) {
        if !entry.is_worth_writing(now) {
            return;
        }
        let (people, id) = (Arc::clone(self), entry.signed_in.session);
        tokio::spawn(async move {
            if let Err(error) = people.store.write(Scope::system("people"), move |tx| sql::touch(tx, id, now)).await {
                tracing::warn!(?error, "a session's last use could not be written");
            }
        });
    }
}

/// None: there is no such session, its person may not sign in, or is no longer in the only tenant that it is for.
fn load(tx: &mut Tx<'_>, hash: &[u8; 32], scopes: RoleScopes, csrf: String) -> Result<Option<(SignedIn, Timestamp)>> {
    let Some(stored) = sql::find(tx, hash)? else { return Ok(None) };
    let Some(user) = access::people::user(tx, stored.user)?.filter(|user| user.status == UserStatus::Active) else { return Ok(None) };
    let mut memberships: Vec<Membership> = access::people::memberships_of(tx, user.id)?;
    if let Some((tenant, role)) = stored.bound {
        memberships.retain(|place| place.tenant_id == tenant);
        let Some(place) = memberships.first_mut() else { return Ok(None) };
        place.role = role;
    }
    let methods = users::methods::of(tx, user.id)?;
    let has_passkey = passkeys::sql::count(tx, user.id)? > 0;
    let issuers = identities::sql::of_user(tx, user.id)?.into_iter().map(|identity| identity.issuer).collect();
    let signed_in = SignedIn {
        session: stored.id,
        user: user.id,
        email: user.email,
        name: user.name,
        language: user.language,
        operator: user.operator_role.filter(|_| stored.bound.is_none()),
        memberships: memberships.into(),
        bound_tenant: stored.bound.map(|(tenant, _)| tenant),
        methods: stored.methods,
        proven_at: stored.proven_at,
        created_at: stored.created_at,
        expires_at: stored.expires_at,
        has_password: methods.password_hash.is_some(),
        has_totp: methods.totp_confirmed_at.is_some(),
        has_passkey,
        issuers,
        csrf,
        scopes,
    };
    Ok(Some((signed_in, stored.last_seen_at)))
}
