//! Passkeys: keys in a person's devices that sign in, bound to this server's origin.
//!
//! We want them discoverable (`residentKey`), so that nobody need type an address, and the person verified by the device, so that one is
//! worth two proofs: what they have, and a fingerprint, face or PIN. Strangers are never told which passkeys an account has: a browser
//! offers its own, and where an address was typed, only that account's is taken. A new passkey and its end want a fresh proof.
//!
//! A device that counts its signatures and shows a number that it has shown before may have been copied. That is noted (audit log,
//! `suspectedCopyAt`), not refused: devices that lost count are commoner, and the person decides.

mod add;
mod list;
mod options;
mod remove;
mod rename;
pub(crate) mod sql;
mod used;

use kernel::{PasskeyId, Timestamp};
use serde::{Deserialize, Serialize};

pub use add::AddPasskey;
pub use options::{CreationOptions, RequestOptions};

pub(crate) use add::{handle as add, handle_options as add_options};
pub(crate) use list::{PasskeyList, handle as list};
pub(crate) use options::request as request_options;
pub(crate) use remove::handle as remove;
pub(crate) use rename::{RenamePasskey, handle as rename};
pub(crate) use used::{Used, shown};

/// Most passkeys of one person.
const MOST: usize = 20;

/// A passkey, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// `psk_…`
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// Whether its device may copy it to the person's other devices.
    pub is_synced: bool,
    /// The model of the authenticator as it says itself, a UUID; zeros: it does not say.
    pub aaguid: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was last used with a counter that did not go on: somebody may have copied it.
    pub suspected_copy_at: Option<Timestamp>,
}
