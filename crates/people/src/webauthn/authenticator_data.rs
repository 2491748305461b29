//! What the device says of itself (§6.1).

use coset::cbor::Value;
use coset::cbor::de::from_reader_with_recursion_limit;

use super::{Fault, RelyingParty};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;
/// Longest credential id (§4).
const MAX_CREDENTIAL_ID: usize = 1023;
/// How deep values may be nested: keys and extensions are flat.
const DEPTH: usize = 8;

/// Authenticator data, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthenticatorData<'a> {
    party: &'a [u8],
    flags: u8,
    /// How often the device says that it has signed; zero where it does not count.
    pub(super) counter: u32,
    /// The new passkey, of a registration.
    pub(super) credential: Option<Credential<'a>>,
}

/// A new passkey.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credential<'a> {
    /// The model of the authenticator, as it says.
    pub(super) aaguid: [u8; 16],
    pub(super) id: &'a [u8],
    /// COSE.
    pub(super) public_key: &'a [u8],
}

/// The first `count` bytes; `rest` goes on after them.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Fault> {
    let (head, tail) = rest.split_at_checked(count).ok_or("the authenticator data is cut off")?;
    *rest = tail;
    Ok(head)
}

/// The bytes of one CBOR item; `rest` goes on after it.
fn item<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let (before, mut reader) = (*rest, *rest);
    let value: Value =
        from_reader_with_recursion_limit(&mut reader, DEPTH).map_err(|_| "the authenticator data holds no CBOR where it should")?;
    if !value.is_map() {
        return Err("the authenticator data holds another value than a map");
    }
    take(rest, before.len() - reader.len())
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: bytes that follow are a fault.
    pub(super) fn read(data: &'a [u8]) -> Result<Self, Fault> {
        let mut rest = data;
        let party = take(&mut rest, 32)?;
        let flags = take(&mut rest, 1)?[0];
        let counter = take(&mut rest, 4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let credential = if flags & HAS_CREDENTIAL == 0 { None } else { Some(Self::credential(&mut rest)?) };
        if flags & HAS_EXTENSIONS != 0 {
            item(&mut rest)?;
        }
        if !rest.is_empty() {
            return Err("something follows the authenticator data");
        }
        Ok(Self { party, flags, counter, credential })
    }

    fn credential(rest: &mut &'a [u8]) -> Result<Credential<'a>, Fault> {
        let aaguid: [u8; 16] = take(rest, 16)?.try_into().map_err(|_| "the authenticator data is cut off")?;
        let length = take(rest, 2)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        if length == 0 || length > MAX_CREDENTIAL_ID {
            return Err("the credential's id has no such length");
        }
        Ok(Credential { aaguid, id: take(rest, length)?, public_key: item(rest)? })
    }

    /// Whether it is for us, and the device has made sure of the person: by a fingerprint, a face or a PIN.
    pub(super) fn check(&self, party: &RelyingParty) -> Result<(), Fault> {
        if self.party != party.id_hash() {
            return Err("the passkey is of another relying party");
        }
        if self.flags & USER_PRESENT == 0 {
            return Err("nobody touched the device");
        }
        if self.flags & USER_VERIFIED == 0 {
            return Err("the device did not make sure of the person");
        }
        if self.is_backed_up() && !self.is_eligible() {
            return Err("the passkey is copied although it cannot be");
        }
        Ok(())
    }

    /// Whether the passkey may be copied to the person's other devices. The same for ever.
    pub(super) fn is_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// Whether it is.
    pub(super) fn is_backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An Ed25519 key as COSE, of 42 bytes.
    fn key() -> Vec<u8> {
        [&[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20][..], &[7; 32]].concat()
    }

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&[1; 32][..], &[flags, 0, 0, 1, 2], rest].concat()
    }

    #[test]
    fn every_part_is_found() {
        let plain = data(USER_PRESENT, &[]);
        assert_eq!(AuthenticatorData::read(&plain).unwrap().counter, 258);
        let rest = [&[9; 16][..], &[0, 3], b"abc", &key()].concat();
        let new = data(USER_PRESENT | HAS_CREDENTIAL, &rest);
        let credential = AuthenticatorData::read(&new).unwrap().credential.unwrap();
        assert_eq!((credential.id, credential.aaguid, credential.public_key), (&b"abc"[..], [9; 16], key().as_slice()));
        // {"credProtect": 2} after it.
        let extended = [rest.as_slice(), &[0xa1, 0x6b], b"credProtect", &[0x02]].concat();
        let with = data(USER_PRESENT | HAS_CREDENTIAL | HAS_EXTENSIONS, &extended);
        assert_eq!(AuthenticatorData::read(&with).unwrap().credential.unwrap().public_key, key());
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        let whole = data(USER_PRESENT | HAS_CREDENTIAL, &[&[9; 16][..], &[0, 3], b"abc", &key()].concat());
        assert!((0..whole.len()).all(|length| AuthenticatorData::read(&whole[..length]).is_err()));
        assert!(AuthenticatorData::read(&[&whole[..], &[0]].concat()).is_err());
        for length in [[0, 0], [4, 0], [0xff, 0xff]] {
            let bad = data(HAS_CREDENTIAL, &[&[9; 16][..], &length, &[1; 2000], &key()].concat());
            assert!(AuthenticatorData::read(&bad).is_err(), "{length:?}");
        }
        let deep = data(HAS_EXTENSIONS, &[0x81; 4000]);
        assert!(AuthenticatorData::read(&deep).is_err(), "lists within lists");
        let no_map = data(HAS_EXTENSIONS, &[0x01]);
        assert!(AuthenticatorData::read(&no_map).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_data_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(read) = AuthenticatorData::read(&bytes) {
                prop_assert!(bytes.len() >= 37 && read.credential.is_none_or(|credential| !credential.id.is_empty()));
            }
        }
    }
}
