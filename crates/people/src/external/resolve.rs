//! Whose account somebody has whom a provider knows. Issuer and subject tell; the address ties the two together the first time, and is then no
//! more than a word on a page.

use access::people::User;
use kernel::{Error, Result, Scope, UserId};
use store::Tx;

use super::id_token::Claims;
use super::{Newcomers, Provider};
use crate::members::add::{join, new_user};
use crate::users::{self, methods};
use crate::{People, Visit, errors, identities, passkeys, rules};

/// Somebody whom the provider may send us.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) issuer: String,
    pub(super) claims: Claims,
    /// In the form that we store, if the provider has made sure of it.
    email: Option<String>,
}

impl Known {
    /// Error: 403 `external_email_not_allowed`, where addresses of certain domains only may sign in.
    pub(super) fn of(provider: &Provider, claims: Claims) -> Result<Self> {
        let email = claims.verified_email();
        let domains = &provider.config.domains;
        let domain = email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        if !domains.is_empty() && !domain.is_some_and(|domain| domains.iter().any(|one| one == domain)) {
            return Err(errors::external_email_not_allowed());
        }
        Ok(Self { issuer: provider.config.issuer.clone(), claims, email })
    }
}

impl People {
    /// The account: the one that is tied, or the one that can be, or a new one.
    ///
    /// Errors: 403 `external_email_not_allowed`, 403 `external_unknown`, 403 `external_not_linked`.
    pub(super) async fn resolve(&self, provider: &Provider, who: Known, visit: &Visit) -> Result<User> {
        let find = who.clone();
        let tied = self.store.read(Scope::system("people"), move |tx| match identities::sql::find(tx, &find.issuer, &find.claims.sub)? {
            Some(user) => access::people::user(tx, user),
            None => Ok(None),
        });
        if let Some(user) = tied.await? {
            return Ok(user);
        }
        let email = who.email.clone().ok_or_else(errors::external_email_not_allowed)?;
        let known = email.clone();
        let known = self.store.read(Scope::system("people"), move |tx| access::people::user_by_email(tx, &known)).await?;
        let newcomer =
            new_user(&self.ambient, &email, &rules::name("/name", who.claims.name.as_deref().unwrap_or_default()).unwrap_or_default());
        let (newcomers, id) = (provider.config.newcomers.clone(), known.as_ref().map_or(newcomer.id, |user| user.id));
        let made = self.store.write(Scope::person(id, visit.info()), move |tx| match access::people::user_by_email(tx, &email)? {
            Some(user) => {
                may_be_tied(tx, &who, &user)?;
                tie(tx, &who, user.id)?;
                users::sql::verify_email(tx, user.id)?;
                access::people::user(tx, user.id)?.ok_or_else(errors::external_failed)
            }
            None => welcome(tx, &newcomers, &who, User { email_verified: true, ..newcomer }),
        });
        made.await.map_err(|error| if store::is_unique_violation(&error) { errors::external_failed() } else { error })
    }
}

/// Whether an address is enough to tie an account that exists. It is not, where the account is somebody's already who could be another:
/// another subject of this provider (an address that was given to somebody new), or whoever chose a password without ever proving to read
/// what is sent there. They sign in as usual and tie the two themselves.
fn may_be_tied(tx: &mut Tx<'_>, who: &Known, user: &User) -> Result<()> {
    let elsewhere = identities::sql::of_user(tx, user.id)?;
    let is_anothers = elsewhere.iter().any(|identity| identity.issuer == who.issuer);
    let has_ways = !elsewhere.is_empty() || methods::of(tx, user.id)?.password_hash.is_some() || passkeys::sql::count(tx, user.id)? > 0;
    if is_anothers || (!user.email_verified && has_ways) { Err(errors::external_not_linked()) } else { Ok(()) }
}

/// Ties them, for ever or until the person cuts it.
pub(super) fn tie(tx: &mut Tx<'_>, who: &Known, user: UserId) -> Result<()> {
    identities::sql::insert(tx, &who.issuer, &who.claims.sub, user, who.claims.email.as_deref())?;
    tx.notify(access::people::USER_TOPIC, user);
    tx.audit_with("identity.create", user, &serde_json::json!({"issuer": who.issuer, "subject": who.claims.sub}))
}

/// Makes an account for somebody whom nobody knows, where that is how it was set up.
fn welcome(tx: &mut Tx<'_>, newcomers: &Newcomers, who: &Known, user: User) -> Result<User> {
    let Newcomers::Join(tenant, role) = newcomers else { return Err(errors::external_unknown()) };
    let tenant = access::tenants::find(tx, tenant)?.ok_or_else(|| {
        tracing::error!(?tenant, "people who sign in with another provider are to join a tenant that does not exist");
        errors::external_unknown()
    })?;
    users::sql::insert(tx, &user)?;
    tx.audit_change("user.create", user.id, &(), &user)?;
    join(tx, tenant, &user, *role)?;
    tie(tx, who, user.id)?;
    Ok::<User, Error>(user)
}
