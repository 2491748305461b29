//! What a password must be (NIST SP 800-63B-4 §3.1.1.2): long, and not one that is tried first. No rule about kinds of characters. Which are tried
//! first is known from lists of leaked passwords, names and words, and from patterns over them.

use kernel::{Error, Result};
use zxcvbn::Score;

/// Shortest and longest password in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=256;
/// Longest password in bytes.
pub(super) const MAX_BYTES: usize = 1024;

pub(super) fn check_length(pointer: &str, password: &str) -> Result<()> {
    let length = password.chars().count();
    if !LENGTH.contains(&length) || password.len() > MAX_BYTES {
        return Err(Error::field(pointer, format!("must have {} to {} characters, has {length}", LENGTH.start(), LENGTH.end())));
    }
    Ok(())
}

/// Refuses what is found within 10⁸ guesses. Takes milliseconds: not on a runtime's thread.
pub(super) fn check_strength(pointer: &str, password: &str, of: &[String]) -> Result<()> {
    let of: Vec<String> = of.iter().map(|text| text.to_lowercase()).collect();
    let parts: Vec<&str> = of.iter().flat_map(|text| text.split(['@', '.', ' ', '-', '_'])).filter(|part| part.len() > 2).collect();
    if own_words_only(password, &parts) || zxcvbn::zxcvbn(password, &parts).score() < Score::Three {
        let text = "is among those that are tried first: well known, a pattern, or your name or address. Take several words that do not belong together";
        return Err(Error::field(pointer, text));
    }
    Ok(())
}

/// Whether little is left of it without the person's own name and address.
fn own_words_only(password: &str, parts: &[&str]) -> bool {
    let rest = parts.iter().fold(password.to_lowercase(), |rest, part| rest.replace(part, ""));
    rest.len() < password.len() && rest.chars().filter(|c| c.is_alphanumeric()).count() < 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        let of = ["ada.lovelace@example.com".to_owned()];
        for weak in ["password1234", "qwertyuiop12", "aaaaaaaaaaaaaa", "123456789012", "iloveyou2024", "ada.lovelace@example.com"] {
            assert!(check_strength("/password", weak, &of).is_err(), "{weak}");
        }
        for strong in ["a quiet harbour at dawn", "correct horse battery staple", "Vq7#kd92!mZx", "שלום לכל הסירות בים"] {
            assert!(check_length("/password", strong).is_ok() && check_strength("/password", strong, &of).is_ok(), "{strong}");
        }
        assert!(check_length("/password", "elevenchars").is_err() && check_length("/password", &"x".repeat(257)).is_err());
    }
}
