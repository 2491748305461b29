//! What a browser is asked for: the JSON form of the specification (§5.1.8, §5.1.9), for `parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Secret, UserId};
use serde::Serialize;

use crate::ceremonies::GOOD_FOR;
use crate::webauthn::{ALGORITHMS, RelyingParty};

/// For `navigator.credentials.create`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: Party,
    user: PasskeyUser,
    /// What the passkey signs, in base64url: good once, for five minutes.
    challenge: String,
    pub_key_cred_params: Vec<Parameter>,
    timeout: u64,
    /// Those that the person has: a device does not make another for the same account.
    exclude_credentials: Vec<Descriptor>,
    authenticator_selection: Selection,
    attestation: &'static str,
}

/// For `navigator.credentials.get`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    /// What the passkey signs, in base64url: good once, for five minutes.
    challenge: String,
    timeout: u64,
    rp_id: String,
    /// Which passkeys may be used; empty: whichever the browser offers.
    allow_credentials: Vec<Descriptor>,
    user_verification: &'static str,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = RelyingPartyEntity)]
struct Party {
    id: String,
    name: String,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct PasskeyUser {
    id: String,
    name: String,
    display_name: String,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PasskeyParameter)]
struct Parameter {
    r#type: &'static str,
    alg: i64,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PasskeyDescriptor)]
struct Descriptor {
    r#type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transports: Vec<String>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasskeySelection)]
struct Selection {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

const TYPE: &str = "public-key";
const REQUIRED: &str = "required";

/// Ids of credentials, and how their devices can be reached.
pub(crate) type Credentials = Vec<(Vec<u8>, Vec<String>)>;

fn descriptors(credentials: Credentials) -> Vec<Descriptor> {
    let one = |(id, transports)| Descriptor { r#type: TYPE, id: URL_SAFE_NO_PAD.encode::<Vec<u8>>(id), transports };
    credentials.into_iter().map(one).collect()
}

fn timeout() -> u64 {
    u64::try_from(GOOD_FOR.as_millis()).unwrap_or(u64::MAX)
}

/// A person as their devices show them.
pub(super) struct Whose<'a> {
    pub(super) user: UserId,
    pub(super) email: &'a str,
    pub(super) name: &'a str,
    pub(super) known: Credentials,
}

pub(super) fn creation(party: &RelyingParty, product: &str, challenge: &Secret<String>, whose: Whose<'_>) -> CreationOptions {
    let display_name = if whose.name.is_empty() { whose.email } else { whose.name }.to_owned();
    CreationOptions {
        rp: Party { id: party.id().to_owned(), name: product.to_owned() },
        user: PasskeyUser { id: URL_SAFE_NO_PAD.encode(whose.user.to_string()), name: whose.email.to_owned(), display_name },
        challenge: challenge.reveal().clone(),
        pub_key_cred_params: ALGORITHMS.into_iter().map(|alg| Parameter { r#type: TYPE, alg }).collect(),
        timeout: timeout(),
        exclude_credentials: descriptors(whose.known),
        authenticator_selection: Selection { resident_key: REQUIRED, require_resident_key: true, user_verification: REQUIRED },
        attestation: "none",
    }
}

/// `allowed`: empty, for whoever is not signed in.
pub(crate) fn request(party: &RelyingParty, challenge: &Secret<String>, allowed: Credentials) -> RequestOptions {
    RequestOptions {
        challenge: challenge.reveal().clone(),
        timeout: timeout(),
        rp_id: party.id().to_owned(),
        allow_credentials: descriptors(allowed),
        user_verification: REQUIRED,
    }
}
