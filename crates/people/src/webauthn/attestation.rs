//! A new passkey (§7.1).

use coset::cbor::Value;
use coset::cbor::de::from_reader_with_recursion_limit;
use serde::Deserialize;

use super::authenticator_data::AuthenticatorData;
use super::client_data::ClientData;
use super::public_key::PublicKey;
use super::{Fault, RelyingParty, bytes};

/// Nesting of the attestation object: statements hold lists of certificates.
const DEPTH: usize = 8;
/// Ways of reaching an authenticator that are remembered, and the longest name of one.
const MAX_TRANSPORTS: usize = 8;
const MAX_TRANSPORT: usize = 32;

/// What `navigator.credentials.create` gave, as `toJSON` of it writes it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attestation {
    /// The credential's id, in base64url.
    pub(crate) id: String,
    /// `public-key`.
    pub(crate) r#type: String,
    pub(crate) response: AttestationResponse,
}

/// Its response.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttestationResponse {
    /// In base64url.
    #[serde(rename = "clientDataJSON")]
    pub(crate) client_data_json: String,
    /// In base64url.
    pub(crate) attestation_object: String,
    /// How the authenticator can be reached.
    #[serde(default)]
    pub(crate) transports: Vec<String>,
}

/// A passkey that may be kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewCredential {
    pub(crate) id: Vec<u8>,
    /// COSE, as it came.
    pub(crate) public_key: Vec<u8>,
    pub(crate) aaguid: [u8; 16],
    pub(crate) counter: u32,
    pub(crate) transports: Vec<String>,
    pub(crate) is_synced: bool,
    pub(crate) is_backed_up: bool,
}

impl Attestation {
    /// What the browser says; its challenge tells which ceremony this ends.
    pub(crate) fn client_data(&self) -> Result<ClientData, Fault> {
        ClientData::read(&self.response.client_data_json)
    }

    /// The passkey, if all holds. That the challenge is ours is known already.
    pub(crate) fn check(&self, client: &ClientData, party: &RelyingParty) -> Result<NewCredential, Fault> {
        if self.r#type != "public-key" {
            return Err("the credential is of another type");
        }
        client.check("webauthn.create", party)?;
        let object = bytes(&self.response.attestation_object)?;
        let data = authenticator_data_of(&object)?;
        let data = AuthenticatorData::read(&data)?;
        data.check(party)?;
        let credential = data.credential.as_ref().ok_or("the attestation has no credential")?;
        if credential.id != bytes(&self.id)? {
            return Err("the credential has two ids");
        }
        PublicKey::read(credential.public_key)?;
        let known = |text: &&String| text.len() <= MAX_TRANSPORT && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        Ok(NewCredential {
            id: credential.id.to_vec(),
            public_key: credential.public_key.to_vec(),
            aaguid: credential.aaguid,
            counter: data.counter,
            transports: self.response.transports.iter().filter(known).take(MAX_TRANSPORTS).cloned().collect(),
            is_synced: data.is_eligible(),
            is_backed_up: data.is_backed_up(),
        })
    }
}

/// The authenticator data in an attestation object (§6.5): a map of three. The statement is not looked at: none was asked for.
fn authenticator_data_of(mut object: &[u8]) -> Result<Vec<u8>, Fault> {
    const FORM: Fault = "the attestation object has another form";
    let value: Value = from_reader_with_recursion_limit(&mut object, DEPTH).map_err(|_| FORM)?;
    if !object.is_empty() {
        return Err("something follows the attestation object");
    }
    let mut members = value.into_map().map_err(|_| FORM)?;
    let mut take = |name: &str| -> Result<Value, Fault> {
        let at = members.iter().position(|(key, _)| key.as_text() == Some(name)).ok_or(FORM)?;
        Ok(members.swap_remove(at).1)
    };
    let (format, statement, data) = (take("fmt")?, take("attStmt")?, take("authData")?);
    // A member twice, or one that is unknown.
    let is_whole = members.is_empty() && format.is_text() && statement.is_map();
    data.into_bytes().ok().filter(|_| is_whole).ok_or(FORM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `{"fmt": "none", "attStmt": {}, "authData": h'01'}`.
    const GOOD: &[u8] = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x41\x01";

    #[test]
    fn an_attestation_object_has_three_members() {
        assert_eq!(authenticator_data_of(GOOD), Ok(vec![1]));
        for bad in [
            &b"\xa2\x63fmt\x64none\x67attStmt\xa0"[..],
            b"\xa4\x63fmt\x64none\x67attStmt\xa0\x68authData\x41\x01\x63fmt\x64none",
            b"\xa3\x63fmt\x01\x67attStmt\xa0\x68authData\x41\x01",
            b"\xa3\x63fmt\x64none\x67attStmt\x01\x68authData\x41\x01",
            b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x01",
            b"\x80",
            b"",
        ] {
            assert!(authenticator_data_of(bad).is_err(), "{bad:02x?}");
        }
        assert!(authenticator_data_of(&[GOOD, &[0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_data_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(authenticator_data_of(&bytes).is_err() || bytes.len() > 20);
        }
    }
}
