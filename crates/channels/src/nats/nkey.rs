//! NATS keys: Ed25519 seeds in base32 with a checksum (<https://github.com/nats-io/nkeys>), and `.creds` files that hold one with a JWT.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Secret;

/// What a seed's first two bytes say: five bits for "seed", eight for "user".
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;

/// A user's key.
pub(crate) struct Nkey {
    seed: Secret<Vec<u8>>,
}

impl Nkey {
    /// From `SU…`.
    pub(super) fn of_seed(text: &str) -> Option<Self> {
        let raw = from_base32(text)?;
        let (body, sum) = raw.split_last_chunk::<2>()?;
        let [first, second, seed @ ..] = body else { return None };
        let is_user_seed = (first & 0xf8) == SEED && (((first & 7) << 5) | (second >> 3)) == USER;
        let fits = crc16(body) == u16::from_le_bytes(*sum) && is_user_seed && Ed25519KeyPair::from_seed_unchecked(seed).is_ok();
        fits.then(|| Self { seed: Secret::new(seed.to_vec()) })
    }

    /// The server's nonce, signed as `CONNECT` wants it.
    pub(super) fn sign(&self, nonce: &str) -> Option<String> {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.seed.reveal()).ok()?;
        Some(URL_SAFE_NO_PAD.encode(pair.sign(nonce.as_bytes())))
    }

    /// The public key, `U…`.
    pub(super) fn public(&self) -> Option<String> {
        use aws_lc_rs::signature::KeyPair as _;
        let pair = Ed25519KeyPair::from_seed_unchecked(self.seed.reveal()).ok()?;
        let mut raw = vec![USER];
        raw.extend_from_slice(pair.public_key().as_ref());
        let sum = crc16(&raw).to_le_bytes();
        raw.extend_from_slice(&sum);
        Some(to_base32(&raw))
    }
}

/// Key and JWT of a `.creds` file: two blocks between lines of dashes.
pub(super) fn read_credentials(text: &str) -> Option<(Nkey, String)> {
    let block = |name: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("BEGIN {name}"))?;
        let (block, _) = rest.split_once("END ")?;
        let inner = block.trim_matches(|c: char| c == '-' || c.is_whitespace());
        let fits = !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        fits.then(|| inner.to_owned())
    };
    Some((Nkey::of_seed(&block("USER NKEY SEED")?)?, block("NATS USER JWT")?))
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (Vec::with_capacity(text.len() * 5 / 8), 0_u32, 0);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = (bits << 5 | u32::try_from(value).ok()?) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

fn to_base32(bytes: &[u8]) -> String {
    let (mut out, mut bits, mut count) = (String::new(), 0_u32, 0);
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xfff;
        count += 8;
        while count >= 5 {
            count -= 5;
            out.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        out.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    out
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        let mut sum = sum ^ (u16::from(*byte) << 8);
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 };
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A pair out of the documentation of nkeys.
    const SEED_TEXT: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    const PUBLIC_TEXT: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    #[test]
    fn a_known_pair() {
        let key = Nkey::of_seed(SEED_TEXT).unwrap();
        assert_eq!(key.public().unwrap(), PUBLIC_TEXT);
        assert_eq!(URL_SAFE_NO_PAD.decode(key.sign("nonce").unwrap()).unwrap().len(), 64);
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\nab.cd_-e.f\n------END NATS USER JWT------\n\nIMPORTANT\n\n-----BEGIN USER NKEY SEED-----\n{SEED_TEXT}\n------END USER NKEY SEED------\n"
        );
        let (key, jwt) = read_credentials(&creds).unwrap();
        assert_eq!((key.public().unwrap().as_str(), jwt.as_str()), (PUBLIC_TEXT, "ab.cd_-e.f"));
    }

    #[test]
    fn no_other_text_is_a_seed() {
        for bad in ["", "SU", PUBLIC_TEXT, &SEED_TEXT[1..], &SEED_TEXT.replace('S', "T"), &SEED_TEXT.to_lowercase()] {
            assert!(Nkey::of_seed(bad).is_none(), "{bad}");
        }
        assert!(read_credentials(SEED_TEXT).is_none());
    }

    proptest! {
        #[test]
        fn base32_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(from_base32(&to_base32(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn any_text_is_a_seed_or_not(text in ".{0,80}") {
            let _ = (Nkey::of_seed(&text).is_some(), read_credentials(&text).is_some());
        }
    }
}
