//! A passkey that somebody shows, whatever for: checked outside of a transaction, used up within one.

use kernel::{Result, Scope, UserId};
use store::Tx;

use super::sql::{self, Stored};
use crate::ceremonies::{Begun, Purpose};
use crate::webauthn::{Assertion, Fault, Signed};
use crate::{People, errors};

/// A passkey that has signed what it was asked to.
#[derive(Debug)]
pub(crate) struct Used {
    stored: Stored,
    signed: Signed,
    /// The ceremony that it ended.
    pub(crate) begun: Begun,
}

impl Used {
    /// Whose it is.
    pub(crate) fn user(&self) -> UserId {
        self.stored.user
    }

    /// Notes the use. Error: 401 `passkey_failed`, if it was removed meanwhile.
    pub(crate) fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        let id = self.stored.id;
        let went_on = sql::note_use(tx, id, self.signed)?.ok_or_else(errors::passkey_failed)?;
        if !went_on {
            tracing::warn!(passkey = %id, user = %self.stored.user, counter = self.signed.counter, "a passkey's counter did not go on");
            tx.audit_with("passkey.suspect_copy", id, &serde_json::json!({"user": self.stored.user, "counter": self.signed.counter}))?;
        }
        Ok(())
    }
}

/// The browser's answer in a form's field. Error: 401 `passkey_failed`.
pub(crate) fn shown(credential: &str) -> Result<Assertion> {
    serde_json::from_str(credential).map_err(|_| errors::passkey_failed())
}

impl People {
    /// Judges a passkey. `browser`: what tells the browser that shows it. What is wrong stands in the log.
    ///
    /// Errors: 401 `passkey_failed`, 409 `passkeys_unavailable`.
    pub(crate) async fn use_passkey(&self, shown: &Assertion, purpose: Purpose, browser: &str) -> Result<Used> {
        match self.try_passkey(shown, purpose, browser).await? {
            Ok(used) => Ok(used),
            Err(why) => {
                tracing::debug!(why, "a passkey was refused");
                Err(errors::passkey_failed())
            }
        }
    }

    async fn try_passkey(&self, shown: &Assertion, purpose: Purpose, browser: &str) -> Result<std::result::Result<Used, Fault>> {
        let party = self.relying_party()?;
        let (client, id) = match (shown.client_data(), shown.credential_id()) {
            (Ok(client), Ok(id)) => (client, id),
            (Err(why), _) | (_, Err(why)) => return Ok(Err(why)),
        };
        let Some(begun) = self.end_ceremony(client.challenge(), browser).await?.filter(|begun| begun.purpose == purpose) else {
            return Ok(Err("nobody asked for it in this browser, or too long ago"));
        };
        let found = self.store.read(Scope::system("people"), move |tx| sql::find(tx, &id)).await?;
        let Some(stored) = found else { return Ok(Err("nobody has this passkey")) };
        Ok(judge(shown, &stored, &begun).and_then(|()| {
            let signed = shown.check(&client, party, &stored.public_key, stored.is_synced)?;
            Ok(Used { stored, signed, begun })
        }))
    }
}

/// Whether the passkey is of whom it should be.
fn judge(shown: &Assertion, stored: &Stored, begun: &Begun) -> std::result::Result<(), Fault> {
    // A device need not say whose it is if it was asked for by its id; whoever was not must.
    match shown.user_handle()? {
        Some(handle) if handle != stored.user.to_string().into_bytes() => return Err("the passkey is of somebody else than it says"),
        None if begun.user.is_none() => return Err("the passkey does not say whose it is"),
        _ => {}
    }
    if begun.user.is_some_and(|user| user != stored.user) {
        return Err("the passkey is of somebody else than who is signed in");
    }
    Ok(())
}
