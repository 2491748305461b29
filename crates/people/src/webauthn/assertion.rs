//! A passkey that is used (§7.2).

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::authenticator_data::AuthenticatorData;
use super::client_data::ClientData;
use super::public_key::PublicKey;
use super::{Fault, RelyingParty, bytes};

/// What `navigator.credentials.get` gave, as `toJSON` of it writes it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assertion {
    /// The credential's id, in base64url.
    pub(crate) id: String,
    /// `public-key`.
    pub(crate) r#type: String,
    pub(crate) response: AssertionResponse,
}

/// Its response.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssertionResponse {
    /// In base64url.
    #[serde(rename = "clientDataJSON")]
    pub(crate) client_data_json: String,
    /// In base64url.
    pub(crate) authenticator_data: String,
    /// In base64url.
    pub(crate) signature: String,
    /// Whose passkey it is, in base64url.
    pub(crate) user_handle: Option<String>,
}

/// What a passkey says of itself that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) counter: u32,
    pub(crate) is_backed_up: bool,
}

impl Assertion {
    /// What the browser says; its challenge tells which ceremony this ends.
    pub(crate) fn client_data(&self) -> Result<ClientData, Fault> {
        ClientData::read(&self.response.client_data_json)
    }

    /// The id of the passkey.
    pub(crate) fn credential_id(&self) -> Result<Vec<u8>, Fault> {
        bytes(&self.id)
    }

    /// Whose the device says that the passkey is.
    pub(crate) fn user_handle(&self) -> Result<Option<Vec<u8>>, Fault> {
        self.response.user_handle.as_deref().filter(|text| !text.is_empty()).map(bytes).transpose()
    }

    /// Whether the passkey with this key signed for us. `is_synced`: what it said of itself when it was made. That the challenge is ours is
    /// known already.
    pub(crate) fn check(&self, client: &ClientData, party: &RelyingParty, public_key: &[u8], is_synced: bool) -> Result<Signed, Fault> {
        if self.r#type != "public-key" {
            return Err("the credential is of another type");
        }
        client.check("webauthn.get", party)?;
        let raw = bytes(&self.response.authenticator_data)?;
        let data = AuthenticatorData::read(&raw)?;
        data.check(party)?;
        if data.is_eligible() != is_synced {
            return Err("the passkey is of another kind than it was");
        }
        let message = [raw.as_slice(), &Sha256::digest(&client.raw)].concat();
        if !PublicKey::read(public_key)?.verifies(&message, &bytes(&self.response.signature)?) {
            return Err("the passkey did not sign this");
        }
        Ok(Signed { counter: data.counter, is_backed_up: data.is_backed_up() })
    }
}
