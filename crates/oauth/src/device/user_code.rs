//! The code that a person types (RFC 8628 §6.1): eight consonants, four and four, so that no words arise and nothing looks alike.

use kernel::Ambient;

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// A new one, as it is shown: `WDJB-MJHT`. About 34.6 bits: guesses are limited by address and person, and it lives minutes.
pub(super) fn new(ambient: &Ambient) -> String {
    let letter = |_| char::from(ALPHABET[usize::try_from(ambient.below(20)).unwrap_or(0)]);
    let letters: String = (0..LENGTH).map(letter).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// What a person typed, as the eight letters: small letters, blanks and signs do not matter. None: it cannot be a code.
pub(crate) fn read(typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    (letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter))).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_shown_can_be_typed_in_any_way() {
        let ambient = Ambient::system();
        let shown = new(&ambient);
        let letters = read(&shown).unwrap();
        for typed in [shown.to_lowercase(), letters.clone(), format!(" {} {} ", &letters[..4], &letters[4..])] {
            assert_eq!(read(&typed), Some(letters.clone()), "{typed}");
        }
        assert_ne!(new(&ambient), shown);
        for bad in ["", "WDJB", "WDJB-MJHA", "WDJB-MJH1", "WDJB-MJHTT", "ＷDJBMJHT"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_none(text in ".{0,80}") {
            if let Some(letters) = read(&text) {
                prop_assert_eq!(read(&letters), Some(letters.clone()));
            }
        }
    }
}
