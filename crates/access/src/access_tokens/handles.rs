//! Secrets of the OAuth protocol in the form of keys: an id that finds the row, 256 random bits, a checksum. Stored as their keyed hash.

use kernel::Secret;
use subtle::ConstantTimeEq as _;

use super::signed;
use crate::Access;
use crate::credentials::Purpose;
use crate::keys::token::{self, Label};

/// What a secret is for. Each has a prefix of its own, which no blueprint may use for its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An authorization code.
    Code,
    /// The device code of RFC 8628.
    DeviceCode,
    /// A request that waits for a person, or was pushed (RFC 9126).
    Request,
    /// What lets a client manage its own registration (RFC 7592), or register at all.
    Registration,
}

impl Handle {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::AccessToken, Self::RefreshToken, Self::Code, Self::DeviceCode, Self::Request, Self::Registration];

    /// What its texts begin with, before `_live_`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::AccessToken => token::ACCESS_PREFIX,
            Self::RefreshToken => "twr",
            Self::Code => "twc",
            Self::DeviceCode => "twd",
            Self::Request => "twq",
            Self::Registration => "twg",
        }
    }
}

/// A new secret: its text for whoever gets it, the rest for storage.
pub struct NewHandle {
    /// The text: shown once.
    pub text: Secret<String>,
    /// What finds the row.
    pub key_id: String,
    /// What is stored in place of the text.
    pub hash: [u8; 32],
}

/// A secret that somebody shows, of the right form. Whether it is one, the stored hash says.
pub struct ReadHandle {
    /// What finds the row.
    pub key_id: String,
    /// The hash of what was shown.
    pub hash: [u8; 32],
}

impl ReadHandle {
    /// Whether this is the stored hash, in constant time.
    pub fn proves(&self, stored: &[u8]) -> bool {
        self.hash.ct_eq(stored).into()
    }
}

impl Access {
    /// Makes a secret.
    pub fn new_handle(&self, kind: Handle) -> NewHandle {
        let minted = token::mint(&self.ambient, kind.prefix(), Label::Live);
        let hash = self.pepper.hash(Purpose::Token, minted.token.reveal());
        NewHandle { text: minted.token, key_id: minted.key_id, hash }
    }

    /// Makes an access token, under an id that follows the time. It may be taken: see [`token::mint_ordered`].
    pub(super) fn new_access_token(&self) -> NewHandle {
        let minted = token::mint_ordered(&self.ambient, Handle::AccessToken.prefix(), Label::Live);
        let hash = self.pepper.hash(Purpose::Token, minted.token.reveal());
        NewHandle { text: minted.token, key_id: minted.key_id, hash }
    }

    /// Makes a new secret under an id that stays: for what is rotated in its own row.
    pub fn renew_handle(&self, kind: Handle, key_id: &str) -> NewHandle {
        let text = token::renew(&self.ambient, kind.prefix(), Label::Live, key_id);
        let hash = self.pepper.hash(Purpose::Token, text.reveal());
        NewHandle { text, key_id: key_id.to_owned(), hash }
    }

    /// Reads what somebody shows. None: it is no secret of this kind.
    pub fn read_handle(&self, kind: Handle, text: &str) -> Option<ReadHandle> {
        if kind == Handle::AccessToken
            && let Some(id) = signed::key_id(text)
        {
            return Some(ReadHandle { key_id: id.map(char::from).iter().collect(), hash: self.pepper.hash(Purpose::Token, text) });
        }
        let token = token::parse(text).ok().filter(|token| token.prefix == kind.prefix())?;
        Some(ReadHandle { key_id: token.key_id.to_owned(), hash: self.pepper.hash(Purpose::Token, token.text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_prefix_of_its_own() {
        for (index, kind) in Handle::ALL.iter().enumerate() {
            assert!(token::is_reserved(kind.prefix()), "{kind:?}");
            assert!(Handle::ALL[..index].iter().all(|other| other.prefix() != kind.prefix()));
        }
        assert!(token::is_reserved(token::SERVICE_PREFIX) && !token::is_reserved("tw") && !token::is_reserved("ins"));
    }
}
