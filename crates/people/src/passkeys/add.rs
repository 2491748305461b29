//! `POST /api/v1/me/passkeys/options` and `POST /api/v1/me/passkeys`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Scope};
use serde::Deserialize;

use super::options::{CreationOptions, Whose, creation};
use super::{Passkey, sql};
use crate::ceremonies::{Beginning, Purpose};
use crate::webauthn::Attestation;
use crate::{People, errors, rules};

/// What a passkey is called whose owner gave it no name.
const NAMELESS: &str = "Passkey";

/// A new passkey.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddPasskey {
    /// What its owner calls it, so that they know which it is. Default: `Passkey`.
    pub(crate) name: Option<String>,
    /// What the browser gave for the options.
    pub(crate) credential: Attestation,
}

impl AddPasskey {
    /// From a form. `credential`: the browser's answer as JSON. Error: 422 `validation_failed` at `/credential`.
    pub fn of_form(name: &str, credential: &str) -> Result<Self> {
        let credential = serde_json::from_str(credential).map_err(|_| unread())?;
        Ok(Self { name: Some(name.to_owned()).filter(|name| !name.is_empty()), credential })
    }
}

fn unread() -> Error {
    Error::field("/credential", "is not what a browser gives for the options; ask for new ones and try again")
}

impl People {
    /// What the caller's browser is asked for, to make a passkey. Good once, in this session, for five minutes.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 409 `passkeys_unavailable`.
    pub async fn passkey_options(&self, caller: &Caller) -> Result<CreationOptions> {
        let (user, scope) = self.own_security(caller, true).await?;
        let (_, session) = caller.person().ok_or_else(errors::people_only)?;
        let party = self.relying_party()?;
        let read = move |tx: &mut store::Tx<'_>| Ok((access::people::user(tx, user)?, sql::credentials(tx, user)?));
        let (person, known) = self.store.read(scope.clone(), read).await?;
        let person = person.ok_or_else(|| Error::not_found("user"))?;
        let browser = session.to_string();
        let beginning = Beginning { purpose: Purpose::AddPasskey, browser: &browser, user: Some(user), email: None, next: None };
        let challenge = self.begin_ceremony(scope, beginning).await?;
        let whose = Whose { user, email: &person.email, name: &person.name, known };
        Ok(creation(party, &self.config.product, &challenge, whose))
    }

    /// Keeps the passkey that the browser made.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 409 `passkeys_unavailable`, 409 `passkey_known`, 409
    /// `too_many_passkeys`, 422 `validation_failed` at `/name` or `/credential`.
    pub async fn add_passkey(&self, caller: &Caller, input: AddPasskey) -> Result<Passkey> {
        let (user, scope) = self.own_security(caller, true).await?;
        let (_, session) = caller.person().ok_or_else(errors::people_only)?;
        let party = self.relying_party()?;
        let name = rules::name("/name", input.name.as_deref().unwrap_or(NAMELESS))?;
        let name = if name.is_empty() { NAMELESS.to_owned() } else { name };
        let refused = |why: &'static str| {
            tracing::debug!(%user, why, "a passkey was not kept");
            unread()
        };
        let client = input.credential.client_data().map_err(refused)?;
        let begun = self.end_ceremony(client.challenge(), &session.to_string()).await?;
        let is_ours = begun.is_some_and(|begun| begun.purpose == Purpose::AddPasskey && begun.user == Some(user));
        if !is_ours {
            return Err(refused("nobody asked for it here, or too long ago"));
        }
        let new = input.credential.check(&client, party).map_err(refused)?;
        let id = self.ambient.id();
        self.store
            .answer(scope, move |tx| {
                sql::insert(tx, id, user, &name, &new)?;
                let made = sql::get(tx, user, id)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit_change("passkey.create", id, &(), &made)?;
                Ok(made)
            })
            .await
    }

    /// Who we are to browsers. Error: 409 `passkeys_unavailable`.
    pub(crate) fn relying_party(&self) -> Result<&crate::RelyingParty> {
        self.config.relying_party.as_ref().ok_or_else(errors::passkeys_unavailable)
    }

    /// Whether browsers have passkeys at the address of this server.
    pub fn offers_passkeys(&self) -> bool {
        self.config.relying_party.is_some()
    }

    /// What a person's own is read in.
    pub(crate) fn own(&self, caller: &Caller) -> Result<(kernel::UserId, Scope)> {
        let (user, _, scope) = caller.myself()?;
        Ok((user, scope))
    }
}

pub(crate) async fn handle_options(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
) -> web::Result<web::Json<CreationOptions>> {
    Ok(web::Json(people.passkey_options(&caller).await?))
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<AddPasskey>,
) -> web::Result<web::Created<Passkey>> {
    let passkey = people.add_passkey(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/me/passkeys/{}", passkey.id), body: passkey })
}
