//! What the browser says: which page asked, for what.

use serde::Deserialize;

use super::{Fault, RelyingParty, bytes};

/// Longest challenge that is looked at, in characters.
const MAX_CHALLENGE: usize = 128;

/// `clientDataJSON` (§5.8.1), with the bytes that were hashed.
#[derive(Debug)]
pub(crate) struct ClientData {
    fields: Fields,
    pub(super) raw: Vec<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

impl ClientData {
    /// Reads it from base64url; nothing of it is believed yet.
    pub(crate) fn read(text: &str) -> Result<Self, Fault> {
        let raw = bytes(text)?;
        let fields: Fields = serde_json::from_slice(&raw).map_err(|_| "the client data cannot be read")?;
        if fields.challenge.len() > MAX_CHALLENGE {
            return Err("the challenge is none of ours");
        }
        Ok(Self { fields, raw })
    }

    /// What was asked, as it was written: base64url without padding.
    pub(crate) fn challenge(&self) -> &str {
        &self.fields.challenge
    }

    /// Whether a page of ours asked for this kind of ceremony, and not from within a frame of another's.
    pub(super) fn check(&self, kind: &str, party: &RelyingParty) -> Result<(), Fault> {
        if self.fields.r#type != kind {
            return Err("the ceremony is of another kind");
        }
        if self.fields.origin != party.origin() {
            return Err("the page is of another origin");
        }
        if self.fields.cross_origin || self.fields.top_origin.is_some() {
            return Err("the page is in a frame of another origin");
        }
        Ok(())
    }
}
