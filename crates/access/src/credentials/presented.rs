//! What a caller shows, hashed once, whatever it is: the same work for every text of the same kind.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Pepper, Purpose};
use crate::access_tokens::signed;
use crate::keys::token::{self, KEY_ID_LEN, Token, Which};

/// What stands before the hash in the look-up key of an imported key. No key id of ours has a colon.
const FOREIGN: &str = "sha256:";
/// Shortest and longest token of another system in bytes.
const FOREIGN_LEN: std::ops::RangeInclusive<usize> = 8..=1024;
/// Marks in a place of the cache: above the 72 bits of a key id.
const SERVICE_MARK: u128 = 1 << 80;
const ACCESS_MARK: u128 = 1 << 81;
const FOREIGN_MARK: u128 = 1 << 127;

/// A credential as it came in.
pub(crate) struct Presented<'a> {
    kind: Kind<'a>,
    /// The keyed hash of the token: what the stored one must equal.
    proof: [u8; 32],
    /// The same of the second secret, if one was sent.
    second: Option<[u8; 32]>,
}

enum Kind<'a> {
    Ours(Token<'a>),
    /// An access token in the form of a JWT, by its `jti`.
    Signed([u8; KEY_ID_LEN]),
    /// A token of another system, which the proof itself finds.
    Foreign,
}

impl<'a> Presented<'a> {
    /// None: it cannot be a key. `foreign`: whether tokens of other systems are known at all.
    pub(crate) fn read(bearer: &'a str, api_secret: Option<&str>, pepper: &Pepper, foreign: bool) -> Option<Self> {
        let second = api_secret.filter(|secret| secret.len() <= token::MAX_LEN).map(|secret| pepper.hash(Purpose::KeySecret, secret));
        match token::parse(bearer) {
            Ok(token) => Some(Self { proof: pepper.hash(Purpose::Token, token.text), kind: Kind::Ours(token), second }),
            Err(_) if let Some(id) = signed::key_id(bearer) => {
                Some(Self { proof: pepper.hash(Purpose::Token, bearer), kind: Kind::Signed(id), second })
            }
            Err(_) if foreign && FOREIGN_LEN.contains(&bearer.len()) => {
                Some(Self { proof: fingerprint(pepper, &sha256_hex(bearer)), kind: Kind::Foreign, second })
            }
            Err(_) => None,
        }
    }

    /// Where it stands in the cache. Key ids have 72 bits; of a hash, 127 bits are place enough, since the whole of it is compared later.
    pub(crate) fn place(&self) -> u128 {
        match &self.kind {
            Kind::Ours(token) => match token.which() {
                Which::Api => token.number(),
                Which::Service => token.number() | SERVICE_MARK,
                Which::AccessToken => token.number() | ACCESS_MARK,
            },
            Kind::Signed(id) => token::number_of(id) | ACCESS_MARK,
            Kind::Foreign => {
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&self.proof[..16]);
                u128::from_le_bytes(bytes) | FOREIGN_MARK
            }
        }
    }

    /// In which table it is looked up, and by what.
    pub(crate) fn look_up(&self) -> (Which, String) {
        match &self.kind {
            Kind::Ours(token) => (token.which(), token.key_id.to_owned()),
            Kind::Signed(id) => (Which::AccessToken, id.map(char::from).iter().collect()),
            Kind::Foreign => (Which::Api, foreign_key_id(&self.proof)),
        }
    }

    /// Whether these are the stored hashes, in constant time. Under dual authentication a key without a second secret (made before its
    /// client asked for one) is refused.
    pub(crate) fn proves(&self, hash: &[u8; 32], needs_second: bool, second: Option<&[u8; 32]>) -> bool {
        let first_fits = self.proof.ct_eq(hash);
        let both = self.second.as_ref().zip(second);
        let second_fits = self.second.unwrap_or_default().ct_eq(second.unwrap_or(&[0; 32]));
        bool::from(first_fits) & (!needs_second | (bool::from(second_fits) & both.is_some()))
    }
}

/// Where the access token of this key id stands in the cache.
pub(super) fn token_place(key_id: &str) -> u128 {
    token::number(key_id) | ACCESS_MARK
}

/// The SHA-256 of a token, in lower-case hexadecimal digits.
pub(crate) fn sha256_hex(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// What is stored of a token's SHA-256: someone who reads the database cannot try tokens of little entropy.
pub(crate) fn fingerprint(pepper: &Pepper, sha256: &str) -> [u8; 32] {
    pepper.hash(Purpose::Fingerprint, sha256)
}

/// What finds an imported key.
pub(crate) fn foreign_key_id(fingerprint: &[u8; 32]) -> String {
    format!("{FOREIGN}{}", hex(fingerprint))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::token::Label;
    use kernel::Ambient;

    fn pepper() -> Pepper {
        Pepper::of(&[7; 32])
    }

    #[test]
    fn the_second_secret_counts_only_where_it_is_asked_for() {
        let (pepper, minted) = (pepper(), token::mint(&Ambient::system(), "tw", Label::Live));
        let text = minted.token.reveal().as_str();
        let (hash, second) = (pepper.hash(Purpose::Token, text), pepper.hash(Purpose::KeySecret, "right"));
        let proves = |secret: Option<&str>, needs, stored: Option<&[u8; 32]>| {
            Presented::read(text, secret, &pepper, false).unwrap().proves(&hash, needs, stored)
        };
        assert!(proves(None, false, None) && proves(Some("x"), false, None) && proves(Some("right"), true, Some(&second)));
        assert!(!proves(None, true, Some(&second)) && !proves(Some("wrong"), true, Some(&second)) && !proves(Some("right"), true, None));
        assert!(!proves(None, true, None), "nothing is not the same as nothing");
        assert!(!proves(None, true, Some(&[0; 32])) && !proves(None, true, None));
        assert!(!Presented::read(text, None, &pepper, false).unwrap().proves(&[0; 32], false, None));
    }

    #[test]
    fn places_of_the_kinds_never_meet() {
        let (pepper, ambient) = (pepper(), Ambient::system());
        let place = |text: &str| Presented::read(text, None, &pepper, true).unwrap().place();
        let own = place(token::mint(&ambient, "tw", Label::Live).token.reveal());
        let service = place(token::mint(&ambient, token::SERVICE_PREFIX, Label::Live).token.reveal());
        let foreign = place("sk_live_something_else");
        let access = place(token::mint(&ambient, token::ACCESS_PREFIX, Label::Live).token.reveal());
        assert!(access & ACCESS_MARK != 0 && access & (SERVICE_MARK | FOREIGN_MARK) == 0);
        assert!(own < 1 << 72 && service & SERVICE_MARK != 0 && service < 1 << 81 && foreign & FOREIGN_MARK != 0);
        assert!(Presented::read("sk_live_something_else", None, &pepper, false).is_none());
        assert!(Presented::read("short", None, &pepper, true).is_none());
        assert!(Presented::read(&"x".repeat(1025), None, &pepper, true).is_none());
    }

    #[test]
    fn the_sha_256_is_what_everybody_computes() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
