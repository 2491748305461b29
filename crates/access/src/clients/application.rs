//! A client as the authorization server sees it: whoever's it is, with what proves it.

use kernel::{ClientId, Result, TenantId, Timestamp};
use store::Tx;
use subtle::ConstantTimeEq as _;

use super::ClientStatus;
use super::sql::parse;
use crate::Access;
use crate::credentials::Purpose;
use crate::keys::token;

/// What an OAuth request needs to know of a client.
#[derive(Clone, Debug)]
pub struct Application {
    /// The client: the `client_id`.
    pub id: ClientId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its tenant's name.
    pub tenant_name: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    pub logo_url: Option<String>,
    /// Where an authorization may be sent, letter by letter.
    pub redirect_uris: Vec<String>,
    /// What it may do, with all that is implied: the ceiling of its grants.
    pub scopes: Vec<String>,
    /// Whether it can keep a secret.
    pub confidential: bool,
    /// Whether client and tenant are active.
    pub is_active: bool,
    /// Origins whose pages may use it.
    pub allowed_origins: Vec<String>,
    secret_hash: Option<Vec<u8>>,
    previous: Option<(Vec<u8>, Timestamp)>,
}

const APPLICATION: &str = "SELECT c.id, c.tenant_id, t.name, c.name, c.description, c.website, c.logo_url, c.redirect_uris, c.scopes, c.confidential, \
     c.status, t.status, c.secret_hash, c.previous_secret_hash, c.previous_secret_until, c.allowed_origins \
     FROM clients c JOIN tenants t ON t.id = c.tenant_id WHERE c.id = ?1";

impl Access {
    /// The client of this id, whoever's it is. Runs under a system scope: whose it is, is what we want to learn. Errors: those of the store.
    pub fn application(&self, tx: &mut Tx<'_>, client: ClientId) -> Result<Option<Application>> {
        tx.query_opt(APPLICATION, &[client.into()], |row| {
            let scopes: Option<Vec<String>> = row.get::<Option<String>>(8)?.map(|text| parse(&text)).transpose()?;
            let active = ClientStatus::Active.as_str();
            Ok(Application {
                id: row.get(0)?,
                tenant: row.get(1)?,
                tenant_name: row.get(2)?,
                name: row.get(3)?,
                description: row.get(4)?,
                website: row.get(5)?,
                logo_url: row.get(6)?,
                redirect_uris: parse(&row.get::<String>(7)?)?,
                scopes: crate::scopes::of_client(&self.blueprint, scopes.as_deref()),
                confidential: row.get(9)?,
                is_active: row.get::<String>(10)? == active && row.get::<String>(11)? == active,
                allowed_origins: parse(&row.get::<String>(15)?)?,
                secret_hash: row.get(12)?,
                previous: row.get::<Option<Vec<u8>>>(13)?.zip(row.get::<Option<Timestamp>>(14)?),
            })
        })
    }

    /// Whether `secret` is the client's, or the one before it, whose time is not over. In constant time, whatever is stored: no client at all,
    /// one without a secret and one with two cost the same work.
    pub fn proves_client(&self, application: Option<&Application>, secret: &str) -> bool {
        let shown = self.pepper.hash(Purpose::ClientSecret, &secret[..secret.floor_char_boundary(token::MAX_LEN)]);
        let now = self.ambient.now();
        let fits = |stored: Option<&Vec<u8>>| {
            let stored: [u8; 32] = stored.and_then(|hash| hash.as_slice().try_into().ok()).unwrap_or_default();
            bool::from(shown.ct_eq(&stored))
        };
        let present = fits(application.and_then(|known| known.secret_hash.as_ref()));
        let former = application.and_then(|known| known.previous.as_ref()).filter(|(_, until)| now < *until);
        (present | fits(former.map(|(hash, _)| hash))) & (secret.len() <= token::MAX_LEN)
    }
}
