//! Failed authentication with a key that somebody has, noted for alerts.

use std::sync::Arc;

use kernel::{Credential, TenantId};
use signals::{Kind, Signals};

use super::sql::Found;
use super::{Examined, Standing};
use crate::Access;

/// What failures with ids that nobody has are counted under.
const UNKNOWN: &str = "unknown_keys";

impl Access {
    /// Says where failed authentications are counted. The first one stays; until then they are not.
    pub fn set_signals(&self, signals: Arc<Signals>) {
        drop(self.signals.set(signals));
    }

    /// A secret was wrong: of the key that was found, or, where it is the next one to the id that was asked for (`is_asked` is false), of none.
    /// It does the same work for both, since the time of an answer must not tell which ids exist.
    pub(super) fn suspect(&self, found: &Found, is_asked: bool) {
        let Some(signals) = self.signals.get() else { return };
        let (tenant, key) = match found {
            Found::Key(row) => (Some(row.tenant), row.id.to_string()),
            Found::Service(row) => (None, row.id.to_string()),
            // A token lives for minutes and is nobody's to rotate: guesses are counted with those of unknown keys.
            Found::Token(_) => (None, UNKNOWN.to_owned()),
        };
        let (tenant, subject): (Option<TenantId>, &str) = if is_asked { (tenant, &key) } else { (None, UNKNOWN) };
        signals.note(Kind::FailedKey, tenant, subject, "wrong secret");
    }

    /// A key whose secret was right is over: revoked, switched off, expired. Somebody still uses it.
    pub(super) fn note_misuse(&self, examined: Option<&Examined>) {
        let Some(Examined { principal, standing }) = examined else { return };
        let why = match standing {
            Standing::Disabled => "the key is disabled",
            Standing::Revoked => "the key is revoked",
            Standing::Expired => "the key has expired",
            Standing::Good | Standing::ClientSuspended | Standing::TenantSuspended => return,
        };
        let Some(signals) = self.signals.get() else { return };
        match &principal.credential {
            Credential::Key { key, .. } => signals.note(Kind::FailedKey, principal.tenant, key, why),
            Credential::ServiceKey { key, .. } => signals.note(Kind::FailedKey, None, key, why),
            Credential::OAuthToken { .. } | Credential::User { .. } | Credential::System { .. } => {}
        }
    }
}
