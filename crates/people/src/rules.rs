//! Rules for what people write of themselves.

use kernel::text;
use kernel::{Error, Result};

/// Longest name in characters.
const MAX_NAME: usize = 200;

/// An address as it is compared and stored: without spaces around it, in lower case. Error: 422 `validation_failed`.
pub(crate) fn email(pointer: &str, address: &str) -> Result<String> {
    let address = address.trim().to_lowercase();
    let has_dot_or_is_local = address.rsplit_once('@').is_some_and(|(_, host)| !host.is_empty());
    if !has_dot_or_is_local || address.chars().any(char::is_control) || !web::mail::is_address(&address) {
        return Err(Error::field(pointer, "must be an e-mail address such as ada@example.com"));
    }
    Ok(address)
}

/// The same of what somebody typed who signs in: what cannot be an address is nobody's.
pub(crate) fn typed_email(address: &str) -> String {
    address.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(254).collect()
}

/// A person's name, which may be empty.
pub(crate) fn name(pointer: &str, name: &str) -> Result<String> {
    let name = name.trim();
    text::line(pointer, name, 0, MAX_NAME)?;
    Ok(name.to_owned())
}

/// A BCP 47 tag, as far as we look: letters, digits and hyphens.
pub(crate) fn language(pointer: &str, tag: &str) -> Result<String> {
    let fits = (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !tag.starts_with('-');
    if fits { Ok(tag.to_owned()) } else { Err(Error::field(pointer, "must be a language tag such as en or he")) }
}

/// Where somebody is taken after signing in: a path of ours, and nothing that a browser reads as another host's address. What is not, is
/// not an error: they arrive at the beginning.
pub(crate) fn next(path: Option<&str>) -> Option<String> {
    let path = path?;
    let plain = path.len() <= 2000 && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (plain && path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_one_form() {
        assert_eq!(email("/email", " Ada@Example.COM ").unwrap(), "ada@example.com");
        for bad in ["", "ada", "ada@", "@example.com", "a\u{0}@example.com", "a b@example.com"] {
            assert_eq!(email("/email", bad).unwrap_err().code(), "validation_failed", "{bad:?}");
        }
    }

    #[test]
    fn nobody_is_taken_elsewhere() {
        assert_eq!(next(Some("/portal/keys?a=b")).as_deref(), Some("/portal/keys?a=b"));
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "portal", "", "/a\r\nb", "/\u{202e}"] {
            assert_eq!(next(Some(bad)), None, "{bad:?}");
        }
    }
}
