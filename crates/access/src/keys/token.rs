//! Keys on the wire: `<prefix>_<env>_<keyId>_<secret><checksum>`.
//!
//! The key id (12 random characters) finds the row; the secret (256 bits as 43 characters) proves the holder; the checksum (CRC-32 of
//! everything before it, as 6 characters) lets typos and leaks be recognised without asking anyone. All three are base 62: `0-9A-Za-z`.

use kernel::{Ambient, Secret};

/// Prefix of service keys, which no blueprint may use.
pub const SERVICE_PREFIX: &str = "tws";
/// Prefix of OAuth access tokens, which no blueprint may use either.
pub const ACCESS_PREFIX: &str = "twa";
/// Every prefix that is ours: see [`crate::access_tokens::Handle`].
const RESERVED: [&str; 7] = [SERVICE_PREFIX, ACCESS_PREFIX, "twr", "twc", "twd", "twq", "twg"];
/// Longest token in bytes that is looked at.
pub const MAX_LEN: usize = 256;
/// Characters of a key id.
pub const KEY_ID_LEN: usize = 12;
/// Characters of a secret.
pub const SECRET_LEN: usize = 43;
/// Characters of a checksum.
pub const CHECKSUM_LEN: usize = 6;

const MAX_PREFIX: usize = 16;
/// As many digits as a division by a 32-bit number gives at once.
const FIVE_DIGITS: usize = 5;
const SIXTY_TWO_TO_FIVE: u64 = 62 * 62 * 62 * 62 * 62;
/// Random bits of an ordered key id; the 35 before them are the time.
const ORDERED_RANDOM: u32 = 36;
/// When the time of ordered key ids begins: 2025. It ends 69 years later.
const ORDERED_EPOCH_MS: i64 = 1_735_689_600_000;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a text is not: a key. It says no more, since the answer to every bad key is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Where a key's environment shows in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `live`: production.
    Live,
    /// `test`: staging.
    Test,
    /// `dev`: development.
    Dev,
}

impl Label {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
            Self::Dev => "dev",
        }
    }
}

/// Which kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// A client's API key.
    Api,
    /// An operator's service key.
    Service,
    /// An access token that was issued to a client.
    AccessToken,
}

/// A text that has the form of a key and the right checksum. Whether it is one, the database knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The whole text. A secret.
    pub text: &'a str,
    /// The product's prefix.
    pub prefix: &'a str,
    /// The environment.
    pub label: Label,
    /// The key id, without prefix and environment.
    pub key_id: &'a str,
}

impl Token<'_> {
    /// In which table it is.
    pub fn which(&self) -> Which {
        match self.prefix {
            SERVICE_PREFIX => Which::Service,
            ACCESS_PREFIX => Which::AccessToken,
            _ => Which::Api,
        }
    }

    /// The key id as a number of base 62, below 2⁷².
    pub fn number(&self) -> u128 {
        number(self.key_id)
    }
}

/// A key id as a number of base 62.
pub(crate) fn number(key_id: &str) -> u128 {
    number_of(key_id.as_bytes())
}

/// The same of its bytes.
pub(crate) fn number_of(key_id: &[u8]) -> u128 {
    key_id.iter().fold(0, |sum, byte| sum * 62 + u128::from(value(*byte)))
}

/// Whether a prefix belongs to a kind of secret of ours.
pub(crate) fn is_reserved(prefix: &str) -> bool {
    RESERVED.contains(&prefix)
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}_{}_…", self.prefix, self.label.as_str(), self.key_id)
    }
}

/// Reads a token: every text is either a token or [`Malformed`], in time linear in at most [`MAX_LEN`] bytes, without allocation.
pub fn parse(text: &str) -> Result<Token<'_>, Malformed> {
    if text.len() > MAX_LEN || !text.is_ascii() {
        return Err(Malformed);
    }
    let mut parts = text.split('_');
    let (Some(prefix), Some(label), Some(key_id), Some(tail), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Malformed);
    };
    let label = match label {
        "live" => Label::Live,
        "test" => Label::Test,
        "dev" => Label::Dev,
        _ => return Err(Malformed),
    };
    let fits = is_prefix(prefix)
        && key_id.len() == KEY_ID_LEN
        && tail.len() == SECRET_LEN + CHECKSUM_LEN
        && key_id.bytes().chain(tail.bytes()).all(|byte| byte.is_ascii_alphanumeric());
    if !fits {
        return Err(Malformed);
    }
    let (body, written) = text.split_at(text.len() - CHECKSUM_LEN);
    if checksum(body) != written.as_bytes() {
        return Err(Malformed);
    }
    Ok(Token { text, prefix, label, key_id })
}

fn is_prefix(text: &str) -> bool {
    (1..=MAX_PREFIX).contains(&text.len())
        && text.as_bytes()[0].is_ascii_lowercase()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// CRC-32 (IEEE) as 6 digits of base 62.
fn checksum(body: &str) -> [u8; CHECKSUM_LEN] {
    let mut out = [0; CHECKSUM_LEN];
    write_digits(u64::from(crc32fast::hash(body.as_bytes())), &mut out);
    out
}

/// A digit's value; other bytes count as 0 (a [`Token`] has none).
fn value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => 0,
    }
}

/// A new token with what may be shown of it.
pub(crate) struct Minted {
    /// The token: shown once.
    pub(crate) token: Secret<String>,
    /// What finds the row.
    pub(crate) key_id: String,
    /// `<prefix>_<env>_<keyId>`.
    pub(crate) shown_id: String,
    /// The shown id, four more characters, `…` and the last four.
    pub(crate) mask: String,
}

/// Makes a token.
pub(crate) fn mint(ambient: &Ambient, prefix: &str, label: Label) -> Minted {
    minted(ambient, prefix, label, key_id_of(u128::from_le_bytes(ambient.bytes())))
}

/// Makes a token whose key id tells when, to a sixteenth of a second or so: what is made together is stored together, and a commit writes
/// few pages. Two may get the same id (once in some hours, where thousands are made a second): whoever stores it asks for another then.
pub(crate) fn mint_ordered(ambient: &Ambient, prefix: &str, label: Label) -> Minted {
    let since = (ambient.now().millis() - ORDERED_EPOCH_MS).max(0).unsigned_abs() >> 6;
    let chance = u64::from_le_bytes(ambient.bytes()) >> (u64::BITS - ORDERED_RANDOM);
    minted(ambient, prefix, label, key_id_of((u128::from(since) << ORDERED_RANDOM) | u128::from(chance)))
}

fn minted(ambient: &Ambient, prefix: &str, label: Label, key_id: String) -> Minted {
    let shown_id = format!("{prefix}_{}_{key_id}", label.as_str());
    let token = renew(ambient, prefix, label, &key_id);
    let text = token.reveal();
    let mask = format!("{shown_id}_{}…{}", &text[shown_id.len() + 1..shown_id.len() + 5], &text[text.len() - 4..]);
    Minted { token, key_id, shown_id, mask }
}

/// A token with a new secret under a key id that is there.
pub(crate) fn renew(ambient: &Ambient, prefix: &str, label: Label, key_id: &str) -> Secret<String> {
    let mut token = format!("{prefix}_{}_{key_id}_{}", label.as_str(), random_secret(ambient).reveal());
    let sum = checksum(&token);
    token.extend(sum.iter().map(|byte| char::from(*byte)));
    Secret::new(token)
}

/// 256 random bits as 43 digits of base 62.
pub(crate) fn random_secret(ambient: &Ambient) -> Secret<String> {
    Secret::new(base62(ambient.bytes::<32>()))
}

/// The last twelve digits of a number, half of them at a time.
fn key_id_of(number: u128) -> String {
    const HALF: u128 = (SIXTY_TWO_TO_FIVE * 62) as u128;
    let mut digits = [0u8; KEY_ID_LEN];
    let (high, low) = digits.split_at_mut(KEY_ID_LEN / 2);
    write_digits(((number / HALF) % HALF) as u64, high);
    write_digits((number % HALF) as u64, low);
    digits.iter().map(|byte| char::from(*byte)).collect()
}

/// The last digits of a number, as many as there is room for.
fn write_digits(mut number: u64, slots: &mut [u8]) {
    for slot in slots.iter_mut().rev() {
        *slot = DIGITS[(number % 62) as usize];
        number /= 62;
    }
}

/// A 256-bit number as 43 digits of base 62 (62⁴³ > 2²⁵⁶), by long division: five digits at a time, since 62⁵ < 2³² and a
/// rest with a limb behind it fits 64 bits.
fn base62(number: [u8; 32]) -> String {
    let mut limbs = [0u32; 8];
    for (limb, bytes) in limbs.iter_mut().zip(number.chunks_exact(4)) {
        *limb = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let mut digits = [0u8; SECRET_LEN];
    for slots in digits.rchunks_mut(FIVE_DIGITS) {
        let mut rest = 0u64;
        for limb in &mut limbs {
            let part = (rest << 32) | u64::from(*limb);
            *limb = (part / SIXTY_TWO_TO_FIVE) as u32;
            rest = part % SIXTY_TWO_TO_FIVE;
        }
        write_digits(rest, slots);
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base62_is_what_long_arithmetic_says() {
        assert_eq!(base62([0; 32]), "0".repeat(43));
        let mut one = [0; 32];
        one[31] = 62;
        assert!(base62(one).ends_with("010"));
        // Python: 2**256 - 1 in this alphabet.
        let largest = base62([0xff; 32]);
        assert_eq!(largest.len(), 43);
        let back = largest.bytes().map(value).fold([0u8; 33], |mut number, digit| {
            let mut carry = u32::from(digit);
            for byte in number.iter_mut().rev() {
                let part = u32::from(*byte) * 62 + carry;
                *byte = (part & 255) as u8;
                carry = part >> 8;
            }
            number
        });
        assert_eq!(back[0], 0);
        assert!(back[1..].iter().all(|byte| *byte == 0xff), "{back:?}");
    }

    #[test]
    fn ordered_key_ids_follow_the_time_and_differ() {
        let clock = std::sync::Arc::new(kernel::time::ManualClock::new(kernel::Timestamp::from_millis(ORDERED_EPOCH_MS)));
        let ambient = Ambient::new(clock.clone(), std::sync::Arc::new(kernel::chance::SystemEntropy));
        let mut last = String::new();
        for step in 0..200u32 {
            let minted = mint_ordered(&ambient, "twa", Label::Live);
            assert!(parse(minted.token.reveal()).is_ok());
            assert_eq!(minted.key_id.len(), KEY_ID_LEN);
            assert!(minted.key_id > last, "{last} {}", minted.key_id);
            last = minted.key_id;
            clock.advance(std::time::Duration::from_millis(64 << (step % 24)));
        }
        let together: std::collections::HashSet<_> = (0..100).map(|_| mint_ordered(&ambient, "twa", Label::Live).key_id).collect();
        assert_eq!(together.len(), 100);
    }

    #[test]
    fn the_checksum_is_crc_32_ieee() {
        // The check value of CRC-32/ISO-HDLC: 0xCBF43926 of "123456789".
        let mut number = 0u64;
        for byte in checksum("123456789") {
            number = number * 62 + u64::from(value(byte));
        }
        assert_eq!(number, 0xCBF4_3926);
    }

    #[test]
    fn a_minted_token_is_shown_as_api_md_says() {
        let minted = mint(&Ambient::system(), "ins", Label::Test);
        let text = minted.token.reveal().clone();
        let token = parse(&text).unwrap();
        assert_eq!((token.prefix, token.label, token.key_id, token.which()), ("ins", Label::Test, minted.key_id.as_str(), Which::Api));
        assert_eq!(minted.shown_id, format!("ins_test_{}", minted.key_id));
        let secret_at = minted.shown_id.len() + 1;
        assert_eq!(minted.mask, format!("{}_{}…{}", minted.shown_id, &text[secret_at..secret_at + 4], &text[text.len() - 4..]));
        assert!(!format!("{token:?}").contains(&text[secret_at..]));
    }

    proptest! {
        #[test]
        fn base62_divides_as_one_does_by_hand(number: [u8; 32]) {
            let mut rest = number;
            let mut digits = [0u8; SECRET_LEN];
            for slot in digits.iter_mut().rev() {
                let mut carry = 0u32;
                for byte in &mut rest {
                    let part = carry * 256 + u32::from(*byte);
                    *byte = (part / 62) as u8;
                    carry = part % 62;
                }
                *slot = DIGITS[carry as usize];
            }
            prop_assert_eq!(base62(number).into_bytes(), digits.to_vec());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,300}") {
            let _ = parse(&text);
        }

        #[test]
        fn texts_of_the_right_shape_need_the_right_checksum(secret in "[0-9A-Za-z]{43}", id in "[0-9A-Za-z]{12}", sum in "[0-9A-Za-z]{6}") {
            let body = format!("tw_live_{id}_{secret}");
            let right = String::from_utf8(checksum(&body).to_vec()).unwrap();
            let whole = format!("{body}{right}");
            prop_assert!(parse(&whole).is_ok());
            if sum != right {
                let bent = format!("{body}{sum}");
                prop_assert_eq!(parse(&bent), Err(Malformed));
            }
        }

        #[test]
        fn one_changed_character_is_found(at in 0usize..66, seed: u8) {
            let text = mint(&Ambient::system(), "tw", Label::Live).token.reveal().clone();
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = DIGITS[seed as usize % 62];
            let bent = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(parse(&bent).is_ok(), bent == text);
        }

        #[test]
        fn key_ids_have_their_own_numbers(a in "[0-9A-Za-z]{12}", b in "[0-9A-Za-z]{12}") {
            let number = |id: &str| Token { text: "", prefix: "tw", label: Label::Live, key_id: id_leak(id) }.number();
            prop_assert_eq!(number(&a) == number(&b), a == b);
        }
    }

    /// A test's small leak, so that a token can be made of an owned id.
    fn id_leak(id: &str) -> &'static str {
        Box::leak(id.to_owned().into_boxed_str())
    }
}
