//! Named readers: how far each has come.

mod delete;
mod list;
mod sql;

use kernel::{Caller, Error, Result, TenantId, Timestamp};
use serde::Serialize;
use store::Tx;

use crate::ahead;
use crate::position::Position;

pub(crate) use delete::handle as delete;
pub(crate) use list::{Consumers, handle as list};
pub(crate) use sql::{purge_client, purge_tenant};

/// Longest name, in characters.
const MAX_NAME: usize = 64;
/// Most consumers of one client, and of one tenant's host.
const MAX_CONSUMERS: u64 = 100;

/// A named reader.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerView {
    /// Its name.
    pub name: String,
    /// The acknowledged place: what a poll without a cursor begins at.
    pub cursor: String,
    /// When it first polled.
    pub created_at: Timestamp,
    /// When its place last moved.
    pub updated_at: Timestamp,
}

/// Where a reader without a place begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// At the oldest event that is kept.
    #[default]
    Earliest,
    /// With what comes.
    Latest,
}

impl Start {
    /// The place.
    pub(crate) fn position(self, tx: &mut Tx<'_>, tenant: TenantId) -> Result<Position> {
        match self {
            Self::Earliest => Ok(Position::EARLIEST),
            Self::Latest => ahead::latest(tx, tenant),
        }
    }
}

/// A consumer's key in its tenant: keys of one client share its consumers, and nobody else sees them.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerKey {
    owner: String,
    name: String,
}

impl ConsumerKey {
    /// Error: 422 at `/consumer`.
    pub(crate) fn new(caller: &Caller, name: String) -> Result<Self> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(good) {
            return Err(Error::field("/consumer", format!("must be 1 to {MAX_NAME} characters of A-Z a-z 0-9 - _ . :")));
        }
        Ok(Self { owner: owner(caller), name })
    }
}

/// The client, or nothing for the tenant's host and its people.
fn owner(caller: &Caller) -> String {
    caller.client().map(|client| client.to_string()).unwrap_or_default()
}

/// The acknowledged place. `None`: there is no such consumer yet.
pub(crate) fn committed(tx: &mut Tx<'_>, tenant: TenantId, key: &ConsumerKey) -> Result<Option<Position>> {
    sql::find(tx, tenant, &key.owner, &key.name)
}

/// Makes the consumer, or acknowledges up to `place`: a place never goes back. Answers where it stands.
///
/// Error: 409 `too_many_consumers`.
pub(crate) fn acknowledge(tx: &mut Tx<'_>, tenant: TenantId, key: &ConsumerKey, place: Option<Position>, start: Start) -> Result<Position> {
    let now = tx.now();
    if let Some(known) = sql::lock(tx, tenant, &key.owner, &key.name)? {
        return match place.filter(|place| *place > known) {
            None => Ok(known),
            Some(place) => sql::advance(tx, tenant, &key.owner, &key.name, &place, now).map(|()| place),
        };
    }
    if sql::count(tx, tenant, &key.owner)? >= MAX_CONSUMERS {
        let detail = format!("There are {MAX_CONSUMERS} consumers already. Delete one that is no longer used.");
        return Err(Error::conflict("too_many_consumers", detail));
    }
    let place = place.map_or_else(|| start.position(tx, tenant), Ok)?;
    if sql::insert(tx, tenant, &key.owner, &key.name, &place, now)? {
        tx.audit("consumer.create", &key.name)?;
    }
    Ok(place)
}
