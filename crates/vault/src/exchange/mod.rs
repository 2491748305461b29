//! Talking to a vendor's token endpoint: what is sent, and what an answer means.

mod answer;
mod request;
mod revocation;
mod send;

use kernel::Secret;
use serde_json::{Map, Value};

pub(crate) use answer::pointed;
pub(crate) use request::{Grant, authorize_url};
pub(crate) use revocation::Revoked;
pub(crate) use send::{Exchange, TIMEOUT};

/// An app at a vendor.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client_id: String,
    /// None: a public client.
    pub(crate) client_secret: Option<Secret<String>>,
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Exchanged {
    /// There are tokens.
    Granted(Box<Granted>),
    /// The grant is over: nobody but a person can help.
    Dead(Refusal),
    /// The vendor refuses for another reason: the app, a parameter.
    Refused(Refusal),
    /// Not so fast.
    Slow(Refusal),
    /// The vendor is down or cannot be reached; nothing has happened.
    Unavailable(String),
    /// The answer was lost: tokens may have been made.
    Lost(String),
}

/// Tokens.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access: Secret<String>,
    /// The first, or the new one where they rotate.
    pub(crate) refresh: Option<Secret<String>>,
    /// Seconds.
    pub(crate) expires_in: Option<u64>,
    /// What was granted, where the vendor says so.
    pub(crate) scopes: Option<Vec<String>>,
    /// What is kept and may be seen.
    pub(crate) metadata: Map<String, Value>,
    /// What is kept and may not.
    pub(crate) hidden: Map<String, Value>,
    /// The account, where the answer says so.
    pub(crate) account: Option<String>,
}

/// What a vendor said, bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) description: String,
    pub(crate) status: u16,
}

impl Refusal {
    /// For people and for the audit log.
    pub(crate) fn text(&self) -> String {
        match self.description.is_empty() {
            true => format!("{} ({})", self.code, self.status),
            false => format!("{}: {} ({})", self.code, self.description, self.status),
        }
    }
}
