//! What an authorized app is named by.

use std::fmt;
use std::str::FromStr;

use kernel::{ConsentId, Error, GrantId};
use serde::{Deserialize, Serialize};

/// The id of an authorized app: of what was remembered, or else of a grant. Whoever allows an application something and does not remember it
/// has a grant only, and may end that as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AuthorizedAppId {
    /// `cns_…`: it was remembered.
    Consent(ConsentId),
    /// `grt_…`: it was not; any grant of the application's in the tenant names all of the person's there.
    Grant(GrantId),
}

impl fmt::Display for AuthorizedAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent(id) => id.fmt(f),
            Self::Grant(id) => id.fmt(f),
        }
    }
}

impl FromStr for AuthorizedAppId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = || Error::malformed("malformed_id", "The id of an authorized app looks like cns_01h… or grt_01h…, as the list has it.");
        text.parse().map(Self::Consent).or_else(|_| text.parse().map(Self::Grant)).map_err(|_: Error| fault())
    }
}

impl TryFrom<String> for AuthorizedAppId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<AuthorizedAppId> for String {
    fn from(id: AuthorizedAppId) -> Self {
        id.to_string()
    }
}
